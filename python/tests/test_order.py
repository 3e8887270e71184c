"""The order of rows: each once an epoch, in full random batches, the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tracemill_train.order import training_order


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(1, 8, 1), (7, 8, 3), (16, 8, 2), (100, 8, 4), (301, 16, 3)])
def test_each_row_comes_once_an_epoch(rows: int, batch: int, epochs: int) -> None:
    lengths = [random.Random(row).randint(5, 200) for row in range(rows)]
    order = training_order(lengths, batch, epochs, seed=1)
    assert Counter(order) == {row: epochs for row in range(rows)}


def test_batches_are_random_and_sorted_by_length_within_themselves() -> None:
    lengths = [random.Random(row).randint(20, 200) for row in range(256)]
    order = training_order(lengths, 8, 1, seed=1)
    batches = [[lengths[row] for row in order[at : at + 8]] for at in range(0, len(order), 8)]
    assert all(batch == sorted(batch) for batch in batches)
    means = [sum(batch) / len(batch) for batch in batches]
    spread = sum((mean - 110) ** 2 for mean in means) / len(means)
    assert 0.5 < spread / (52**2 / 8) < 2, "batches differ as random draws of eight do"


def test_the_seed_alone_decides() -> None:
    lengths = list(range(10, 60))
    first, again, other = (training_order(lengths, 4, 2, seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other
    assert first[:50] != first[50:], "epochs differ"


def test_a_part_of_an_epoch_takes_that_part_of_the_rows() -> None:
    assert len(training_order([10] * 30, 4, 0.5, seed=1)) == 15
    assert len(training_order([10] * 30, 4, 1.5, seed=1)) == 45
    assert len(training_order([10], 4, 0.01, seed=1)) == 1
