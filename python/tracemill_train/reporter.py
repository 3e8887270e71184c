"""The callback that reports a training, validates it and says when a checkpoint is due, whatever the method."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Iterator, Sequence

from transformers import TrainerCallback, TrainerControl, TrainerState

from .checkpoints import mark_complete
from .events import Emit
from .method import Method, Row
from .refusal import Refusal
from .settings import Settings


@dataclass(frozen=True)
class Plan:
    """What is trained on: every row in order (each as often as it comes), the validation rows, rows in an epoch.

    Units: `checkpoint_seconds` between two checkpoints.
    """

    method: Method
    settings: Settings
    sequence: Sequence[Row]
    validation: Sequence[Row]
    epoch_rows: int
    checkpoint_seconds: float

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size

    @property
    def steps(self) -> int:
        return math.ceil(len(self.sequence) / self.batch_size)

    def epochs_at(self, step: int) -> float:
        """Returns how many epochs are done after `step`, in whole and part."""
        return min(step * self.batch_size, len(self.sequence)) / self.epoch_rows

    def tokens_of(self, step: int) -> int:
        """Returns the number of tokens of a step's rows, padding not counted; steps count from 1."""
        rows = self.sequence[(step - 1) * self.batch_size : step * self.batch_size]
        return sum(row.tokens for row in rows)


class Reporter(TrainerCallback):
    """Emits a `step` event a step and a `validation` event an epoch; asks for a checkpoint when one is due.

    The curve lives in the trainer's log history, which each checkpoint holds, so that a resumed training has all of it.
    """

    def __init__(self, emit: Emit, plan: Plan) -> None:
        self.emit = emit
        self.plan = plan
        self.is_interrupted = False
        self._loss = math.nan
        self._figures: dict[str, float] = {}
        self._rate = 0.0
        self._tokens = 0
        self._seconds = 0.0
        self._saved_at = self._step_started = time.monotonic()

    def saw(self, loss: float, figures: dict[str, float]) -> None:
        """Takes a step's loss and the method's own figures."""
        self._loss, self._figures = loss, figures

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

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._step_started = time.monotonic()
        self._rate = kwargs["optimizer"].param_groups[0]["lr"]

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> TrainerControl:
        step = state.global_step
        self._seconds += time.monotonic() - self._step_started
        self._tokens += self.plan.tokens_of(step)
        self._report(step, state, self._validate(step, kwargs["model"]))
        is_due = time.monotonic() - self._saved_at >= self.plan.checkpoint_seconds
        control.should_save = is_due or self.is_interrupted or step == self.plan.steps
        control.should_training_stop = control.should_training_stop or self.is_interrupted
        return control

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        self._saved_at = time.monotonic()

    def _report(self, step: int, state: TrainerState, validation: dict[str, float] | None) -> None:
        if not math.isfinite(self._loss):
            raise Refusal(
                "TRAINING_DIVERGED",
                f"The loss of step {step} is not a number.",
                fix="train again with a lower --learning-rate",
            )
        loss, epoch = round(self._loss, 6), round(self.plan.epochs_at(step), 4)
        point = {"step": step, "epoch": epoch, "loss": loss, "learningRate": self._rate, **rounded(self._figures)}
        validated = {} if validation is None else {"validation": rounded(validation)}
        validation_loss = None if validation is None else round(validation["loss"], 6)
        state.log_history.append({"step": step, "point": {**point, "validationLoss": validation_loss, **validated}})
        speed = {"tokensPerSecond": self.tokens_per_second(), "etaMs": self._eta_ms(step)}
        self.emit("step", steps=self.plan.steps, **point, **speed)
        if validation is not None:
            self.emit("validation", step=step, epoch=epoch, **rounded(validation))

    def _validate(self, step: int, model: Any) -> dict[str, float] | None:
        """The method's figures on the validation rows where an epoch ends with this step, else None."""
        ends_epoch = math.floor(self.plan.epochs_at(step)) > math.floor(self.plan.epochs_at(step - 1))
        if not self.plan.validation or not (ends_epoch or step == self.plan.steps):
            return None
        model.eval()
        figures = self.plan.method.validate(model, self.plan.validation, self.plan.settings)
        model.train()
        return figures

    def _eta_ms(self, step: int) -> int:
        left = sum(self.plan.tokens_of(later) for later in range(step + 1, self.plan.steps + 1))
        return round(left / self._tokens * self._seconds * 1000)


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Returns figures with 6 digits behind the point, which is what a manifest keeps."""
    return {name: round(value, 6) for name, value in figures.items()}
