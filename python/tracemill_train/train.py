"""Verb `train`: trains an adapter on the rows of a dataset folder by a method, and writes it with its probes.

Goes on from the last complete checkpoint of its checkpoint folder; the same request gives the same losses, killed or not.
"""

from __future__ import annotations

import platform
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

from peft import PeftModel
from transformers import AutoTokenizer, PreTrainedModel, Trainer, set_seed

from .adapter_files import write_files
from .best_weights import take_best
from .checkpoints import latest_checkpoint, stopped_at
from .events import Emit
from .fsdp import shard
from .kl import Distance
from .launch import check_launch, gpu_count, is_first, is_worker, meet, part, process_count, run_workers
from .loading import check_packages, check_seen, load_for_training
from .lora import ALL_PROJECTIONS, add_lora, kept_as_it_is, use_fast_forward
from .memory import peak_bytes
from .method import Kit, Row, load_method
from .model import text_config, text_model, use_threads
from .order import training_order
from .parent_adapter import load_parent
from .probes import choose_probes, write_probes
from .refusal import Refusal
from .rehearsal import with_rehearsal
from .reporter import Plan, Reporter
from .settings import Settings
from .trainer_arguments import training_arguments

VERSIONS = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers", "safetensors", "gguf")


@dataclass(frozen=True)
class Request:
    """A method's name; folders of the dataset, the base (Hugging Face form), the adapter to write and the checkpoints.

    `lora_targets` is a regular expression that the whole name of a module matches which gets a LoRA; `block_class` names
    the class of one block, for `launch` "fsdp". `block_devices` has the GPU of each block; null: chosen here. So many as
    `planned_gpus` have to be seen, wherever the blocks go. `parent` is the folder of an adapter whose weights are gone on
    from; null: from nothing. `rehearsal` is a Parquet file of general rows (row_id, ids, mask), of which so many are mixed
    in that they are `rehearsalFraction` of all rows.

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
    block_devices: list[int] | None = None
    planned_gpus: int = 0
    threads: int | None = None
    checkpoint_seconds: float = 30.0
    parent: Path | None = None
    rehearsal: Path | None = None


@dataclass(frozen=True)
class Rows:
    """What is trained on, rehearsal included, and what is validated on."""

    train: list[Row]
    validation: list[Row]


@dataclass(frozen=True)
class Course:
    """A training that is ready to run: the model with its LoRA, the rows in their order, and who trains and reports.

    `checkpoint` is the folder of the checkpoint that it goes on from; None: from the first step.
    """

    model: PeftModel | PreTrainedModel
    rows: Rows
    plan: Plan
    trainer: Trainer
    reporter: Reporter
    checkpoint: Path | None


@dataclass(frozen=True)
class Loader:
    """How a base comes into memory, and how its LoRA is put on it."""

    load: Callable[[Request], Any]
    adapt: Callable[[Any, Request], Any]


def load(request: Request) -> PreTrainedModel:
    """Loads a base by transformers. Raises: as `load_for_training`."""
    return load_for_training(request.base, request.config, request.launch, block_devices=request.block_devices)


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
    KeyboardInterrupt after a checkpoint where SIGINT or SIGTERM came; SystemExit where other processes trained.
    """
    started = time.monotonic()
    gather_processes(request)
    use_threads(request.threads)
    emit("progress", stage="loading the base")
    model = loader.load(request)
    rows = read_rows(request, text_config(model.config).vocab_size)
    set_seed(request.config.seed)
    adapted = loader.adapt(model, request)
    if is_worker():
        shard(adapted)
    course = set_up(request, adapted, rows, emit)
    train_to_the_end(course)
    trained_ms = milliseconds_since(started)
    gguf_refused = write_outcome(request, course, emit)
    return {
        **outcome_of(course),
        **({} if gguf_refused is None else {"ggufRefused": gguf_refused}),
        "trainingMs": trained_ms,
        "durationMs": milliseconds_since(started),
        "peakMemoryBytes": peak_bytes(),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in VERSIONS},
            "dtype": str(model.dtype).removeprefix("torch."),
        },
    }


def gather_processes(request: Request) -> None:
    """Refuses what cannot be trained so; starts the processes that are asked for, or meets the others where this is one.

    Raises: `Refusal` NO_PACKAGES, and as `check_seen` and `check_launch`; SystemExit once the processes that it started have ended.
    """
    config = request.config
    check_packages(config)
    check_seen(request.planned_gpus, gpu_count())
    processes = process_count() if is_worker() else gpu_count()
    check_launch(
        request.launch, processes, method=request.method, settings=config, block_class=request.block_class
    )
    if request.launch == "single":
        return
    if not is_worker():
        sys.exit(run_workers(processes, sys.argv[1:]))
    meet()


def read_rows(request: Request, vocabulary: int) -> Rows:
    """Reads what is trained and validated on, in the dataset's order. Raises: `Refusal` NO_TRAIN_ROWS, and as `load_rows`."""
    config, method = request.config, load_method(request.method)
    train, validation = (method.read_rows(request.dataset, part, config, vocabulary) for part in ("train", "validation"))
    if not train:
        raise Refusal("NO_TRAIN_ROWS", "The dataset has no train rows.", where=str(request.dataset))
    if request.rehearsal is not None:
        train = with_rehearsal(train, request.rehearsal, config, vocabulary)
    return Rows(train, validation)


def set_up(request: Request, model: PeftModel | PreTrainedModel, rows: Rows, emit: Emit) -> Course:
    """Lays the rows out, asks the untrained model what is to be known of it, and makes the trainer."""
    config, method = request.config, load_method(request.method)
    order = training_order([row.tokens for row in rows.train], config.batch_size, config.epochs, config.seed)
    emit("progress", stage="preparing the rows")
    sequence = method.prepare(model, [rows.train[index] for index in order], config)
    rows = Rows(rows.train, method.prepare(model, rows.validation, config))
    distance = None
    if config.trains == "lora" and not is_worker():  # token by token, whole blocks would have to be gathered
        emit("progress", stage="letting the base write the texts that the distance from it is measured on")
        distance = Distance(model, rows.validation or rows.train, config.seed)
    plan = Plan(method, config, sequence, rows.validation, len(rows.train), request.checkpoint_seconds, distance)
    reporter = Reporter(emit, plan)
    checkpoint = latest_checkpoint(request.checkpoint_folder)
    ended = stopped_at(checkpoint)  # killed after its end and before its files, it has no rows left to train on
    kit = Kit(
        model=model,
        tokenizer=AutoTokenizer.from_pretrained(request.base),
        sequence=sequence if ended is None else sequence[: ended * config.batch_size],
        settings=config,
        arguments=training_arguments(config, request.checkpoint_folder),
        callbacks=[reporter],
        saw=reporter.saw,
    )
    with kept_as_it_is(model):
        trainer = method.make_trainer(kit)
    reporter.listen(trainer)
    return Course(model, rows, plan, trainer, reporter, checkpoint)


def train_to_the_end(course: Course) -> None:
    """Takes the steps that are left, and puts the best weights into the model where patience kept them.

    Raises: KeyboardInterrupt after a checkpoint where SIGINT or SIGTERM came; `Refusal` TRAINING_DIVERGED.
    """
    trainer, reporter, checkpoint = course.trainer, course.reporter, course.checkpoint
    with reporter.catching_signals():
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if reporter.is_interrupted:
        raise KeyboardInterrupt
    if reporter.best is not None and reporter.best.step < trainer.state.global_step:
        take_best(course.model, Path(trainer.args.output_dir), reporter.best.step)


def write_outcome(request: Request, course: Course, emit: Emit) -> str | None:
    """Writes what was trained and its probes; returns why there is no adapter.gguf, where there is none."""
    gguf_refused = write_files(course.model, request.base, request.out, emit)
    if is_worker():
        part()
    if is_first():
        emit("progress", stage="writing the probes")
        sequences = choose_probes(course.rows.validation, course.rows.train, request.config.seed)
        trained = None if is_worker() else course.model
        write_probes(request.base, request.out, sequences, trained, request.config.quantization)
    return gguf_refused


def outcome_of(course: Course) -> dict[str, object]:
    """Returns what a training came to, as far as its trainer knows: the curve, counts, why it ended, and its speed."""
    state, reporter, best = course.trainer.state, course.reporter, course.reporter.best
    done = course.plan.sequence[: state.global_step * course.plan.batch_size]
    return {
        "curve": reporter.curve(state),
        "trainedTokens": sum(row.trained_tokens for row in done),
        "tokens": sum(row.tokens for row in done),
        "steps": state.global_step,
        "stoppedBy": reporter.stopped_by,
        "bestStep": None if best is None else best.step,
        "resumedFromStep": None if course.checkpoint is None else int(course.checkpoint.name.rsplit("-", 1)[1]),
        "tokensPerSecond": reporter.tokens_per_second(),
    }


def milliseconds_since(started: float) -> int:
    """Returns the time since a monotonic clock showed `started` (seconds)."""
    return round((time.monotonic() - started) * 1000)
