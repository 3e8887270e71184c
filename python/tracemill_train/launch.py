"""How a training's processes come to be: one alone, or one a GPU, started by torch's elastic agent in the process that was
asked to train. The first of them speaks and writes; what they have to decide alike, they decide by asking each other.
"""

from __future__ import annotations

import os
import sys
from typing import Sequence

import torch
import torch.distributed as distributed

from .events import give_back_stdout
from .refusal import Refusal
from .settings import Settings

INTERRUPTED = 130
SHUTDOWN_SECONDS = 24 * 3600
"""Far longer than a step with what follows it: how long an end may take is for whoever started this process to say."""


def is_worker() -> bool:
    """Whether this process is one of several that train together."""
    return "LOCAL_RANK" in os.environ


def is_first() -> bool:
    """Whether this process speaks and writes for all; true where there is only one."""
    return os.environ.get("RANK", "0") == "0"


def process_count() -> int:
    """Returns how many processes train together."""
    return int(os.environ["WORLD_SIZE"]) if is_worker() else 1


def gpu_count() -> int:
    """Returns the number of GPUs that this process sees."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def check_launch(launch: str, processes: int, *, method: str, settings: Settings, block_class: str | None) -> None:
    """Checks that a training can be started so. Raises: `Refusal` BAD_LAUNCH, NO_GPUS, BAD_SETTINGS."""
    if launch == "single":
        return
    if launch != "fsdp" or block_class is None:
        raise Refusal("BAD_LAUNCH", "No such way to start a training.", expected="single, or fsdp with a block class", got=launch)
    beyond = [
        *([] if method == "sft" else [f"--method {method}"]),
        *([] if settings.trains == "lora" else ["--full"]),
        *([] if settings.optimizer == "adamw" else [f"--optimizer {settings.optimizer}"]),
        *([] if settings.max_kl is None else ["--max-kl"]),
    ]
    if beyond:
        raise Refusal(
            "BAD_SETTINGS",
            "Several processes share the training of a LoRA by sft and plain AdamW, and do not measure its distance from the base.",
            expected="--launch fsdp without them",
            got=", ".join(beyond),
            fix="train without --launch fsdp",
        )
    if processes < 2:
        raise Refusal(
            "NO_GPUS",
            "FSDP spreads a model over several GPUs.",
            expected="at least 2 GPUs",
            got=f"{processes}",
            fix="train without --launch fsdp",
        )
    rows = settings.rows_at_once
    if rows % processes != 0:
        option = "--batch-size" if settings.micro_batch_size is None else "--micro-batch-size"
        raise Refusal(
            "BAD_SETTINGS",
            "Each GPU takes its share of the rows in memory.",
            expected=f"a number of rows that {processes} GPUs divide",
            got=f"{rows}",
            fix=f"{option} {-(-rows // processes) * processes}",
        )


def run_workers(processes: int, arguments: Sequence[str]) -> int:
    """Runs this very request as so many processes to their end, and returns the exit code of the first that failed, else 0.

    `arguments` are this process's own. A signal to this process reaches them all.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    give_back_stdout()
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=f"tracemill-{os.getpid()}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.5,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "tracemill_train", *arguments)
    except SignalException:
        return INTERRUPTED
    except ChildFailedError as failed:
        _, failure = failed.get_first_failure()
        return failure.exitcode if failure.exitcode > 0 else 1
    return 0


def meet() -> None:
    """Lets a worker find the others, by NCCL between GPUs, else by Gloo; each GPU belongs to one worker."""
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def part() -> None:
    """Ends what the workers have in common: from here on each goes on, or ends, by itself."""
    distributed.destroy_process_group()


def added(figures: list[float]) -> list[float]:
    """Returns each figure added up over the processes, the same on all of them. All have to ask at the same point."""
    if not is_worker():
        return figures
    device = "cuda" if torch.cuda.is_available() else "cpu"
    sums = torch.tensor(figures, dtype=torch.float64, device=device)
    distributed.all_reduce(sums)
    return sums.tolist()
