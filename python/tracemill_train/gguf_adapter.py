"""Writes a PEFT LoRA as the adapter file that llama.cpp loads.

Forgetting to permute the rows of lora_b for queries and keys fails silently: the adapter loads and is subtly wrong.
Source: llama.cpp `convert_lora_to_gguf.py`; deviates: only plain LoRA on linear projections, all else is refused.
"""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file
from transformers import AutoConfig

from .llama_cpp import Layout, layout_of
from .refusal import Refusal

UNSUPPORTED = ("use_rslora", "use_dora", "alpha_pattern", "rank_pattern", "modules_to_save", "lora_bias", "fan_in_fan_out")
"""Settings of adapter_config.json that llama.cpp's one alpha and two matrices a tensor cannot express."""


def convert_adapter(folder: Path, base: Path, target: Path) -> None:
    """Writes `target` from the folder's adapter_model.safetensors and adapter_config.json.

    Raises: `Refusal` UNSUPPORTED_ADAPTER, UNSUPPORTED_ARCHITECTURE, UNSUPPORTED_TENSOR.
    """
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    for key in UNSUPPORTED:
        if config.get(key):
            raise Refusal("UNSUPPORTED_ADAPTER", f"llama.cpp cannot apply an adapter with {key}.", where=str(folder))
    if config.get("peft_type") != "LORA":
        raise Refusal("UNSUPPORTED_ADAPTER", "Only LoRA adapters can be written.", got=str(config.get("peft_type")))
    layout = layout_of(AutoConfig.from_pretrained(base))
    tensors = load_file(folder / "adapter_model.safetensors")
    write_adapter(target, layout, float(config["lora_alpha"]), gguf_tensors(tensors, layout))


def gguf_tensors(tensors: dict[str, np.ndarray], layout: Layout) -> dict[str, np.ndarray]:
    """Renames and permutes PEFT tensors: `...q_proj.lora_B.weight` (out, rank) -> `blk.N.attn_q.weight.lora_b`, float32."""
    named: dict[str, np.ndarray] = {}
    for name, values in tensors.items():
        module, separator, kind = name.removeprefix("base_model.model.").rpartition(".lora_")
        if not separator or kind not in ("A.weight", "B.weight"):
            raise Refusal("UNSUPPORTED_TENSOR", "An adapter tensor is neither lora_A nor lora_B.", got=name)
        target = layout.tensor_name(f"{module}.weight")
        if kind == "A.weight":
            named[f"{target}.lora_a"] = np.ascontiguousarray(values, dtype=np.float32)
        else:
            rows = layout.permuted(target, values)
            named[f"{target}.lora_b"] = np.ascontiguousarray(rows, dtype=np.float32)
    return named


def write_adapter(target: Path, layout: Layout, alpha: float, tensors: dict[str, np.ndarray]) -> None:
    """Writes an adapter GGUF; llama.cpp itself divides the raw alpha by the rank."""
    writer = gguf.GGUFWriter(target, arch=layout.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for name, values in sorted(tensors.items()):
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
