"""What every trainer of TRL is set up with, from the settings of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import TrainingArguments

from .launch import process_count
from .model import training_dtype
from .settings import Settings

OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit"}
"""The 8-bit one is not the paged one, whose state no checkpoint holds."""

Arguments = TypeVar("Arguments", bound=TrainingArguments)


def training_arguments(config: Settings, folder: Path) -> dict[str, Any]:
    """Returns the arguments of a trainer; `folder` is where its checkpoints go. Processes share the rows in memory."""
    rows = config.rows_at_once
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": rows // process_count(),
        "gradient_accumulation_steps": config.batch_size // rows,
        "num_train_epochs": 1,  # the rows are laid out for all epochs already
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": config.warmup_steps,
        "max_grad_norm": config.max_grad_norm,
        "adam_beta2": config.adam_beta2,
        "seed": config.seed,
        # A LoRA's base is loaded in the right type; all weights are trained in float32, and computed in a faster one.
        "bf16": config.trains == "full" and training_dtype() is torch.bfloat16,
        "optim": OPTIMIZERS[config.optimizer],
        "gradient_checkpointing": config.gradient_checkpointing,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "use_cpu": not torch.cuda.is_available(),
        "logging_strategy": "no",
        "save_strategy": "no",  # the reporter says when
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
    }


def never_copied(arguments: Arguments) -> Arguments:
    """Returns a trainer's arguments with at most one GPU in them, whatever the machine has.

    Of more the trainer would make a copy of the model for each (DataParallel) and a batch so many times as large. Several
    GPUs are used by placing blocks on them, or by as many processes.
    """
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments
