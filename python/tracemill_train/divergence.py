"""Tells a training that has come apart: a loss or gradient that is no number, or a loss far above all that came before.

The spike rule is set wide. Losses of single steps differ by their rows, within a factor of two or so; a step counts as a
spike where its loss is above four times the median of the steps before it, and by a nat at least.
"""

from __future__ import annotations

import math
from statistics import median
from typing import Sequence

from .refusal import Refusal

STEPS_KEPT = 50
"""Steps that a loss is compared with."""
STEPS_NEEDED = 20
"""Before so many steps nothing is called a spike: the loss still falls fast."""
SPIKE_RATIO = 4.0
SPIKE_NATS = 1.0
ROWS_NAMED = 8


def is_spike(loss: float, before: Sequence[float]) -> bool:
    """Whether a step's loss (nats a token) lies far above those of the steps before it, in order."""
    if len(before) < STEPS_NEEDED:
        return False
    usual = median(before[-STEPS_KEPT:])
    return loss > SPIKE_RATIO * usual and loss > usual + SPIKE_NATS


def refuse_divergence(step: int, *, loss: float, grad_norm: float | None, before: Sequence[float], rows: Sequence[str]) -> None:
    """Raises: `Refusal` TRAINING_DIVERGED naming the rows of the step."""
    if not math.isfinite(loss):
        problem = f"The loss of step {step} is not a number."
    elif grad_norm is not None and not math.isfinite(grad_norm):
        problem = f"The gradient of step {step} is not a number."
    elif is_spike(loss, before):
        problem = f"The loss of step {step} is {loss:.2f}, where it was about {median(before[-STEPS_KEPT:]):.2f} before."
    else:
        return
    more = f" and {len(rows) - ROWS_NAMED} more" if len(rows) > ROWS_NAMED else ""
    raise Refusal(
        "TRAINING_DIVERGED",
        problem,
        where=f"rows {', '.join(rows[:ROWS_NAMED])}{more}",
        fix="look at these rows, or train again with a lower --learning-rate or --max-grad-norm",
    )
