"""General rows among those of the dataset, so that what the base could before is not forgotten."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

from .refusal import Refusal
from .rows import load_rows
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
    return [*train, *random.Random(f"{settings.seed}/rehearsal").sample(rows, wanted)]
