"""Verb `train`: trains an adapter on the rows of a dataset folder by a method, and writes it with its probes.

Goes on from the last complete checkpoint of its checkpoint folder; the same request gives the same losses, killed or not.
"""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

import psutil
import torch
from transformers import AutoTokenizer, set_seed

from . import attention
from .adapter_files import write_adapter_files
from .checkpoints import latest_checkpoint
from .events import Emit
from .llama_cpp import layout_of
from .lora import ALL_PROJECTIONS, add_lora, use_fast_forward
from .method import Kit, load_method
from .model import load_model, training_dtype, use_threads
from .order import training_order
from .probes import choose_probes, write_probes
from .refusal import Refusal
from .reporter import Plan, Reporter
from .settings import Settings

VERSIONS = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers", "safetensors", "gguf")


@dataclass(frozen=True)
class Request:
    """A method's name; folders of the dataset, the base (Hugging Face form), the adapter to write and the checkpoints.

    `lora_targets` is a regular expression that the whole name of a module matches which gets a LoRA.

    Units: `threads` null: as OMP_NUM_THREADS says, else one a physical core; a checkpoint is due each `checkpoint_seconds`.
    """

    method: str
    dataset: Path
    base: Path
    out: Path
    checkpoint_folder: Path
    config: Settings
    lora_targets: str = ALL_PROJECTIONS
    threads: int | None = None
    checkpoint_seconds: float = 30.0


@dataclass(frozen=True)
class Loader:
    """How a base comes into memory, and how its LoRA is put on it."""

    load: Callable[[Request], Any]
    adapt: Callable[[Any, Request], Any]


def plainly(request: Request) -> Any:
    """Loads a base by transformers. Raises: as `load_model`."""
    return load_model(request.base, training_dtype(), attention.NAME)


def with_lora(model: Any, request: Request) -> Any:
    """Puts a LoRA on a base by PEFT."""
    config = request.config
    adapted = add_lora(model, config.rank, config.alpha, config.dropout, request.lora_targets)
    use_fast_forward(adapted)
    return adapted


def run(request: Request, emit: Emit, loader: Loader = Loader(plainly, with_lora)) -> dict[str, object]:
    """Trains and writes the adapter; the result holds the curve, counts, versions, durations and peak memory.

    Raises: `Refusal` NO_BASE, NO_TRAIN_ROWS, UNSUPPORTED_ARCHITECTURE, TRAINING_DIVERGED and those of `load_rows`;
    KeyboardInterrupt after a checkpoint where SIGINT or SIGTERM came.
    """
    started = time.monotonic()
    config, method = request.config, load_method(request.method)
    use_threads(request.threads)
    dtype = training_dtype()
    emit("progress", stage="loading the base")
    model = loader.load(request)
    layout_of(model.config)  # refuses now what could not be written for llama.cpp after the training
    train, validation = (
        method.read_rows(request.dataset, part, config, model.config.vocab_size) for part in ("train", "validation")
    )
    if not train:
        raise Refusal("NO_TRAIN_ROWS", "The dataset has no train rows.", where=str(request.dataset))
    set_seed(config.seed)
    adapted = loader.adapt(model, request)
    order = training_order([row.tokens for row in train], config.batch_size, config.epochs, config.seed)
    sequence = [train[index] for index in order]
    plan = Plan(method, config, sequence, validation, len(train), request.checkpoint_seconds)
    reporter = Reporter(emit, plan)
    trainer = method.make_trainer(
        Kit(
            model=adapted,
            tokenizer=AutoTokenizer.from_pretrained(request.base),
            sequence=sequence,
            settings=config,
            arguments=training_arguments(config, request.checkpoint_folder),
            callbacks=[reporter],
            saw=reporter.saw,
        )
    )
    checkpoint = latest_checkpoint(request.checkpoint_folder)
    with reporter.catching_signals():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if reporter.is_interrupted:
        raise KeyboardInterrupt
    curve = reporter.curve(trainer.state)
    trained_ms = round((time.monotonic() - started) * 1000)
    write_adapter_files(adapted, request.base, request.out, emit)
    emit("progress", stage="writing the probes")
    write_probes(request.base, request.out, choose_probes(validation, train, config.seed))
    return {
        "curve": curve,
        "trainedTokens": sum(row.trained_tokens for row in sequence),
        "tokens": sum(row.tokens for row in sequence),
        "steps": trainer.state.global_step,
        "resumedFromStep": int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else None,
        "tokensPerSecond": reporter.tokens_per_second(),
        "trainingMs": trained_ms,
        "durationMs": round((time.monotonic() - started) * 1000),
        "peakMemoryBytes": peak_memory_bytes(),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in VERSIONS},
            "dtype": str(dtype).removeprefix("torch."),
        },
    }


def peak_memory_bytes() -> int:
    """The most memory this process has held so far (on Windows: what it holds now)."""
    try:
        import resource
    except ImportError:
        return psutil.Process().memory_info().rss
    units = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * units


def training_arguments(config: Settings, folder: Path) -> dict[str, Any]:
    """Returns what every trainer of TRL is set up with; `folder` is where its checkpoints go."""
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": config.batch_size,
        "num_train_epochs": 1,  # the rows are laid out for all epochs already
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": config.warmup_steps,
        "max_grad_norm": config.max_grad_norm,
        "adam_beta2": config.adam_beta2,
        "seed": config.seed,
        "bf16": False,  # the base is loaded in the right type; automatic casts would only cost time
        "gradient_checkpointing": False,
        "use_cpu": True,
        "logging_strategy": "no",
        "save_strategy": "no",  # the reporter says when
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
    }
