"""Verb `sft`: trains a LoRA on the rows of a dataset folder, and writes it for PEFT and for llama.cpp with its probes.

Goes on from the last complete checkpoint of its checkpoint folder; the same request gives the same losses, killed or not.
"""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import torch
from datasets import Dataset
from transformers import AutoTokenizer, set_seed
from trl import SFTConfig

from . import attention
from .checkpoints import latest_checkpoint
from .events import Emit
from .gguf_adapter import convert_adapter
from .llama_cpp import layout_of
from .lora import add_lora, use_fast_forward
from .model import load_model, training_dtype, use_threads
from .order import training_order
from .probes import choose_probes, write_probes
from .refusal import Refusal
from .rows import Row, collate, load_rows
from .trainer import AnswerTrainer, Plan, Reporter

VERSIONS = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers", "safetensors", "gguf")


@dataclass(frozen=True)
class Config:
    """Units: learning rate at its peak (linear to 0 after the warm-up), batch size in rows, warm-up in steps."""

    rank: int
    alpha: float
    dropout: float
    learning_rate: float
    epochs: float
    batch_size: int
    warmup_steps: int
    max_tokens: int
    seed: int


@dataclass(frozen=True)
class Request:
    """Folders of the dataset, the base (Hugging Face form), the adapter to write and the checkpoints.

    Units: `threads` null: as OMP_NUM_THREADS says, else one a physical core; a checkpoint is due each `checkpoint_seconds`.
    """

    dataset: Path
    base: Path
    out: Path
    checkpoint_folder: Path
    config: Config
    threads: int | None = None
    checkpoint_seconds: float = 30.0


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Trains and writes the adapter; the result holds the curve, counts, versions, durations and peak memory.

    Raises: `Refusal` NO_BASE, NO_TRAIN_ROWS, UNSUPPORTED_ARCHITECTURE, TRAINING_DIVERGED and those of `load_rows`;
    KeyboardInterrupt after a checkpoint where SIGINT or SIGTERM came.
    """
    started = time.monotonic()
    config = request.config
    use_threads(request.threads)
    dtype = training_dtype()
    emit("progress", stage="loading the base")
    model = load_model(request.base, dtype, attention.NAME)
    layout_of(model.config)  # refuses now what could not be written for llama.cpp after the training
    train = load_rows(request.dataset / "tokens/train.parquet", config.max_tokens, model.config.vocab_size)
    validation = load_rows(request.dataset / "tokens/validation.parquet", config.max_tokens, model.config.vocab_size)
    if not train:
        raise Refusal("NO_TRAIN_ROWS", "The dataset has no train rows.", where=str(request.dataset))
    set_seed(config.seed)
    adapted = add_lora(model, config.rank, config.alpha, config.dropout)
    use_fast_forward(adapted)
    order = training_order([len(row.ids) for row in train], config.batch_size, config.epochs, config.seed)
    sequence = [train[index] for index in order]
    plan = Plan(sequence, validation, len(train), config.batch_size, request.checkpoint_seconds)
    reporter = Reporter(emit, plan)
    trainer = AnswerTrainer(
        saw_loss=reporter.saw_loss,
        model=adapted,
        args=training_arguments(config, request.checkpoint_folder),
        train_dataset=as_dataset(sequence),
        data_collator=collate,
        processing_class=AutoTokenizer.from_pretrained(request.base),
        callbacks=[reporter],
    )
    checkpoint = latest_checkpoint(request.checkpoint_folder)
    with reporter.catching_signals():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if reporter.is_interrupted:
        raise KeyboardInterrupt
    curve = reporter.curve(trainer.state)
    trained_ms = round((time.monotonic() - started) * 1000)
    emit("progress", stage="writing the adapter")
    adapted.save_pretrained(request.out)
    (request.out / "README.md").unlink(missing_ok=True)  # PEFT's card template; the manifest is the card
    convert_adapter(request.out, request.base, request.out / "adapter.gguf")
    emit("progress", stage="writing the probes")
    write_probes(request.base, request.out, choose_probes(validation, train, config.seed))
    return {
        "curve": curve,
        "trainedTokens": sum(row.trained_tokens for row in sequence),
        "tokens": sum(len(row.ids) for row in sequence),
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


def as_dataset(rows: list[Row]) -> Dataset:
    """Returns rows in the form that SFTTrainer takes: input_ids and labels."""
    return Dataset.from_dict({"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows]})


def training_arguments(config: Config, folder: Path) -> SFTConfig:
    """Returns the trainer's settings; `folder` is where its checkpoints go."""
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=config.batch_size,
        num_train_epochs=1,  # the rows are laid out for all epochs already
        learning_rate=config.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=config.warmup_steps,
        max_grad_norm=1.0,
        seed=config.seed,
        dataset_kwargs={"skip_prepare_dataset": True},
        bf16=False,  # the base is loaded in the right type; automatic casts would only cost time
        gradient_checkpointing=False,
        use_cpu=True,
        logging_strategy="no",
        save_strategy="no",  # the reporter says when
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
    )
