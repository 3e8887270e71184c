"""The order in which rows are trained on: random, yet with rows of like length in one batch, so that little is padded.

A pure function of (lengths, batch size, epochs, seed): a training that was killed goes on with the very row it would
have seen next.
"""

from __future__ import annotations

import random

POOL_BATCHES = 16
"""Rows are sorted by length within pools of this many batches: enough to save padding, few enough to stay random."""


def training_order(lengths: list[int], batch_size: int, epochs: float, seed: int) -> list[int]:
    """Returns row indices, batch after batch; each row comes once an epoch, all batches but the last are full.

    Rows that do not fill a batch are carried into the next epoch's first pool. `epochs` may end within an epoch.
    """
    total = max(1, round(len(lengths) * epochs))
    order: list[int] = []
    carried: list[int] = []
    epoch = 0
    while len(order) + len(carried) < total:
        drawer = random.Random(f"{seed}/{epoch}")
        rows = list(range(len(lengths)))
        drawer.shuffle(rows)
        rows = carried + rows
        full = len(rows) - len(rows) % batch_size
        rows, carried = rows[:full], rows[full:]
        batches = _batches_of_like_length(rows, lengths, batch_size)
        drawer.shuffle(batches)
        order.extend(row for batch in batches for row in batch)
        epoch += 1
    return (order + carried)[:total]


def _batches_of_like_length(rows: list[int], lengths: list[int], batch_size: int) -> list[list[int]]:
    pool = batch_size * POOL_BATCHES
    batches: list[list[int]] = []
    for start in range(0, len(rows), pool):
        by_length = sorted(rows[start : start + pool], key=lambda row: lengths[row])
        batches.extend(by_length[at : at + batch_size] for at in range(0, len(by_length), batch_size))
    return batches
