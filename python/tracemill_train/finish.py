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

from .adapter_files import write_gguf_adapter
from .events import Emit
from .model import use_threads
from .probes import choose_probes, write_probes
from .refusal import Refusal
from .rows import load_rows

FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True)
class Request:
    """Folders of the dataset, of the base and of the adapter, whose files are added there; `quantization` is what it was trained on.

    Units: `vocabulary` in tokens; train rows of more than `max_tokens` were left out (null: none); `threads` null: one a physical core.
    """

    dataset: Path
    base: Path
    out: Path
    vocabulary: int
    seed: int
    quantization: str
    max_tokens: int | None = None
    threads: int | None = None


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Writes `adapter.gguf`, where the format can hold the adapter, and `probes.json`; the result holds the versions and the trained tokens of an epoch.

    Raises: `Refusal` NO_ADAPTER, and those of `load_rows`.
    """
    for name in FILES:
        if not (request.out / name).is_file():
            raise Refusal("NO_ADAPTER", f"The trainer left no {name}.", where=str(request.out))
    use_threads(request.threads)
    train, validation = (
        load_rows(request.dataset / f"tokens/{part}.parquet", None, request.vocabulary)  # too long is the trainer's to say
        for part in ("train", "validation")
    )
    if request.max_tokens is not None:
        train = [row for row in train if len(row.ids) <= request.max_tokens]
    emit("progress", stage="writing the adapter for llama.cpp")
    gguf_refused = write_gguf_adapter(request.base, request.out, emit)
    emit("progress", stage="writing the probes")
    sequences = choose_probes(validation, train, request.seed)
    write_probes(request.base, request.out, sequences, quantization=request.quantization)
    return {
        **({} if gguf_refused is None else {"ggufRefused": gguf_refused}),
        "trainedTokens": sum(row.trained_tokens for row in train),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
        },
    }
