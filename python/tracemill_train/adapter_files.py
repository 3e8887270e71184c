"""The files of a training: PEFT's own, as safetensors, and the form that llama.cpp loads; or, where all weights were
trained, a whole model.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from peft import PeftModel
from transformers import PreTrainedModel

from .events import Emit
from .fsdp import save_adapter
from .gguf_adapter import convert_adapter
from .launch import is_first
from .model import load_config
from .refusal import Refusal

ALL_WEIGHTS = "all weights were trained: what came out is a base of its own, and no adapter"
PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")
MERGED = "merged"
"""Folder of a whole model beside, or instead of, a LoRA's files."""
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "processor_config.json",
    "preprocessor_config.json",
)
"""Files of a base that a training leaves as they are, copied byte for byte: the hashes that datasets bind to stay the same."""


def write_files(trained: PeftModel | PreTrainedModel, base: Path, out: Path, emit: Emit) -> str | None:
    """Writes what was trained into `out`: a LoRA in PEFT's form and as adapter.gguf, or a whole model.

    Processes that hold a part of a LoRA each have to call it all; the first one writes.
    Returns why there is no adapter.gguf where llama.cpp cannot load what was trained, else None.
    """
    if not isinstance(trained, PeftModel):
        write_model_files(trained, base, out, emit)
        return ALL_WEIGHTS
    emit("progress", stage="writing the adapter")
    save_adapter(trained, out)
    if not is_first():
        return None
    for file in out.iterdir():  # PEFT's card template, and what a trainer saves besides; the manifest is the card
        if file.name not in PEFT_FILES:
            file.unlink()
    return write_gguf_adapter(base, out, emit)


def write_gguf_adapter(base: Path, out: Path, emit: Emit) -> str | None:
    """Writes adapter.gguf from the folder's PEFT files; returns why there is none where the format cannot hold them."""
    target = out / "adapter.gguf"
    try:
        convert_adapter(out, base, target)
    except Refusal as refusal:
        target.unlink(missing_ok=True)
        got = refusal.details.get("got")
        reason = refusal.details["message"] + (f" ({got})" if got else "")
        emit("progress", stage=f"no adapter.gguf: {reason}")
        return reason
    return None


def write_model_files(model: PreTrainedModel, base: Path, out: Path, emit: Emit) -> None:
    """Writes a whole model into `out/merged/`, in the base's own number type."""
    emit("progress", stage="writing the model")
    dtype = load_config(base).dtype
    write_model_folder(model if dtype is None else model.to(dtype), base, out / MERGED)


def write_model_folder(model: PreTrainedModel, base: Path, folder: Path) -> None:
    """Writes a model as safetensors with the base's tokenizer and template, and whatever else the base says of its inputs."""
    model.save_pretrained(folder, safe_serialization=True)
    for name in TOKENIZER_FILES:
        if (base / name).exists():
            shutil.copyfile(base / name, folder / name)
