"""The files of a training: PEFT's own, as safetensors, and the form that llama.cpp loads; or, where all weights were
trained, a whole model.
"""

from __future__ import annotations

from pathlib import Path

from peft import PeftModel
from transformers import AutoTokenizer, PreTrainedModel

from .events import Emit
from .gguf_adapter import convert_adapter
from .model import load_config
from .refusal import Refusal

ALL_WEIGHTS = "all weights were trained: what came out is a base of its own, and no adapter"
MERGED = "merged"
"""Folder of a whole model beside, or instead of, a LoRA's files."""


def write_files(trained: PeftModel | PreTrainedModel, base: Path, out: Path, emit: Emit) -> str | None:
    """Writes what was trained into `out`; returns why llama.cpp cannot load it where that is so."""
    if isinstance(trained, PeftModel):
        return write_adapter_files(trained, base, out, emit)
    write_model_files(trained, base, out, emit)
    return ALL_WEIGHTS


def write_adapter_files(adapted: PeftModel, base: Path, out: Path, emit: Emit) -> str | None:
    """Writes adapter_model.safetensors, adapter_config.json and adapter.gguf into `out`.

    Returns why there is no adapter.gguf where llama.cpp's format cannot hold this adapter, else None.
    """
    emit("progress", stage="writing the adapter")
    adapted.save_pretrained(out, safe_serialization=True)
    (out / "README.md").unlink(missing_ok=True)  # PEFT's card template; the manifest is the card
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
    """Writes a whole model into `out/merged/`, in the base's own number type, with the base's tokenizer."""
    emit("progress", stage="writing the model")
    folder = out / MERGED
    dtype = load_config(base).dtype
    (model if dtype is None else model.to(dtype)).save_pretrained(folder, safe_serialization=True)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
