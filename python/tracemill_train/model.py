"""Loads a base's Hugging Face folder, and says with which number type and how many threads this machine computes best."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from .refusal import Refusal


def load_model(folder: Path, dtype: torch.dtype, attention: str = "sdpa") -> PreTrainedModel:
    """Loads the causal model of a folder. Raises: `Refusal` NO_BASE where there is none."""
    for name in ("config.json", "model.safetensors"):
        if not any(folder.glob(f"{name.split('.')[0]}*.{name.split('.')[1]}*")):
            raise Refusal("NO_BASE", f"The base has no {name}.", where=str(folder), fix="tracemill base add NAME")
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation=attention)


def training_dtype() -> torch.dtype:
    """bfloat16 where the processor multiplies it natively (then it is 2-3 times as fast), else float32."""
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
