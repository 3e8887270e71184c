"""General rows among those of the dataset, so that what the base could before is not forgotten."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from .refusal import Refusal
from .rows import IGNORED, load_rows
from .settings import Settings


def with_rehearsal(train: list[Any], path: Path, settings: Settings, vocabulary: int) -> list[Any]:
    """Returns the train rows and so many drawn general ones that these are the settings' fraction of all.

    Raises: `Refusal` TOO_FEW_REHEARSAL_ROWS; as `load_rows`.
    """
    share = settings.rehearsal_fraction
    wanted = math.floor(len(train) * share / (1 - share) + 0.5)  # as the plan rounds (src/train/plan/lengths.ts)
    rows = load_rows(path, settings, vocabulary)
    if wanted > len(rows):
        raise Refusal(
            "TOO_FEW_REHEARSAL_ROWS",
            "The file has fewer general rows than are to be mixed in.",
            expected=f"{wanted} rows for a fraction of {share:g} beside {len(train)} train rows",
            got=f"{len(rows)} rows",
            fix=f"take a fraction of at most {len(rows) / (len(rows) + len(train)):.3f}, or a larger file",
        )
    drawn = random.Random(f"{settings.seed}/rehearsal").sample(rows, wanted)
    return [*train, *[replace(row, is_general=True) for row in drawn]]


def own_tokens(labels: torch.Tensor, is_general: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """Returns which of a batch's labelled tokens are of the dataset's own rows, in the order of `answer_losses`.

    Shapes: `labels` (batch, tokens), `is_general` (rows), `lengths` (rows) where the rows are packed; the result has
    (labelled tokens), bool.
    """
    own, is_trained = ~is_general, labels[:, 1:] != IGNORED
    if lengths is None:
        return own[:, None].expand_as(is_trained)[is_trained]
    return own.repeat_interleave(lengths)[None, 1:][is_trained]
