"""Method `kto`: learns from single answers that were judged good or bad, held to the model as it was before.

With two rows or more in memory the loss is KTO's, whose zero point is how far the model has moved from its reference on
answers to other prompts of the rows there. With one row there is no such answer: then it is APO-zero's unpaired loss, whose
zero point is the reference itself, as it is where all rows there are of one prompt.
Source: arXiv:2402.01306, equation 7, and arXiv:2408.06266, equation 7, by TRL's KTOTrainer; deviates: on the dataset's
own ids and masks.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, Sequence

import torch
from peft import PeftModel
from transformers import Trainer
from trl import KTOConfig, KTOTrainer

from ..judged_rows import JudgedRow, load_judged, mismatched
from ..method import Kit
from ..preference import TakesOurRows, as_inputs, summed_logprobs, trainer_settings
from ..settings import Settings


def read_rows(dataset: Path, part: str, settings: Settings, vocabulary: int) -> list[JudgedRow]:
    """Reads `tokens/<part>.parquet`. Raises: as `load_judged`."""
    return load_judged(dataset / f"tokens/{part}.parquet", settings, vocabulary)


def estimates_kl(settings: Settings) -> bool:
    """Whether there are two rows in memory together, so that one's prompt can be given another's answer."""
    return settings.rows_at_once > 1


def prepare(model: PeftModel, rows: Sequence[JudgedRow], settings: Settings) -> list[JudgedRow]:
    """Returns the rows with the untrained model's log-probabilities, and with the answer of their neighbour in memory."""
    unique = list({row.row_id: row for row in rows}.values())
    sums = summed_logprobs(model, [row.answer for row in unique], settings.rows_at_once)
    references = {row.row_id: value for row, value in zip(unique, sums)}
    known = [replace(row, reference=references[row.row_id]) for row in rows]
    if not estimates_kl(settings):
        return known
    partners = neighbours([row.prompt_ids for row in rows], settings.rows_at_once)
    others = {
        place: mismatched(rows[place], rows[partner], settings.max_tokens)
        for place, partner in enumerate(partners)
        if partner is not None
    }
    sums = summed_logprobs(model, list(others.values()), settings.rows_at_once)
    for (place, other), value in zip(others.items(), sums):
        known[place] = replace(known[place], other=other, other_reference=value)
    return known


def neighbours(prompts: Sequence[list[int]], rows_at_once: int) -> list[int | None]:
    """Returns for each place the nearest one before it, round about in its part, whose prompt is another; None where none is.

    Shapes: a part is `rows_at_once` places; a last one of one row looks through all before it.
    """
    found: list[int | None] = []
    for place, prompt in enumerate(prompts):
        start = place - place % rows_at_once
        end = min(start + rows_at_once, len(prompts))
        places = [*range(place - 1, start - 1, -1), *range(end - 1, place, -1)] or range(place - 1, -1, -1)
        found.append(next((other for other in places if prompts[other] != prompt), None))
    return found


def make_trainer(kit: Kit) -> Trainer:
    """Returns the trainer over the kit's rows, in their order."""
    return JudgedTrainer(kit)


def validate(model: PeftModel, rows: Sequence[JudgedRow], settings: Settings) -> dict[str, float]:
    """Returns `loss`, `goodReward` and `badReward` (beta times the mean log-ratio), and of both kinds `margin` and `accuracy`.

    `accuracy` is the share of good rows over and bad rows under the zero point, and `kl` that point in nats,
    over all rows.
    """
    sums = summed_logprobs(model, [row.answer for row in rows], settings.rows_at_once)
    ratios = [value - row.reference for row, value in zip(rows, sums)]
    zero = 0.0
    others = [row.other for row in rows if row.other is not None]
    if others:
        references = [row.other_reference for row in rows if row.other is not None]
        found = summed_logprobs(model, others, settings.rows_at_once)
        mean = fmean(value - before for value, before in zip(found, references))
        zero = 0.0 if mean < 0 else mean  # what is no number stays so
    signs = [1.0 if row.is_good else -1.0 for row in rows]
    weights = [settings.good_weight if row.is_good else settings.bad_weight for row in rows]
    values = torch.sigmoid(settings.beta * torch.tensor(signs) * (torch.tensor(ratios) - zero))
    figures = {
        "loss": float((torch.tensor(weights) * (1 - values)).mean()),
        "accuracy": float((values > 0.5).float().mean()),
        "kl": zero,
    }
    for name, sign in (("goodReward", 1.0), ("badReward", -1.0)):
        of_kind = [ratio for ratio, of in zip(ratios, signs) if of == sign]
        if of_kind:
            figures[name] = settings.beta * fmean(of_kind)
    if "goodReward" in figures and "badReward" in figures:
        figures["margin"] = figures["goodReward"] - figures["badReward"]
    return figures


class JudgedTrainer(TakesOurRows, KTOTrainer):
    """TRL's loss over ready judged rows; `kit.saw` is told each step's loss and figures."""

    FIGURES = {
        "rewards/margins": "margin",
        "rewards/chosen": "goodReward",
        "rewards/rejected": "badReward",
        "logps/chosen": "goodLogprob",
        "logps/rejected": "badLogprob",
        "kl": "kl",
    }
    """A reward is beta times a log-ratio, the margin that of good less bad."""

    def __init__(self, kit: Kit) -> None:
        rows, settings = kit.sequence, kit.settings

        def collate_judged(examples: list[dict[str, int]]) -> dict[str, torch.Tensor]:
            some: list[JudgedRow] = [rows[example["place"]] for example in examples]
            batch = as_inputs([row.answer for row in some])
            answered = [row for row in some if row.other is not None]
            if answered:
                batch |= as_inputs([row.other for row in answered if row.other is not None], "KL_")
            batch["ref_KL_logps"] = torch.tensor([row.other_reference for row in answered] or [0.0])
            batch["ref_logps"] = torch.tensor([row.reference for row in some])
            batch["label"] = torch.tensor([row.is_good for row in some])
            return batch

        own = {
            "loss_type": "kto" if estimates_kl(settings) else "apo_zero_unpaired",
            "desirable_weight": settings.good_weight,
            "undesirable_weight": settings.bad_weight,
            "train_sampling_strategy": "sequential",
        }
        super().__init__(**trainer_settings(kit, KTOConfig, collate_judged, **own))
        self.take_over(kit.saw)

    def _compute_kl_logps(self, model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor | None:
        """TRL's log-probabilities of the mismatched answers; the reference's own, which is no way from it, where there are none."""
        return super()._compute_kl_logps(model, batch) if "KL_input_ids" in batch else batch["ref_KL_logps"]
