"""Method `dpo`: learns to prefer the better of two answers to one prompt, held to the model as it was before.

Source: arXiv:2305.18290, equation 7, by TRL's DPOTrainer; deviates: on the dataset's own ids and masks.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Sequence

import torch
from peft import PeftModel
from torch.nn import functional
from transformers import Trainer
from trl import DPOConfig, DPOTrainer

from ..method import Kit
from ..pair_rows import PairRow, load_pairs
from ..preference import TakesOurRows, as_inputs, summed_logprobs, trainer_settings
from ..settings import Settings


def read_rows(dataset: Path, part: str, settings: Settings, vocabulary: int) -> list[PairRow]:
    """Reads `tokens/<part>.parquet`. Raises: as `load_pairs`."""
    return load_pairs(dataset / f"tokens/{part}.parquet", settings, vocabulary)


def prepare(model: PeftModel, rows: Sequence[PairRow], settings: Settings) -> list[PairRow]:
    """Returns the rows with the untrained model's log-probabilities; each is asked for once, however often it comes."""
    unique = list({row.row_id: row for row in rows}.values())
    answers = [side for row in unique for side in (row.chosen, row.rejected)]
    sums = summed_logprobs(model, answers, settings.rows_at_once)
    references = {row.row_id: sums[2 * at : 2 * at + 2] for at, row in enumerate(unique)}
    return [
        replace(row, chosen_reference=references[row.row_id][0], rejected_reference=references[row.row_id][1])
        for row in rows
    ]


def make_trainer(kit: Kit) -> Trainer:
    """Returns the trainer over the kit's rows, in their order."""
    return PairTrainer(kit)


def validate(model: PeftModel, rows: Sequence[PairRow], settings: Settings) -> dict[str, float]:
    """Returns `loss`, `margin` and `accuracy` (the share of pairs with a positive margin), and both mean log-probabilities."""
    answers = [side for row in rows for side in (row.chosen, row.rejected)]
    sums = summed_logprobs(model, answers, settings.rows_at_once)
    chosen, rejected = torch.tensor(sums[::2]), torch.tensor(sums[1::2])
    references = torch.tensor([row.chosen_reference - row.rejected_reference for row in rows])
    margins = settings.beta * (chosen - rejected - references)
    return {
        "loss": float(-functional.logsigmoid(margins).mean()),
        "margin": float(margins.mean()),
        "accuracy": float((margins > 0).float().mean()),
        "chosenLogprob": float(chosen.mean()),
        "rejectedLogprob": float(rejected.mean()),
    }


class PairTrainer(TakesOurRows, DPOTrainer):
    """TRL's loss over ready pairs; `kit.saw` is told each step's loss, margin, accuracy and log-probabilities."""

    FIGURES = {
        "rewards/margins": "margin",
        "rewards/accuracies": "accuracy",
        "logps/chosen": "chosenLogprob",
        "logps/rejected": "rejectedLogprob",
    }
    """A margin is beta times the difference of the two log-ratios."""

    def __init__(self, kit: Kit) -> None:
        rows = kit.sequence

        def collate_pairs(examples: list[dict[str, int]]) -> dict[str, torch.Tensor]:
            some = [rows[example["place"]] for example in examples]
            return {
                **as_inputs([row.chosen for row in some] + [row.rejected for row in some]),
                "ref_chosen_logps": torch.tensor([row.chosen_reference for row in some]),
                "ref_rejected_logps": torch.tensor([row.rejected_reference for row in some]),
            }

        super().__init__(**trainer_settings(kit, DPOConfig, collate_pairs))
        self.take_over(kit.saw)
