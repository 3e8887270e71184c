"""Verb `tiny-adapter`: a random LoRA in all its forms, sound or spoiled, for tests of whatever must tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from .events import Emit
from .gguf_adapter import convert_adapter, gguf_tensors, write_adapter
from .llama_cpp import Layout, layout_of
from .lora import add_lora
from .model import load_model, text_config
from .probes import write_probes
from .refusal import Refusal

SPOILS = ("zero", "unpermuted")
ALPHA = 16.0


@dataclass(frozen=True)
class Request:
    """The base's folder, the folder to write, a seed, and what is wrong with adapter.gguf: nothing, "zero" or "unpermuted"."""

    base: Path
    out: Path
    seed: int
    spoil: str | None = None


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Writes the PEFT adapter and its probes, both sound, and adapter.gguf, spoiled as asked."""
    if request.spoil is not None and request.spoil not in SPOILS:
        raise Refusal("BAD_REQUEST", "No such way to spoil an adapter.", expected=", ".join(SPOILS), got=request.spoil)
    torch.manual_seed(request.seed)
    model = load_model(request.base, torch.float32)
    layout, vocabulary = layout_of(model.config), text_config(model.config).vocab_size
    adapted = add_lora(model, rank=8, alpha=ALPHA, dropout=0.0)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    adapted.save_pretrained(request.out)
    sequences = torch.randint(3, vocabulary, (4, 32)).tolist()
    write_probes(request.base, request.out, sequences)
    target = request.out / "adapter.gguf"
    if request.spoil is None:
        convert_adapter(request.out, request.base, target)
    else:
        write_adapter(target, layout, ALPHA, _spoiled(request, layout))
    return {"out": str(request.out)}


def _spoiled(request: Request, layout: Layout) -> dict[str, np.ndarray]:
    tensors = load_file(request.out / "adapter_model.safetensors")
    if request.spoil == "zero":
        return {name: np.zeros_like(values) for name, values in gguf_tensors(tensors, layout).items()}
    named = gguf_tensors(tensors, layout)
    for name, values in tensors.items():
        module, _, kind = name.removeprefix("base_model.model.").rpartition(".lora_")
        if kind == "B.weight":
            named[f"{layout.tensor_name(f'{module}.weight')}.lora_b"] = values
    return named
