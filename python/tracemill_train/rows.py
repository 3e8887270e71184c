"""The rows of a dataset folder: token ids and labels, ready to train on.

Which tokens are trained on is the dataset's decision (its mask); nothing is tokenised, cut or re-weighted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import torch

from .refusal import Refusal

IGNORED = -100
"""The label of a token that gets no loss, as torch's cross entropy has it."""


@dataclass(frozen=True)
class Row:
    """One example. `labels` has the length of `ids`: the id itself where the mask is 1, else `IGNORED`."""

    row_id: str
    ids: list[int]
    labels: list[int]

    @property
    def tokens(self) -> int:
        """Number of tokens that a step computes for this row."""
        return len(self.ids)

    @property
    def probe_ids(self) -> list[int]:
        """The ids of which a probe is made."""
        return self.ids

    @property
    def trained_tokens(self) -> int:
        """Number of tokens that get a loss: the first token of a row has no prediction."""
        return sum(label != IGNORED for label in self.labels[1:])


def load_rows(path: Path, max_tokens: int, vocabulary: int) -> list[Row]:
    """Reads a Parquet file with the columns row_id, ids, mask. A missing file holds no rows.

    Raises: `Refusal` BAD_DATASET (unreadable, or without a column), BAD_ROW (ids outside the vocabulary, a mask of
    another length, nothing to train on), ROW_TOO_LONG (a row is never cut: a clipped text may not become a target).
    """
    if not path.exists():
        return []
    try:
        table = parquet.read_table(path, columns=["row_id", "ids", "mask"])
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise Refusal("BAD_DATASET", "The rows cannot be read.", got=str(error), where=str(path)) from error
    columns = (table.column(name).to_pylist() for name in ("row_id", "ids", "mask"))
    rows = [_row(path, vocabulary, row_id, ids, mask) for row_id, ids, mask in zip(*columns)]
    longest = max((len(row.ids) for row in rows), default=0)
    if longest > max_tokens:
        raise Refusal(
            "ROW_TOO_LONG",
            f"{sum(len(row.ids) > max_tokens for row in rows)} rows have more tokens than the training takes.",
            expected=f"at most {max_tokens} tokens a row",
            got=f"up to {longest}",
            where=str(path),
            fix=f"train with --max-tokens {longest}",
        )
    return rows


def _row(path: Path, vocabulary: int, row_id: str, ids: list[int], mask: list[int]) -> Row:
    problem = None
    if not ids or len(ids) != len(mask):
        problem = f"{len(ids)} ids and a mask of {len(mask)}"
    elif min(ids) < 0 or max(ids) >= vocabulary:
        problem = f"ids from {min(ids)} to {max(ids)} with a vocabulary of {vocabulary}"
    elif not any(mask[1:]):
        problem = "no token to train on"
    if problem is not None:
        raise Refusal("BAD_ROW", "A row of the dataset cannot be trained on.", got=problem, where=f"{path}, {row_id}")
    return Row(row_id, ids, [token if trained else IGNORED for token, trained in zip(ids, mask)])


def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """Pads `input_ids` and `labels` on the right to the longest row.

    There is no attention mask: with causal attention no token sees the padding behind it, and the padding has no loss.
    Shapes: (rows, longest row) for both, int64.
    """
    longest = max(len(row["input_ids"]) for row in rows)
    input_ids = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
    for index, row in enumerate(rows):
        length = len(row["input_ids"])
        input_ids[index, :length] = torch.tensor(row["input_ids"])
        labels[index, :length] = torch.tensor(row["labels"])
    return {"input_ids": input_ids, "labels": labels}
