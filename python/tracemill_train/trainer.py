"""TRL's SFTTrainer with the answer loss and rows in a given order, and the callback that reports, validates and saves."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Iterator

import torch
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback, TrainerControl, TrainerState
from trl import SFTTrainer

from .checkpoints import mark_complete
from .events import Emit
from .loss import answer_loss
from .refusal import Refusal
from .rows import Row, collate


@dataclass(frozen=True)
class Plan:
    """What is trained on: every row in order (each as often as it comes), the validation rows, rows in an epoch.

    Units: batch size in rows, `checkpoint_seconds` between two checkpoints.
    """

    sequence: list[Row]
    validation: list[Row]
    epoch_rows: int
    batch_size: int
    checkpoint_seconds: float

    @property
    def steps(self) -> int:
        return math.ceil(len(self.sequence) / self.batch_size)

    def epochs_at(self, step: int) -> float:
        """Returns how many epochs are done after `step`, in whole and part."""
        return min(step * self.batch_size, len(self.sequence)) / self.epoch_rows

    def tokens_of(self, step: int) -> int:
        """Returns the number of tokens of a step's rows, padding not counted; steps count from 1."""
        rows = self.sequence[(step - 1) * self.batch_size : step * self.batch_size]
        return sum(len(row.ids) for row in rows)


class AnswerTrainer(SFTTrainer):
    """Trains in the dataset's own order on the mean loss of a batch's labelled tokens; `saw_loss` is told each loss."""

    def __init__(self, saw_loss: Callable[[float], None], **settings: Any) -> None:
        super().__init__(**settings)
        self.saw_loss = saw_loss

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        causal = self.accelerator.unwrap_model(model).get_base_model()
        total, count = answer_loss(causal, inputs["input_ids"], inputs["labels"])
        mean = total / count
        self.saw_loss(float(mean.detach()))
        return mean

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Writes none: an adapter's manifest is its card."""


class Reporter(TrainerCallback):
    """Emits a `step` event a step and a `validation` event an epoch; asks for a checkpoint when one is due.

    The curve lives in the trainer's log history, which each checkpoint holds, so that a resumed training has all of it.
    """

    def __init__(self, emit: Emit, plan: Plan) -> None:
        self.emit = emit
        self.plan = plan
        self.is_interrupted = False
        self._loss = math.nan
        self._rate = 0.0
        self._tokens = 0
        self._seconds = 0.0
        self._saved_at = self._step_started = time.monotonic()

    def saw_loss(self, loss: float) -> None:
        self._loss = loss

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
        self._report(step, state, self._validation_loss(step, kwargs["model"]))
        is_due = time.monotonic() - self._saved_at >= self.plan.checkpoint_seconds
        control.should_save = is_due or self.is_interrupted or step == self.plan.steps
        control.should_training_stop = control.should_training_stop or self.is_interrupted
        return control

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        self._saved_at = time.monotonic()

    def _report(self, step: int, state: TrainerState, validation_loss: float | None) -> None:
        if not math.isfinite(self._loss):
            raise Refusal(
                "TRAINING_DIVERGED",
                f"The loss of step {step} is not a number.",
                fix="train again with a lower --learning-rate",
            )
        loss, epoch = round(self._loss, 6), round(self.plan.epochs_at(step), 4)
        point = {"step": step, "epoch": epoch, "loss": loss, "learningRate": self._rate}
        state.log_history.append({"step": step, "point": {**point, "validationLoss": validation_loss}})
        speed = {"tokensPerSecond": self.tokens_per_second(), "etaMs": self._eta_ms(step)}
        self.emit("step", steps=self.plan.steps, **point, **speed)
        if validation_loss is not None:
            self.emit("validation", step=step, epoch=epoch, loss=validation_loss)

    def _validation_loss(self, step: int, model: Any) -> float | None:
        """Mean loss a token over the validation rows where an epoch ends with this step, else None."""
        ends_epoch = math.floor(self.plan.epochs_at(step)) > math.floor(self.plan.epochs_at(step - 1))
        if not self.plan.validation or not (ends_epoch or step == self.plan.steps):
            return None
        causal = model.get_base_model()
        rows = sorted(self.plan.validation, key=lambda row: len(row.ids))
        total, count = 0.0, 0
        model.eval()
        with torch.no_grad():
            for start in range(0, len(rows), self.plan.batch_size):
                some = rows[start : start + self.plan.batch_size]
                batch = collate([{"input_ids": row.ids, "labels": row.labels} for row in some])
                loss, tokens = answer_loss(causal, batch["input_ids"], batch["labels"])
                total, count = total + float(loss), count + tokens
        model.train()
        return round(total / count, 6)

    def _eta_ms(self, step: int) -> int:
        left = sum(self.plan.tokens_of(later) for later in range(step + 1, self.plan.steps + 1))
        return round(left / self._tokens * self._seconds * 1000)
