"""The rows of a dataset of pairs: to one prompt a chosen and a rejected conversation, each with its ids and labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .rows import Conversation, labels_of, prompt_of, read_columns, short_enough
from .settings import Settings

COLUMNS = ["row_id", "chosen_ids", "chosen_mask", "rejected_ids", "rejected_mask"]


@dataclass(frozen=True)
class PairRow:
    """One pair. The references are the summed log-probabilities (nats) that the untrained model gives either answer."""

    row_id: str
    chosen: Conversation
    rejected: Conversation
    chosen_reference: float = 0.0
    rejected_reference: float = 0.0

    @property
    def tokens(self) -> int:
        """Number of tokens that a step computes for this row."""
        return len(self.chosen.ids) + len(self.rejected.ids)

    @property
    def trained_tokens(self) -> int:
        """Number of tokens that get a loss, of both answers."""
        return self.chosen.trained_tokens + self.rejected.trained_tokens

    @property
    def prompt_ids(self) -> list[int]:
        """The ids in front of the first token under the loss."""
        return prompt_of(self.chosen.ids, self.chosen.labels)

    @property
    def probe_ids(self) -> list[int]:
        """The ids of which a probe is made."""
        return self.chosen.ids


def load_pairs(path: Path, settings: Settings, vocabulary: int) -> list[PairRow]:
    """Reads a Parquet file with row_id and the ids and mask of either side. A missing file holds no rows.

    Raises: as `load_rows`; a pair is too long where one of its sides is.
    """
    rows = []
    for row_id, *columns in read_columns(path, COLUMNS):
        chosen, rejected = (
            Conversation(ids, labels_of(ids, mask, vocabulary, f"{path}, {row_id}, {side}"))
            for side, ids, mask in (("chosen", *columns[:2]), ("rejected", *columns[2:]))
        )
        rows.append(PairRow(row_id, chosen, rejected))
    return short_enough(rows, lambda row: max(len(row.chosen.ids), len(row.rejected.ids)), settings, path)
