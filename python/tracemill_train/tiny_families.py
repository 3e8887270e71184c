"""Random models of a few thousand weights, one of each family, with the traits that a large one's training trips over.

Gemma 4's: five sliding blocks to one global one, whose head size is twice as large and whose keys are its values too (no
v_proj), tied embeddings, capped logits. Those with towers for images or sound have them, of one block each.
"""

from __future__ import annotations

from typing import Any, Callable

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3Config,
    Gemma3TextConfig,
    Gemma4Config,
    Gemma4TextConfig,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen3Config,
    SiglipVisionConfig,
)

SHAPE: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "initializer_range": 0.1,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
    "tie_word_embeddings": True,
}
TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}


def config_of(family: str, vocabulary: int, width: int = SHAPE["hidden_size"]) -> PretrainedConfig:
    """Returns the config of a tiny model by its `model_type`, one of `CONFIGS`."""
    return CONFIGS[family]({**SHAPE, "hidden_size": width, "vocab_size": vocabulary})


def build_tiny(family: str, vocabulary: int, seed: int, width: int = SHAPE["hidden_size"]) -> PreTrainedModel:
    """Draws the weights of a tiny model, in bf16; the same seed gives the same weights."""
    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(config_of(family, vocabulary, width)).to(torch.bfloat16)


def _gemma4_text(shape: dict[str, Any]) -> Gemma4TextConfig:
    own = {"num_hidden_layers": 6, "head_dim": 16, "global_head_dim": 32, "num_global_key_value_heads": 1}
    traits = {"attention_k_eq_v": True, "final_logit_softcapping": 30.0, "use_bidirectional_attention": "vision"}
    per_layer = {"hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": shape["vocab_size"]}
    return Gemma4TextConfig(**{**shape, **own, **traits, **per_layer, "sliding_window": 16})


def _gemma4(shape: dict[str, Any]) -> Gemma4Config:
    vision = {**TOWER, "num_key_value_heads": 2, "head_dim": 16, "position_embedding_size": 64}
    sound = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "output_proj_dims": 32}
    text = _gemma4_text(shape).to_dict()
    audio = {**sound, "subsampling_conv_channels": [8, 4]}
    return Gemma4Config(text_config=text, vision_config=vision, audio_config=audio, **_ids(shape))


def _gemma3_text(shape: dict[str, Any]) -> Gemma3TextConfig:
    own = {"num_hidden_layers": 6, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 16}
    return Gemma3TextConfig(**{**shape, **own})


def _gemma3(shape: dict[str, Any]) -> Gemma3Config:
    vision = SiglipVisionConfig(**TOWER, image_size=28, patch_size=14).to_dict()
    text = _gemma3_text(shape).to_dict()
    return Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4, **_ids(shape))


def _ids(shape: dict[str, Any]) -> dict[str, Any]:
    return {name: shape[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id", "tie_word_embeddings")}


CONFIGS: dict[str, Callable[[dict[str, Any]], PretrainedConfig]] = {
    "gemma3": _gemma3,
    "gemma3_text": _gemma3_text,
    "gemma4": _gemma4,
    "gemma4_text": _gemma4_text,
    "llama": lambda shape: LlamaConfig(**shape),
    "mistral": lambda shape: MistralConfig(**shape, head_dim=16),
    "qwen3": lambda shape: Qwen3Config(**shape, head_dim=16),
}
