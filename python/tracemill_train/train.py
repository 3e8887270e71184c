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

import torch
from peft import PeftModel
from transformers import AutoTokenizer, PreTrainedModel, set_seed

from .adapter_files import write_files
from .best_weights import take_best
from .checkpoints import latest_checkpoint, stopped_at
from .events import Emit
from .fsdp import become_launcher, check_launch, fsdp_arguments, gpu_count, is_first, is_worker
from .loading import check_packages, load_for_training
from .kl import Distance
from .lora import ALL_PROJECTIONS, add_lora, keep_in_float32, use_fast_forward
from .memory import peak_bytes
from .method import Kit, load_method
from .model import text_config, text_model, training_dtype, use_threads
from .order import training_order
from .parent_adapter import load_parent
from .probes import choose_probes, write_probes
from .refusal import Refusal
from .rehearsal import with_rehearsal
from .reporter import Plan, Reporter
from .rows import rows_in
from .settings import Settings

OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit"}
"""The 8-bit one is not the paged one, whose state no checkpoint holds."""
VERSIONS = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers", "safetensors", "gguf")


@dataclass(frozen=True)
class Request:
    """A method's name; folders of the dataset, the base (Hugging Face form), the adapter to write and the checkpoints.

    `lora_targets` is a regular expression that the whole name of a module matches which gets a LoRA; `block_class` names
    the class of one block, for `launch` "fsdp". `parent` is the folder of an adapter whose weights are gone on from;
    null: from nothing. `rehearsal` is a Parquet file of general rows (row_id, ids, mask), of which so many are mixed in
    that they are `rehearsalFraction` of all rows.

    Units: `threads` null: as OMP_NUM_THREADS says, else one a physical core; a checkpoint is due each `checkpoint_seconds`.
    """

    method: str
    dataset: Path
    base: Path
    out: Path
    checkpoint_folder: Path
    config: Settings
    lora_targets: str = ALL_PROJECTIONS
    block_class: str | None = None
    launch: str = "single"
    threads: int | None = None
    checkpoint_seconds: float = 30.0
    parent: Path | None = None
    rehearsal: Path | None = None


@dataclass(frozen=True)
class Loader:
    """How a base comes into memory, and how its LoRA is put on it."""

    load: Callable[[Request], Any]
    adapt: Callable[[Any, Request], Any]


def load(request: Request) -> PreTrainedModel:
    """Loads a base by transformers. Raises: as `load_for_training`."""
    return load_for_training(request.base, request.config, request.launch)


def prepare(model: PreTrainedModel, request: Request) -> PeftModel | PreTrainedModel:
    """Freezes a base and puts a LoRA on it, new or a parent's, or makes all weights of its text stack and head trainable."""
    config = request.config
    if config.trains == "lora":
        adapted = add_lora(model, config.rank, config.alpha, config.dropout, request.lora_targets)
        if request.parent is not None:
            load_parent(adapted, request.parent)
        use_fast_forward(adapted)
        return adapted
    model.requires_grad_(False)
    for part in (text_model(model), model.get_output_embeddings()):
        part.requires_grad_(True)
    return model


def run(request: Request, emit: Emit, loader: Loader = Loader(load, prepare)) -> dict[str, object]:
    """Trains and writes the adapter; the result holds the curve, counts, versions, durations and peak memory.

    Raises: `Refusal` NO_BASE, NO_TRAIN_ROWS, UNSUPPORTED_ARCHITECTURE, TRAINING_DIVERGED and those of `load_rows`;
    KeyboardInterrupt after a checkpoint where SIGINT or SIGTERM came.
    """
    started = time.monotonic()
    config, method = request.config, load_method(request.method)
    check_packages(config)
    gpus = gpu_count()
    check_launch(request.launch, gpus, batch_size=config.batch_size, block_class=request.block_class)
    if request.launch == "fsdp" and not is_worker():
        become_launcher(gpus)
    use_threads(request.threads)
    emit("progress", stage="loading the base")
    model = loader.load(request)
    vocabulary = text_config(model.config).vocab_size
    train, validation = (method.read_rows(request.dataset, part, config, vocabulary) for part in ("train", "validation"))
    if not train:
        raise Refusal("NO_TRAIN_ROWS", "The dataset has no train rows.", where=str(request.dataset))
    dropped = rows_in(request.dataset / "tokens/train.parquet") - len(train)
    if request.rehearsal is not None:
        train = with_rehearsal(train, request.rehearsal, config, vocabulary)
    set_seed(config.seed)
    adapted = loader.adapt(model, request)
    order = training_order([row.tokens for row in train], config.batch_size, config.epochs, config.seed)
    emit("progress", stage="preparing the rows")
    sequence = method.prepare(adapted, [train[index] for index in order], config)
    validation = method.prepare(adapted, validation, config)
    distance = None
    if config.trains == "lora" and request.launch != "fsdp":
        emit("progress", stage="letting the base write the texts that the distance from it is measured on")
        distance = Distance(adapted, validation or train, config.seed)
    plan = Plan(method, config, sequence, validation, len(train), request.checkpoint_seconds, distance)
    reporter = Reporter(emit, plan)
    checkpoint = latest_checkpoint(request.checkpoint_folder)
    ended = stopped_at(checkpoint)  # killed after its end and before its files, it has no rows left to train on
    left = sequence if ended is None else sequence[: ended * config.batch_size]
    trainer = method.make_trainer(
        Kit(
            model=adapted,
            tokenizer=AutoTokenizer.from_pretrained(request.base),
            sequence=left,
            settings=config,
            arguments=arguments_of(request, gpus),
            callbacks=[reporter],
            saw=reporter.saw,
        )
    )
    if config.quantization != "none" and request.launch != "fsdp":  # FSDP wants one type for all
        keep_in_float32(adapted)
    reporter.listen(trainer)
    with reporter.catching_signals():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if reporter.is_interrupted:
        raise KeyboardInterrupt
    curve = reporter.curve(trainer.state)
    best = reporter.best
    if best is not None and best.step < trainer.state.global_step:
        take_best(adapted, request.checkpoint_folder, best.step)
    done = sequence[: trainer.state.global_step * config.batch_size]
    trained_ms = round((time.monotonic() - started) * 1000)
    gguf_refused = write_files(adapted, request.base, request.out, emit, save=trainer.save_model if is_worker() else None)
    if is_first():
        emit("progress", stage="writing the probes")
        whole = None if is_worker() else adapted
        write_probes(request.base, request.out, choose_probes(validation, train, config.seed), whole)
    return {
        "curve": curve,
        **({} if gguf_refused is None else {"ggufRefused": gguf_refused}),
        "trainedTokens": sum(row.trained_tokens for row in done),
        "tokens": sum(row.tokens for row in done),
        "steps": trainer.state.global_step,
        "stoppedBy": reporter.stopped_by,
        "bestStep": None if best is None else best.step,
        "droppedRows": dropped,
        "resumedFromStep": int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else None,
        "tokensPerSecond": reporter.tokens_per_second(),
        "trainingMs": trained_ms,
        "durationMs": round((time.monotonic() - started) * 1000),
        "peakMemoryBytes": peak_bytes(),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in VERSIONS},
            "dtype": str(model.dtype).removeprefix("torch."),
        },
    }


def arguments_of(request: Request, gpus: int) -> dict[str, Any]:
    """Returns a trainer's arguments for a request, however it is launched."""
    config = request.config
    arguments = training_arguments(config, request.checkpoint_folder)
    if request.launch != "fsdp" or request.block_class is None:
        return arguments
    return {**arguments, **fsdp_arguments(request.block_class, batch_size=config.batch_size, gpus=gpus)}


def training_arguments(config: Settings, folder: Path) -> dict[str, Any]:
    """Returns what every trainer of TRL is set up with; `folder` is where its checkpoints go."""
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": config.micro_batch_size or config.batch_size,
        "gradient_accumulation_steps": config.batch_size // (config.micro_batch_size or config.batch_size),
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
