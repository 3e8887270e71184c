"""Several GPUs that each hold a part of every block (FSDP 2), opt-in: faster than blocks in a row, and more fragile.

One process a GPU, started by torchrun from the process that was asked to train, which it replaces. Parameters are not
cast by FSDP: packed 4-bit weights would be cast as if they were numbers.
Source: PEFT's guide to QLoRA with FSDP; SkyRL issue 1968 (the cast); bitsandbytes' FSDP guide (storage type).
"""

from __future__ import annotations

import os
import sys
from typing import Any, Sequence

import torch

from .events import give_back_stdout
from .refusal import Refusal


def is_worker() -> bool:
    """Whether this process is one of those that torchrun started."""
    return "LOCAL_RANK" in os.environ


def is_first() -> bool:
    """Whether this process speaks and writes for all; true where there is only one."""
    return os.environ.get("RANK", "0") == "0"


def check_launch(launch: str, gpus: int, *, batch_size: int, block_class: str | None) -> None:
    """Checks that a training can be started so. Raises: `Refusal` BAD_LAUNCH, NO_GPUS, BAD_SETTINGS."""
    if launch == "single":
        return
    if launch != "fsdp" or block_class is None:
        raise Refusal("BAD_LAUNCH", "No such way to start a training.", expected="single, or fsdp with a block class", got=launch)
    if gpus < 2:
        raise Refusal(
            "NO_GPUS",
            "FSDP spreads a model over several GPUs.",
            expected="at least 2 GPUs",
            got=f"{gpus}",
            fix="train without --launch fsdp",
        )
    if batch_size % gpus != 0:
        raise Refusal(
            "BAD_SETTINGS",
            "Each GPU takes its share of a batch.",
            expected=f"a batch size that {gpus} GPUs divide",
            got=f"{batch_size}",
            fix=f"--batch-size {-(-batch_size // gpus) * gpus}",
        )


def fsdp_arguments(block_class: str, *, batch_size: int, gpus: int) -> dict[str, Any]:
    """Returns what a trainer's arguments have besides, or instead, where each GPU holds a shard of each block."""
    return {
        "per_device_train_batch_size": batch_size // gpus,
        "bf16": False,  # mixed precision off: FSDP would cast packed weights
        "fsdp": True,
        "fsdp_config": {
            "version": 2,
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "transformer_layer_cls_to_wrap": [block_class],
            "reshard_after_forward": True,
            "cpu_ram_efficient_loading": True,
            "state_dict_type": "FULL_STATE_DICT",
        },
    }


def launch_command(arguments: Sequence[str], gpus: int) -> list[str]:
    """Returns the command that starts this very request as one process a GPU; `arguments` are this process's own."""
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}"]
    return [*run, "-m", "tracemill_train", *arguments]


def become_launcher(gpus: int) -> None:
    """Replaces this process by torchrun with this process's request. Does not return."""
    command = launch_command(sys.argv[1:], gpus)
    give_back_stdout()
    os.execve(command[0], command, {**os.environ, "ACCELERATE_MIXED_PRECISION": "no"})


def gpu_count() -> int:
    """Returns the number of GPUs that this process sees."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0
