"""How llama.cpp names and lays out weights, for the architectures that this trainer can write.

Source: llama.cpp `conversion/llama.py` (`LlamaModel`, which Mistral is written by too: both permute queries and keys),
`conversion/qwen.py`, `conversion/gemma.py` (neither permutes), and the `gguf` package's tensor name map.
"""

from __future__ import annotations

from dataclasses import dataclass

import gguf
import numpy as np
from transformers import PretrainedConfig

from .refusal import Refusal

ARCHITECTURES: dict[str, str] = {
    "llama": "llama",
    "mistral": "llama",
    "qwen3": "qwen3",
    "gemma3_text": "gemma3",
    "gemma4_text": "gemma4",
}
"""transformers' `model_type` of the text stack -> GGUF `general.architecture`."""
PERMUTED = "llama"
"""The architecture whose query and key rows llama.cpp has in another order."""


@dataclass(frozen=True)
class Layout:
    """The layout of one model: its GGUF architecture, block count and, where rows are permuted, the head counts (query, key/value)."""

    architecture: str
    blocks: int
    heads: int = 0
    kv_heads: int = 0

    def tensor_name(self, hf_name: str) -> str:
        """Returns the GGUF name of a transformers weight: `model.layers.0.self_attn.q_proj.weight` -> `blk.0.attn_q.weight`.

        Raises: `Refusal` UNSUPPORTED_TENSOR where llama.cpp has no such tensor.
        """
        arch = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == self.architecture)
        in_stack = hf_name.replace(".language_model.", ".")  # how llama.cpp names the text stack of a multimodal model
        name = gguf.get_tensor_name_map(arch, self.blocks).get_name(in_stack, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise Refusal("UNSUPPORTED_TENSOR", "llama.cpp has no tensor of this name.", got=hf_name)
        return name

    def permuted(self, gguf_name: str, rows: np.ndarray) -> np.ndarray:
        """Orders the rows of a query or key weight (or of its lora_b) as llama.cpp's rotary embedding expects.

        Shapes: `rows` is (heads * head size, columns); so is the result. Other tensors and architectures are unchanged.
        """
        if self.architecture != PERMUTED or not (".attn_q." in gguf_name or ".attn_k." in gguf_name):
            return rows
        heads = self.heads if ".attn_q." in gguf_name else self.kv_heads
        halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
        return halves.swapaxes(1, 2).reshape(rows.shape)


def layout_of(config: PretrainedConfig) -> Layout:
    """Returns the layout of a model's text stack by its transformers config. Raises: `Refusal` UNSUPPORTED_ARCHITECTURE."""
    config = config.get_text_config()
    architecture = ARCHITECTURES.get(config.model_type)
    if architecture is None:
        raise Refusal(
            "UNSUPPORTED_ARCHITECTURE",
            "Adapters of this architecture cannot be written for llama.cpp yet.",
            expected=f"one of: {', '.join(ARCHITECTURES)}",
            got=config.model_type,
        )
    if architecture != PERMUTED:  # Gemma 4's blocks differ in their heads, and no row of theirs changes its place
        return Layout(architecture, config.num_hidden_layers)
    return Layout(architecture, config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads)
