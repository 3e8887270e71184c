"""Which device holds which part of a model that is spread over several GPUs: whole blocks, in their order.

The embedding, the head that may be tied to it and the final norm lie on the first device, so that neither is copied and
ids, hidden states and labels meet on one device at both ends. The choice is arithmetic on byte counts and knows no GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

import torch
from transformers import PretrainedConfig, PreTrainedModel

from .model import empty_model, text_model
from .refusal import Refusal

NF4_BYTES = (4 + 0.127) / 8
"""Bytes a weight in NF4 with double quantisation: 4 bits and its share of the blocks' scales (arXiv:2305.14314, section 3)."""
STATE_BYTES = 16
"""Bytes a weight of a LoRA in float32: itself, its gradient and two moments."""
RESERVED_BYTES = 2 * 2**30
"""Kept free on each GPU for the CUDA context, the allocator and one block's activations."""

DeviceMap = dict[str, int | str]
ON_CPU: DeviceMap = {"": "cpu"}


@dataclass(frozen=True)
class Sizes:
    """Bytes of a model in training: what lies at its ends (embedding, head, norm), and each block with its LoRA."""

    ends: int
    blocks: list[int]


def place_blocks(sizes: Sizes, free: Sequence[int]) -> list[int]:
    """Returns the index of each block's device, ascending, so that the fullest device is as empty as can be.

    Shapes: one entry a block. Units: `free` in bytes, one entry a device; the first device holds the ends too.
    Raises: `Refusal` DOES_NOT_FIT.
    """
    before = [0]
    for size in sizes.blocks:
        before.append(before[-1] + size)

    def share(device: int, start: int, end: int) -> float:
        used = before[end] - before[start] + (sizes.ends if device == 0 else 0)
        return used / free[device] if free[device] > 0 else (0.0 if used == 0 else float("inf"))

    count = len(sizes.blocks)
    # best[end]: the least possible share of the fullest device, and where the last device's blocks start.
    best = [share(0, 0, end) for end in range(count + 1)]
    starts: list[list[int]] = []
    for device in range(1, len(free)):
        choices = [
            min((max(best[start], share(device, start, end)), start) for start in range(end + 1))
            for end in range(count + 1)
        ]
        best = [worst for worst, _ in choices]
        starts.append([start for _, start in choices])
    if best[count] > 1:
        raise does_not_fit(sizes.ends + before[-1], free)
    placed = [0] * count
    end = count
    for device in range(len(free) - 1, 0, -1):
        start = starts[device - 1][end]
        placed[start:end] = [device] * (end - start)
        end = start
    return placed


def does_not_fit(needed: int, free: Sequence[int], what: str = "GPU") -> Refusal:
    """Builds the refusal of a model that is larger than the memory there is."""
    gib = [f"{size / 2**30:.1f}" for size in free]
    return Refusal(
        "DOES_NOT_FIT",
        "The model does not fit into memory.",
        expected=f"{needed / 2**30:.1f} GiB in whole blocks",
        got=f"{' + '.join(gib)} GiB free on {len(free)} {what}{'s' if len(free) > 1 else ''}",
        fix="train with --quantize nf4, on more GPUs, or after ending what holds their memory",
    )


def device_map(model: PreTrainedModel, devices: Sequence[int]) -> DeviceMap:
    """Names every part of a causal model with its device; `devices` has one entry a block."""
    text = text_model(model)
    stack = next(name for name, module in model.named_modules() if module is text)
    placed: DeviceMap = {f"{stack}.layers.{index}": device for index, device in enumerate(devices)}
    for name, _ in text.named_children():
        if name != "layers":
            placed[f"{stack}.{name}"] = 0
    for name, _ in model.named_children():
        if not stack.startswith(name):
            placed[name] = 0
    inner, _, _ = stack.rpartition(".")
    if inner:
        siblings = [name for name, module in model.get_submodule(inner).named_children() if module is not text]
        placed.update({f"{inner}.{name}": 0 for name in siblings})
    return placed


def sizes_of(config: PretrainedConfig, dtype: torch.dtype, *, quantization: str, rank: int) -> Sizes:
    """Counts the bytes of a model from its config alone. A LoRA of `rank` (0: none) lies on each projection of a block."""
    model = empty_model(config)
    text = text_model(model)
    blocks = [_block_bytes(block, dtype, quantization=quantization, rank=rank) for block in text.layers]
    in_blocks = {id(weight) for weight in text.layers.parameters()}
    ends = sum(weight.numel() * dtype.itemsize for weight in model.parameters() if id(weight) not in in_blocks)
    return Sizes(ends, blocks)


def _block_bytes(block: torch.nn.Module, dtype: torch.dtype, *, quantization: str, rank: int) -> int:
    total = 0.0
    linear = [module for module in block.modules() if isinstance(module, torch.nn.Linear)]
    matrices = {id(module.weight) for module in linear}
    for weight in block.parameters():
        is_packed = quantization == "nf4" and id(weight) in matrices
        total += weight.numel() * (NF4_BYTES if is_packed else dtype.itemsize)
    total += sum(rank * (module.in_features + module.out_features) * STATE_BYTES for module in linear)
    return round(total)


def check_placed(model: torch.nn.Module, placed: Mapping[str, int | str]) -> None:
    """Checks that every weight lies where the map says: a loader that ignores the map fails here, not out of memory.

    Raises: `Refusal` MISPLACED_WEIGHT naming the weight.
    """
    for name, weight in model.named_parameters():
        holders = [part for part in placed if part == "" or name == part or name.startswith(f"{part}.")]
        if not holders:
            raise misplaced(name, "a place for it", "none")
        expected = placed[max(holders, key=len)]
        device = torch.device("cuda", expected) if isinstance(expected, int) else torch.device(expected)
        if weight.device != device:
            raise misplaced(name, str(device), str(weight.device))


def misplaced(name: str, expected: str, got: str) -> Refusal:
    """Builds the refusal of a model that does not lie where it was planned."""
    return Refusal(
        "MISPLACED_WEIGHT",
        "The base was not loaded where its blocks were placed.",
        expected=expected,
        got=got,
        where=name,
        fix="train on one GPU (CUDA_VISIBLE_DEVICES=0), or with the pinned versions of python/requirements.txt",
    )
