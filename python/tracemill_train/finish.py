"""Verb `finish`: makes of an adapter that another trainer wrote what one of ours is: its GGUF form, and its probes.

The adapter is only read: that it is PEFT's, with safetensors, is checked; its numbers are that trainer's.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import peft
import torch
import transformers

from .events import Emit
from .gguf_adapter import convert_adapter
from .model import use_threads
from .probes import choose_probes, write_probes
from .refusal import Refusal
from .rows import load_rows

FILES = ("adapter_config.json", "adapter_model.safetensors")
NO_LIMIT = 2**31
"""Which rows are too long was the trainer's to say."""


@dataclass(frozen=True)
class Request:
    """Folders of the dataset, of the base and of the adapter, whose files are added there.

    Units: `vocabulary` in tokens; `threads` null: one a physical core.
    """

    dataset: Path
    base: Path
    out: Path
    vocabulary: int
    seed: int
    threads: int | None = None


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Writes `adapter.gguf` and `probes.json`; the result holds the versions and the trained tokens of an epoch.

    Raises: `Refusal` NO_ADAPTER, and those of `convert_adapter` and `load_rows`.
    """
    for name in FILES:
        if not (request.out / name).is_file():
            raise Refusal("NO_ADAPTER", f"The trainer left no {name}.", where=str(request.out))
    use_threads(request.threads)
    train, validation = (
        load_rows(request.dataset / f"tokens/{part}.parquet", NO_LIMIT, request.vocabulary)
        for part in ("train", "validation")
    )
    emit("progress", stage="writing the adapter for llama.cpp")
    convert_adapter(request.out, request.base, request.out / "adapter.gguf")
    emit("progress", stage="writing the probes")
    write_probes(request.base, request.out, choose_probes(validation, train, request.seed))
    return {
        "trainedTokens": sum(row.trained_tokens for row in train),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
        },
    }
