"""Several rows in one sequence, so that nothing is computed for padding. No row sees another: positions count anew for each,
and attention stays within it (attention.py). What a step learns is the same; only how its rows lie in memory differs.
"""

from __future__ import annotations

from typing import Any

import torch

from .rows import IGNORED, marks


def collate_packed(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Lays rows end to end. The first token of each has no label, as nothing before it is its own.

    Shapes: `input_ids` and `labels` (1, all tokens), int64; `lengths` (rows), int64; `is_general` as `collate` has it.
    """
    labels = [label for row in rows for label in [IGNORED, *row["labels"][1:]]]
    return {
        "input_ids": torch.tensor([[token for row in rows for token in row["input_ids"]]]),
        "labels": torch.tensor([labels]),
        "lengths": torch.tensor([len(row["input_ids"]) for row in rows]),
        **marks(rows),
    }


def positions_of(lengths: list[int]) -> torch.Tensor:
    """Returns each token's place in its own row. Shapes: (1, all tokens), int64."""
    return torch.cat([torch.arange(length) for length in lengths]).unsqueeze(0)
