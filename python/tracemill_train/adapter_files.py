"""The files of a trained adapter: PEFT's own, as safetensors, and the form that llama.cpp loads."""

from __future__ import annotations

from pathlib import Path

from peft import PeftModel

from .events import Emit
from .gguf_adapter import convert_adapter


def write_adapter_files(adapted: PeftModel, base: Path, out: Path, emit: Emit) -> None:
    """Writes adapter_model.safetensors, adapter_config.json and adapter.gguf into `out`."""
    emit("progress", stage="writing the adapter")
    adapted.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)  # PEFT's card template; the manifest is the card
    convert_adapter(out, base, out / "adapter.gguf")
