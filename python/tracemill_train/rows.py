"""The rows of a dataset folder: token ids and labels, ready to train on.

Which tokens are trained on is the dataset's decision (its mask); nothing is tokenised, cut or re-weighted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pyarrow
import pyarrow.parquet as parquet
import torch

from .refusal import Refusal
from .settings import Settings

IGNORED = -100
"""The label of a token that gets no loss, as torch's cross entropy has it."""


@dataclass(frozen=True)
class Row:
    """One example. `labels` has the length of `ids`: the id itself where the mask is 1, else `IGNORED`.

    `is_general`: it is rehearsed, and no row of the dataset.
    """

    row_id: str
    ids: list[int]
    labels: list[int]
    is_general: bool = False

    @property
    def tokens(self) -> int:
        """Number of tokens that a step computes for this row."""
        return len(self.ids)

    @property
    def probe_ids(self) -> list[int]:
        """The ids of which a probe is made."""
        return self.ids

    @property
    def prompt_ids(self) -> list[int]:
        """The ids in front of the first token under the loss."""
        return prompt_of(self.ids, self.labels)

    @property
    def trained_tokens(self) -> int:
        """Number of tokens that get a loss: the first token of a row has no prediction."""
        return sum(label != IGNORED for label in self.labels[1:])


@dataclass(frozen=True)
class Conversation:
    """Token ids and labels of one conversation; `labels` is the id itself where it is trained on, else `IGNORED`."""

    ids: list[int]
    labels: list[int]

    @property
    def trained_tokens(self) -> int:
        """Number of tokens that have a log-probability: the first one has no prediction."""
        return sum(label != IGNORED for label in self.labels[1:])


def prompt_of(ids: list[int], labels: list[int]) -> list[int]:
    """Returns the ids in front of the first label, one at least."""
    first = next(at for at, label in enumerate(labels) if at > 0 and label != IGNORED)
    return ids[:first]


def load_rows(path: Path, settings: Settings | None, vocabulary: int) -> list[Row]:
    """Reads a Parquet file with the columns row_id, ids, mask. A missing file holds no rows; without settings none is too long.

    Raises: `Refusal` BAD_DATASET (unreadable, or without a column), BAD_ROW (ids outside the vocabulary, a mask of
    another length, nothing to train on), ROW_TOO_LONG (a row is never cut: a clipped text may not become a target).
    """
    rows = [
        Row(row_id, ids, labels_of(ids, mask, vocabulary, f"{path}, {row_id}"))
        for row_id, ids, mask in read_columns(path, ["row_id", "ids", "mask"])
    ]
    return rows if settings is None else short_enough(rows, lambda row: len(row.ids), settings, path)


def read_columns(path: Path, names: list[str]) -> list[tuple[Any, ...]]:
    """Reads some columns of a Parquet file, row by row. A missing file holds no rows. Raises: `Refusal` BAD_DATASET."""
    if not path.exists():
        return []
    try:
        table = parquet.read_table(path, columns=names)
        return list(zip(*(table.column(name).to_pylist() for name in names)))
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise Refusal(
            "BAD_DATASET",
            "The rows cannot be read.",
            expected=f"the columns {', '.join(names)}",
            got=str(error),
            where=str(path),
        ) from error


def labels_of(ids: list[int], mask: list[int], vocabulary: int, where: str) -> list[int]:
    """Returns each id where its mask is 1, else `IGNORED`. Raises: `Refusal` BAD_ROW, as `load_rows`."""
    problem = None
    if not ids or len(ids) != len(mask):
        problem = f"{len(ids)} ids and a mask of {len(mask)}"
    elif min(ids) < 0 or max(ids) >= vocabulary:
        problem = f"ids from {min(ids)} to {max(ids)} with a vocabulary of {vocabulary}"
    elif not any(mask[1:]):
        problem = "no token to train on"
    if problem is not None:
        raise Refusal("BAD_ROW", "A row of the dataset cannot be trained on.", got=problem, where=where)
    return [token if trained else IGNORED for token, trained in zip(ids, mask)]


def short_enough(rows: list[Any], tokens_of: Callable[[Any], int], settings: Settings, path: Path) -> list[Any]:
    """Returns the rows of at most `max_tokens`; longer ones are dropped only where the settings allow that.

    Raises: `Refusal` ROW_TOO_LONG.
    """
    longest = max(map(tokens_of, rows), default=0)
    if longest <= settings.max_tokens:
        return rows
    kept = [row for row in rows if tokens_of(row) <= settings.max_tokens]
    if settings.too_long == "drop":
        return kept
    raise Refusal(
        "ROW_TOO_LONG",
        f"{len(rows) - len(kept)} rows have more tokens than the training takes.",
        expected=f"at most {settings.max_tokens} tokens a row",
        got=f"up to {longest}",
        where=str(path),
        fix=f"train with --max-tokens {longest}, or without them: --too-long drop",
    )


def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Pads `input_ids` and `labels` on the right to the longest row.

    There is no attention mask: with causal attention no token sees the padding behind it, and the padding has no loss.
    Shapes: (rows, longest row) for both, int64; `is_general` (rows), bool, where the rows have it.
    """
    longest = max(len(row["input_ids"]) for row in rows)
    input_ids = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
    for index, row in enumerate(rows):
        length = len(row["input_ids"])
        input_ids[index, :length] = torch.tensor(row["input_ids"])
        labels[index, :length] = torch.tensor(row["labels"])
    return {"input_ids": input_ids, "labels": labels, **marks(rows)}


def marks(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Returns `is_general` (rows), bool, where the rows have it."""
    return {"is_general": torch.tensor([row["is_general"] for row in rows])} if "is_general" in rows[0] else {}
