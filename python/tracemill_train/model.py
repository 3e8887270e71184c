"""Loads a base's Hugging Face folder, finds the text stack in it, and says with which number type and how many threads
this machine computes best. What a text-only training does not use, towers for images and sound, is left out.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import psutil
import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from .quantization import keep_gradients, nf4_config
from .refusal import Refusal

TOWERS = ("vision_tower", "audio_tower", "embed_vision", "embed_audio", "multi_modal_projector")
"""Modules beside the text stack that only images and sound go through."""


def load_model(
    folder: Path,
    dtype: torch.dtype,
    attention: str = "sdpa",
    *,
    quantization: str = "none",
    device_map: dict[str, int | str] | None = None,
    with_towers: bool = False,
) -> PreTrainedModel:
    """Loads the causal model of a folder, its matrices in 4 bits where `quantization` is "nf4".

    Raises: `Refusal` NO_BASE where there is none, NO_PACKAGES where what quantises is not installed.
    """
    config = load_config(folder)
    if not with_towers:
        config = without_towers(config)
    has_parts = text_config(config) is not config  # towers keep their own attention: not all of them can have ours
    options: dict[str, Any] = {"attn_implementation": {"text_config": attention} if has_parts else attention}
    if device_map is not None:
        options["device_map"] = {**device_map, **_rest_of_tower(config, device_map)}
    if quantization == "nf4":
        options |= {"quantization_config": nf4_config(dtype), "device_map": device_map or {"": "cpu"}}
    model = AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=dtype, **options)
    if not with_towers:
        remove_towers(model)
    if quantization == "nf4":
        keep_gradients(model)
    return model


def _rest_of_tower(config: PretrainedConfig, device_map: dict[str, int | str]) -> dict[str, int | str]:
    """Places what is left of a tower while a model is loaded, beside the embedding; it is taken out right after."""
    if config.model_type != "gemma3" or "" in device_map:
        return {}
    first = device_map["model.language_model.embed_tokens"]
    return {"model.vision_tower": first, "model.multi_modal_projector": first}


def load_config(folder: Path) -> PretrainedConfig:
    """Reads the config of a base's folder. Raises: `Refusal` NO_BASE where config or weights are not there."""
    for name in ("config.json", "model.safetensors"):
        if not any(folder.glob(f"{name.split('.')[0]}*.{name.split('.')[1]}*")):
            raise Refusal("NO_BASE", f"The base has no {name}.", where=str(folder), fix="tracemill base add NAME")
    return AutoConfig.from_pretrained(folder)


def empty_model(config: PretrainedConfig) -> PreTrainedModel:
    """Builds the causal model of a config without memory for its weights, and without towers."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(without_towers(config))
    remove_towers(model)
    model.tie_weights()
    return model


def without_towers(config: PretrainedConfig) -> PretrainedConfig:
    """Takes the towers out of a config, so that their weights are never read."""
    if getattr(config, "vision_config", None) is None and getattr(config, "audio_config", None) is None:
        return config
    config = type(config).from_dict(config.to_dict())
    if config.model_type == "gemma3":
        config.vision_config.num_hidden_layers = 0  # the class cannot be built without one; what is left is a few MB
    else:
        config.vision_config = None
    if hasattr(config, "audio_config"):
        config.audio_config = None
    return config


def remove_towers(model: PreTrainedModel) -> None:
    """Takes out of a loaded model what only images and sound go through."""
    for name, _ in list(model.base_model.named_children()):
        if name in TOWERS:
            setattr(model.base_model, name, None)


def text_config(config: PretrainedConfig) -> PretrainedConfig:
    """Returns the config of the text stack: the config itself, or a part of it where the model has towers."""
    return config.get_text_config()


def causal_model(model: PeftModel | PreTrainedModel) -> PreTrainedModel:
    """Returns the causal model itself: the one inside a PEFT wrapper, where there is one."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def text_model(model: PreTrainedModel) -> torch.nn.Module:
    """Returns the text stack of a causal model: ids in, hidden states out. A multimodal class has it one step deeper."""
    return getattr(model.base_model, "language_model", model.base_model)


def training_dtype() -> torch.dtype:
    """bfloat16 where the processor multiplies it natively (then it is 2-3 times as fast), else float32."""
    if torch.cuda.is_available():
        return torch.bfloat16
    if platform.machine() in ("x86_64", "AMD64") and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    ):
        return torch.bfloat16
    return torch.float32


def use_threads(threads: int | None) -> None:
    """Sets the number of threads: as given, else as OMP_NUM_THREADS says, else one a physical core that is ours.

    A second thread on a core only slows matrix products.
    """
    if threads is None and "OMP_NUM_THREADS" in os.environ:
        return
    torch.set_num_threads(threads or usable_cores())


def usable_cores() -> int:
    """Number of physical cores that this process may run on."""
    physical = psutil.cpu_count(logical=False) or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else physical
    return max(1, min(physical, allowed))
