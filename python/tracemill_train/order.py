"""The order in which rows are trained on: random, and by length within each batch alone, so that rows computed together are alike.

Batches that hold rows of like length would be padded less, and each of short rows would move the weights as far by few
tokens as one of long rows by many: on a quick demo's rows that left 0.03 nats a token more loss (docs/log.md). A pure
function of (lengths, batch size, epochs, seed): a training that was killed goes on with the very row it would have seen
next.
"""

from __future__ import annotations

import random


def training_order(lengths: list[int], batch_size: int, epochs: float, seed: int) -> list[int]:
    """Returns row indices, batch after batch; each row comes once an epoch, all batches but the last are full.

    Rows that do not fill a batch are carried into the next epoch's first ones. `epochs` may end within an epoch.
    """
    total = max(1, round(len(lengths) * epochs))
    rows: list[int] = []
    epoch = 0
    while len(rows) < total:
        drawn = list(range(len(lengths)))
        random.Random(f"{seed}/{epoch}").shuffle(drawn)
        rows.extend(drawn)
        epoch += 1
    batches = (rows[:total][at : at + batch_size] for at in range(0, total, batch_size))
    return [row for batch in batches for row in sorted(batch, key=lambda row: lengths[row])]
