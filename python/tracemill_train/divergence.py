"""Tells a training that has come apart: a loss or gradient or a validation that is no number, or a loss far above all before.

The spike rule is set wide. Losses of single steps differ by their rows, within a factor of two or so; a step counts as a
spike where its loss is above four times the median of the steps before it, and by a nat at least. Only like is compared:
where general rows are rehearsed, which stay far above a skill that is learned, the loss of the dataset's own rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import Mapping, Sequence

from .refusal import Refusal

STEPS_KEPT = 50
"""Steps that a loss is compared with."""
STEPS_NEEDED = 20
"""Before so many steps nothing is called a spike: the loss still falls fast."""
SPIKE_RATIO = 4.0
SPIKE_NATS = 1.0


@dataclass(frozen=True)
class Part:
    """What of a step was in memory together: its loss (nats a token) and the names of its rows."""

    loss: float
    rows: Sequence[str]


def is_spike(loss: float, before: Sequence[float]) -> bool:
    """Whether a step's loss (nats a token) lies far above those of the steps before it, in order."""
    if len(before) < STEPS_NEEDED:
        return False
    usual = median(before[-STEPS_KEPT:])
    return loss > SPIKE_RATIO * usual and loss > usual + SPIKE_NATS


def refuse_divergence(step: int, *, loss: float, grad_norm: float | None, parts: Sequence[Part]) -> None:
    """Raises: `Refusal` TRAINING_DIVERGED naming every row of the part that is no number, or of all where only the gradient tells."""
    if not math.isfinite(loss):
        raise diverged(f"The loss of step {step} is not a number.", [worst_of(parts)])
    if grad_norm is not None and not math.isfinite(grad_norm):
        raise diverged(f"The gradient of step {step} is not a number.", parts)


def refuse_spike(step: int, *, loss: float, before: Sequence[float], parts: Sequence[Part]) -> None:
    """Raises: `Refusal` TRAINING_DIVERGED naming every row of the part with the highest loss; `before` and `parts` are of like rows."""
    if is_spike(loss, before):
        usual = median(before[-STEPS_KEPT:])
        raise diverged(f"The loss of step {step} is {loss:.2f}, where it was about {usual:.2f} before.", [worst_of(parts)])


def worst_of(parts: Sequence[Part]) -> Part:
    """Returns the part with the highest loss, or the first whose loss is no number."""
    return max(parts, key=lambda part: part.loss if math.isfinite(part.loss) else math.inf)


def refuse_bad_validation(step: int, figures: Mapping[str, float], parts: Sequence[Part]) -> None:
    """Raises: `Refusal` TRAINING_DIVERGED where a figure is no number, naming the rows of the step before it."""
    bad = [name for name, figure in figures.items() if not math.isfinite(figure)]
    if bad:
        raise diverged(f"The validation after step {step} is not a number: {', '.join(bad)}.", parts)


def diverged(problem: str, parts: Sequence[Part]) -> Refusal:
    """Builds the refusal to train on."""
    return Refusal(
        "TRAINING_DIVERGED",
        problem,
        where=f"rows {', '.join(row for part in parts for row in part.rows)}",
        fix="look at these rows, or train again with a lower --learning-rate or --max-grad-norm",
    )
