"""The callback that reports a training, validates it, says when a checkpoint is due and when to stop, whatever the method."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Iterator, Sequence

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState

from .best_weights import Best, forget_bests, keep_best
from .checkpoints import mark_complete
from .divergence import Part, refuse_bad_validation, refuse_divergence, refuse_spike
from .events import Emit
from .fsdp import whole
from .kl import Distance
from .launch import added, is_first
from .memory import held_bytes
from .method import Method, Own, Row
from .settings import Settings


DATASET_LOSS = "datasetLoss"
"""What the curve calls the loss of the dataset's own rows, where general ones are mixed in."""


@dataclass(frozen=True)
class Plan:
    """What is trained on: every row in order (each as often as it comes), the validation rows, rows in an epoch.

    `distance` measures how far the model has moved from its base; null where that is not asked for or cannot be.
    Units: `checkpoint_seconds` between two checkpoints.
    """

    method: Method
    settings: Settings
    sequence: Sequence[Row]
    validation: Sequence[Row]
    epoch_rows: int
    checkpoint_seconds: float
    distance: Distance | None = None

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size

    @property
    def steps(self) -> int:
        return math.ceil(len(self.sequence) / self.batch_size)

    def epochs_at(self, step: int) -> float:
        """Returns how many epochs are done after `step`, in whole and part."""
        return min(step * self.batch_size, len(self.sequence)) / self.epoch_rows

    def validates_after(self, step: int) -> bool:
        """Whether validation rows are looked at after a step: at the end of all, and of each epoch or so many steps."""
        every = self.settings.validate_every
        if every is not None:
            return step % every == 0 or step == self.steps
        return math.floor(self.epochs_at(step)) > math.floor(self.epochs_at(step - 1)) or step == self.steps

    def rows_of(self, step: int) -> Sequence[Row]:
        """Returns the rows of a step; steps count from 1."""
        return self.sequence[(step - 1) * self.batch_size : step * self.batch_size]

    def tokens_of(self, step: int) -> int:
        """Returns the number of tokens of a step's rows, padding not counted."""
        return sum(row.tokens for row in self.rows_of(step))


@dataclass(frozen=True)
class Seen:
    """What was told of one micro-batch: see `Saw`."""

    loss: float
    figures: dict[str, float]
    share: float
    own: Own | None


class Reporter(TrainerCallback):
    """Emits a `step` event a step and a `validation` event each time it looks; asks for a checkpoint when one is due.

    The curve lives in the trainer's log history, which each checkpoint holds, so that a resumed training has all of it,
    and with it the losses that a spike is told by and the best validation so far.
    """

    def __init__(self, emit: Emit, plan: Plan) -> None:
        self.emit = emit
        self.plan = plan
        self.is_interrupted = False
        self.stopped_by: str | None = None
        self.best: Best | None = None
        self._seen: list[Seen] = []
        self._grad_norm: float | None = None
        self._rate = 0.0
        self._tokens = 0
        self._seconds = 0.0
        self._saved_at = self._step_started = time.monotonic()

    def saw(self, loss: float, figures: dict[str, float], share: float = 1.0, own: Own | None = None) -> None:
        """Takes the loss and the method's own figures of rows that are that share of a step, and what the dataset's own have of it."""
        self._seen.append(Seen(loss, figures, share, own))

    def listen(self, trainer: Trainer) -> None:
        """Hears the norm of each step's gradient as it is before it is clipped."""
        clip = trainer._clip_grad_norm

        def heard(model: Any) -> Any:
            norm = clip(model)
            self._grad_norm = float(whole(norm))
            return norm

        trainer._clip_grad_norm = heard

    def tokens_per_second(self) -> float:
        """Tokens (padding not counted) a second over this process's steps, validation and saving not counted."""
        return round(self._tokens / self._seconds, 1) if self._seconds > 0 else 0.0

    def curve(self, state: TrainerState) -> list[dict[str, Any]]:
        """Returns the curve points of the whole training, in order."""
        return [entry["point"] for entry in state.log_history if "point" in entry]

    @contextlib.contextmanager
    def catching_signals(self) -> Iterator[None]:
        """Turns SIGINT and SIGTERM into a checkpoint and an end after the step at hand."""

        def interrupt(number: int, frame: FrameType | None) -> None:
            self.is_interrupted = True

        before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        entries = [entry for entry in state.log_history if "point" in entry]
        if entries and entries[-1]["best"] is not None:
            self.best = Best(**entries[-1]["best"])
        self.stopped_by = entries[-1]["stopped_by"] if entries else None

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._step_started = time.monotonic()
        self._seen, self._grad_norm = [], None
        self._rate = kwargs["optimizer"].param_groups[0]["lr"]

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> TrainerControl:
        step, model = state.global_step, kwargs["model"]
        self._seconds += time.monotonic() - self._step_started
        self._tokens += self.plan.tokens_of(step)
        loss, figures = self._mean_of_step()
        parts = self._parts_of(step)
        refuse_divergence(step, loss=loss, grad_norm=self._grad_norm, parts=parts)
        self._refuse_spike(step, state, {"loss": loss, **figures})
        validation = self._validate(step, model)
        refuse_bad_validation(step, validation, parts)
        self._judge(step, validation, model, Path(args.output_dir))
        self._report(step, state, {"loss": loss, **figures}, validation)
        is_due = time.monotonic() - self._saved_at >= self.plan.checkpoint_seconds
        due, interrupted = added([float(is_due), float(self.is_interrupted)])  # processes do alike
        self.is_interrupted = interrupted > 0
        is_over = self.is_interrupted or self.stopped_by is not None
        control.should_save = due > 0 or is_over or step == self.plan.steps
        control.should_training_stop = control.should_training_stop or is_over
        return control

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if is_first():
            mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")
            forget_bests(Path(args.output_dir), but=None if self.best is None else self.best.step)
        self._saved_at = time.monotonic()

    def _mean_of_step(self) -> tuple[float, dict[str, float]]:
        """The step's loss and figures from those of its micro-batches, each by its share."""
        total = sum(seen.share for seen in self._seen)
        loss = sum(seen.loss * seen.share for seen in self._seen) / total
        names = {name for seen in self._seen for name in seen.figures}
        mean: dict[str, float] = {}
        for name in sorted(names):
            told = [(seen.figures[name], seen.share) for seen in self._seen if name in seen.figures]
            mean[name] = sum(value * share for value, share in told) / sum(share for _, share in told)
        own = [seen.own for seen in self._seen if seen.own is not None and seen.own.tokens > 0]
        if own:
            mean[DATASET_LOSS] = sum(one.loss * one.tokens for one in own) / sum(one.tokens for one in own)
        return loss, mean

    def _refuse_spike(self, step: int, state: TrainerState, figures: dict[str, float]) -> None:
        """Compares the step's loss with those before it, of the dataset's own rows where others are mixed in."""
        is_mixed = any(seen.own is not None for seen in self._seen)
        compared = DATASET_LOSS if is_mixed else "loss"
        if compared in figures:
            before = [point[compared] for point in self.curve(state) if compared in point]
            parts = self._own_parts_of(step) if is_mixed else self._parts_of(step)
            refuse_spike(step, loss=figures[compared], before=before, parts=parts)

    def _parts_of(self, step: int) -> list[Part]:
        """The step's micro-batches, whose rows lie in its order."""
        return [Part(seen.loss, [row.row_id for row in rows]) for seen, rows in self._seen_rows_of(step)]

    def _own_parts_of(self, step: int) -> list[Part]:
        """The same of the dataset's own rows alone."""
        return [
            Part(seen.own.loss, [row.row_id for row in rows if not getattr(row, "is_general", False)])
            for seen, rows in self._seen_rows_of(step)
            if seen.own is not None and seen.own.tokens > 0
        ]

    def _seen_rows_of(self, step: int) -> Iterator[tuple[Seen, Sequence[Row]]]:
        rows, size = self.plan.rows_of(step), self.plan.settings.rows_at_once
        return ((seen, rows[at * size : (at + 1) * size]) for at, seen in enumerate(self._seen))

    def _validate(self, step: int, model: Any) -> dict[str, float]:
        """The method's figures on the validation rows and the distance from the base, where they are due after this step."""
        if not self.plan.validates_after(step):
            return {}
        figures: dict[str, float] = {}
        if self.plan.validation:
            model.eval()
            figures = self.plan.method.validate(model, self.plan.validation, self.plan.settings)
            model.train()
        if self.plan.distance is not None:
            figures["klToBase"] = self.plan.distance.measure(model)
        return figures

    def _judge(self, step: int, validation: dict[str, float], model: Any, folder: Path) -> None:
        """Keeps the weights of the best validation where patience is asked for, and says why the training is to end."""
        settings = self.plan.settings
        if settings.patience is not None and "loss" in validation:
            if self.best is None or validation["loss"] < self.best.loss:
                self.best = Best(step, validation["loss"], validations_since=0)
                keep_best(model, folder, step)
            else:
                self.best = Best(self.best.step, self.best.loss, self.best.validations_since + 1)
            if self.best.validations_since >= settings.patience:
                self.stopped_by = "patience"
        if settings.max_kl is not None and validation.get("klToBase", 0.0) > settings.max_kl:
            self.stopped_by = "max-kl"

    def _report(
        self, step: int, state: TrainerState, figures: dict[str, float], validation: dict[str, float]
    ) -> None:
        epoch = round(self.plan.epochs_at(step), 4)
        heard = {} if self._grad_norm is None else {"gradNorm": self._grad_norm}
        point = {"step": step, "epoch": epoch, "learningRate": self._rate, **rounded({**figures, **heard})}
        loss = validation.get("loss")
        validated = {"validation": rounded(validation)} if validation else {}
        state.log_history.append(
            {
                "step": step,
                "point": {**point, "validationLoss": None if loss is None else round(loss, 6), **validated},
                "best": None if self.best is None else vars(self.best),
                "stopped_by": self.stopped_by,
            }
        )
        speed = {"tokensPerSecond": self.tokens_per_second(), "etaMs": self._eta_ms(step), "memoryBytes": held_bytes()}
        self.emit("step", steps=self.plan.steps, **point, **speed)
        if validation:
            self.emit("validation", step=step, epoch=epoch, **rounded(validation))

    def _eta_ms(self, step: int) -> int:
        left = sum(self.plan.tokens_of(later) for later in range(step + 1, self.plan.steps + 1))
        return round(left / self._tokens * self._seconds * 1000)


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Returns figures with 6 digits behind the point, which is what a manifest keeps."""
    return {name: round(value, 6) for name, value in figures.items()}
