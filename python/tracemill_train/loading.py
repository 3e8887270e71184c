"""Brings a base into memory for a training: what would fail later is refused first, then its blocks get their devices,
then the weights are read and their places checked.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Sequence

import psutil
import torch
from transformers import PreTrainedModel

from . import attention
from .launch import gpu_count
from .model import empty_model, load_config, load_model, training_dtype
from .placement import ON_CPU, RESERVED_BYTES, DeviceMap, check_placed, device_map, does_not_fit, place_blocks, sizes_of
from .quantization import require_bitsandbytes
from .refusal import Refusal
from .settings import Settings


def check_packages(settings: Settings) -> None:
    """Checks that what the settings need is installed; that they go together is the caller's to check.

    Raises: `Refusal` NO_PACKAGES.
    """
    if settings.quantization == "nf4":
        require_bitsandbytes("--quantize nf4")
    if settings.optimizer == "adamw-8bit":
        require_bitsandbytes("--optimizer adamw-8bit")


def load_for_training(
    base: Path, settings: Settings, launch: str = "single", *, block_devices: Sequence[int] | None = None
) -> PreTrainedModel:
    """Loads a base for a LoRA or, in float32 and with its towers, to have all of its weights trained.

    `block_devices` has the GPU of each block, as it was planned; null: chosen here.
    Raises: `Refusal` NO_BASE, DOES_NOT_FIT, MISPLACED_WEIGHT.
    """
    is_full = settings.trains == "full"
    dtype = number_type(settings)
    kernel = "sdpa" if torch.cuda.is_available() and not settings.packing else attention.NAME
    placed = ON_CPU if launch == "fsdp" else place(base, settings, dtype, block_devices)  # divided once its LoRA is there
    spread = None if placed == ON_CPU else placed
    model = load_model(
        base, dtype, kernel, quantization=settings.quantization, device_map=spread, with_towers=is_full
    )
    check_placed(model, placed)
    return model


def number_type(settings: Settings) -> torch.dtype:
    """Returns the type that a training holds plain weights in: float32 where they are trained, else the machine's best."""
    return torch.float32 if settings.trains == "full" else training_dtype()


def place(
    base: Path, settings: Settings, dtype: torch.dtype, block_devices: Sequence[int] | None = None
) -> DeviceMap:
    """Spreads a base over the GPUs there are, as planned where it was, or puts it into this machine's memory.

    Raises: `Refusal` DOES_NOT_FIT.
    """
    config = load_config(base)
    if block_devices is not None:
        return device_map(empty_model(config), block_devices)
    is_full = settings.trains == "full"
    sizes = sizes_of(config, dtype, quantization=settings.quantization, rank=0 if is_full else settings.rank)
    gpus = free_gpu_bytes()
    if is_full or not gpus:
        # Trained in float32, a weight has a gradient and two moments beside it.
        needed = (sizes.ends + sum(sizes.blocks)) * (4 if is_full else 1)
        free = gpus[0] if gpus else psutil.virtual_memory().available
        if needed > free:
            raise does_not_fit(needed, [free], "GPU" if gpus else "machine without a GPU")
        return {"": 0} if gpus else dict(ON_CPU)
    return device_map(empty_model(config), place_blocks(sizes, gpus))


def check_seen(planned: int, seen: int) -> None:
    """Raises: `Refusal` NO_GPUS where there are fewer GPUs than were planned for."""
    if seen >= planned:
        return
    raise Refusal(
        "NO_GPUS",
        "The training was planned for GPUs that PyTorch does not see.",
        expected=f"{planned} GPU{'s' if planned > 1 else ''}",
        got=f"{seen}",
        where=sys.executable,
        fix="install a CUDA build of torch there, or set CUDA_VISIBLE_DEVICES= to train on the processor",
    )


def free_gpu_bytes() -> Sequence[int]:
    """Returns the bytes that a training may take on each GPU; none where there is no GPU."""
    return [max(0, torch.cuda.mem_get_info(device)[0] - RESERVED_BYTES) for device in range(gpu_count())]
