"""Method `sft`: learns answers as they stand. The loss lies on the tokens that the dataset's mask marks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Sequence

import torch
from datasets import Dataset
from peft import PeftModel
from torch.utils.data import SequentialSampler
from transformers import Trainer
from trl import SFTConfig, SFTTrainer

from ..fsdp import Divided
from ..launch import added, is_worker, process_count
from ..loss import answer_loss, answer_losses
from ..method import Kit, Own, Saw
from ..model import causal_model
from ..packing import collate_packed
from ..rehearsal import own_tokens
from ..rows import IGNORED, Row, collate, load_rows
from ..settings import Settings
from ..trainer_arguments import never_copied


def read_rows(dataset: Path, part: str, settings: Settings, vocabulary: int) -> list[Row]:
    """Reads `tokens/<part>.parquet`. Raises: as `load_rows`."""
    return load_rows(dataset / f"tokens/{part}.parquet", settings, vocabulary)


def prepare(model: PeftModel, rows: Sequence[Row], settings: Settings) -> list[Row]:
    """Returns the rows: nothing is asked of the untrained model."""
    return list(rows)


def make_trainer(kit: Kit) -> Trainer:
    """Returns the trainer over the kit's rows, in their order."""
    trainer = DividedAnswerTrainer if is_worker() else AnswerTrainer
    return trainer(
        saw=kit.saw,
        model=kit.model,
        args=never_copied(
            SFTConfig(**kit.arguments, dataset_kwargs={"skip_prepare_dataset": True}, remove_unused_columns=False)
        ),
        train_dataset=as_dataset(filled_up(kit.sequence, kit.settings)),
        data_collator=collate_packed if kit.settings.packing else collate,
        processing_class=kit.tokenizer,
        callbacks=kit.callbacks,
    )


def validate(model: PeftModel, rows: Sequence[Row], settings: Settings) -> dict[str, float]:
    """Returns `loss`: nats a trained token, over all rows, of which as many are computed together as in a training."""
    causal = causal_model(model)
    at_once = settings.rows_at_once // process_count()
    by_length = sorted(rows, key=lambda row: len(row.ids))
    total, count = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(by_length), at_once):
            some = by_length[start : start + at_once]
            batch = collate([{"input_ids": row.ids, "labels": row.labels} for row in some])
            loss, tokens = answer_loss(causal, batch["input_ids"], batch["labels"])
            total, count = total + float(loss), count + tokens
    return {"loss": total / count}


def as_dataset(rows: Sequence[Row]) -> Dataset:
    """Returns rows in the form that SFTTrainer takes: input_ids and labels, and which are general where some are."""
    marked = {"is_general": [row.is_general for row in rows]} if any(row.is_general for row in rows) else {}
    return Dataset.from_dict(
        {"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows], **marked}
    )


def filled_up(rows: Sequence[Row], settings: Settings) -> list[Row]:
    """Returns rows with as many behind them as let processes share the last ones: short ones that nothing is learned of."""
    missing = -len(rows) % settings.rows_at_once if is_worker() else 0
    silent = replace(rows[-1], ids=rows[-1].ids[:2], labels=[IGNORED, IGNORED])
    return [*rows, *[silent] * missing]


class AnswerTrainer(SFTTrainer):
    """Trains in the dataset's own order on the mean loss of a batch's labelled tokens; `saw` is told each micro-batch's."""

    def __init__(self, saw: Saw, **settings: Any) -> None:
        super().__init__(**settings)
        self.saw = saw
        self.model_accepts_loss_kwargs = True  # the loss is divided by the batch's tokens here, and nowhere else

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        causal = causal_model(self.accelerator.unwrap_model(model))
        losses = answer_losses(causal, inputs["input_ids"], inputs["labels"], inputs.get("lengths"))
        total = losses.sum()
        seen, tokens = added([float(total.detach()), len(losses)])
        whole = tokens if num_items_in_batch is None else int(num_items_in_batch)
        self.saw(seen / tokens, {}, tokens / whole, own_part(losses.detach(), inputs))
        return total * process_count() / whole  # a gradient is the mean over the processes

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Writes none: an adapter's manifest is its card."""


def own_part(losses: torch.Tensor, inputs: dict[str, torch.Tensor]) -> Own | None:
    """Returns what of a micro-batch's losses is of the dataset's own rows; None where no training rows are general."""
    if "is_general" not in inputs:
        return None
    own = losses[own_tokens(inputs["labels"], inputs["is_general"], inputs.get("lengths")).to(losses.device)]
    seen, tokens = added([float(own.sum()), len(own)])
    return Own(seen / tokens if tokens > 0 else 0.0, tokens)


class DividedAnswerTrainer(Divided, AnswerTrainer):
    """The same on a model that several processes hold a part of each."""
