"""Verb `merge`: a base and a LoRA of it -> one Hugging Face folder, for servers that take no adapters.

The LoRA goes into the base's own weights, never into their 4-bit form: what it was trained on was rounded, what is
served need not be. Towers stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel

from .adapter_files import write_model_folder
from .events import Emit
from .model import load_config, load_model


@dataclass(frozen=True)
class Request:
    """Folders of the base and of the adapter, which are only read, and the folder to write."""

    base: Path
    adapter: Path
    out: Path


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Writes the merged model in the base's own number type. Raises: `Refusal` NO_BASE."""
    dtype = load_config(request.base).dtype or torch.float32
    emit("progress", stage="loading the base")
    model = load_model(request.base, dtype, with_towers=True)
    emit("progress", stage="merging the adapter")
    merged = PeftModel.from_pretrained(model, request.adapter).merge_and_unload(safe_merge=True)
    emit("progress", stage="writing the model")
    write_model_folder(merged, request.base, request.out)
    return {"out": str(request.out)}
