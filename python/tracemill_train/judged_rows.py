"""The rows of a dataset of judged answers: token ids and labels of a conversation, and whether its answer was good."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .rows import IGNORED, Conversation, labels_of, prompt_of, read_columns, short_enough
from .settings import Settings

COLUMNS = ["row_id", "ids", "mask", "label"]


@dataclass(frozen=True)
class JudgedRow:
    """One judged answer.

    `other` is the same prompt with another row's answer; None where no divergence is to be estimated of it. The
    references are the summed log-probabilities (nats) that the untrained model gives the answers of both.
    """

    row_id: str
    answer: Conversation
    is_good: bool
    reference: float = 0.0
    other: Conversation | None = None
    other_reference: float = 0.0

    @property
    def tokens(self) -> int:
        """Number of tokens of the row, its prompt's included."""
        return len(self.answer.ids)

    @property
    def trained_tokens(self) -> int:
        """Number of tokens that get a loss."""
        return self.answer.trained_tokens

    @property
    def prompt_ids(self) -> list[int]:
        """The ids in front of the first token under the loss."""
        return prompt_of(self.answer.ids, self.answer.labels)

    @property
    def probe_ids(self) -> list[int]:
        """The ids of which a probe is made."""
        return self.answer.ids


def load_judged(path: Path, settings: Settings, vocabulary: int) -> list[JudgedRow]:
    """Reads a Parquet file with the columns row_id, ids, mask, label. A missing file holds no rows. Raises: as `load_rows`."""
    rows = [
        JudgedRow(row_id, Conversation(ids, labels_of(ids, mask, vocabulary, f"{path}, {row_id}")), bool(label))
        for row_id, ids, mask, label in read_columns(path, COLUMNS)
    ]
    return short_enough(rows, lambda row: len(row.answer.ids), settings, path)


def mismatched(row: JudgedRow, other: JudgedRow, max_tokens: int) -> Conversation:
    """Returns the prompt of `row` with the answer of `other`, cut at `max_tokens`: it is measured, never learned.

    A prompt ends where its row's first trained token is.
    """
    start, begin = (next(at for at, label in enumerate(one.answer.labels) if label != IGNORED) for one in (row, other))
    ids = row.answer.ids[:start] + other.answer.ids[begin:]
    labels = [IGNORED] * start + other.answer.labels[begin:]
    return Conversation(ids[:max_tokens], labels[:max_tokens])
