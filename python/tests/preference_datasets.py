"""Datasets of pairs and of judged answers, of made-up ids, as an export would leave them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

IDS, MASK = pyarrow.list_(pyarrow.int32()), pyarrow.list_(pyarrow.uint8())
PAIRS = pyarrow.schema(
    [("row_id", pyarrow.string())]
    + [(f"{side}_{name}", kind) for side in ("chosen", "rejected") for name, kind in (("ids", IDS), ("mask", MASK))]
)
JUDGED = pyarrow.schema([("row_id", pyarrow.string()), ("ids", IDS), ("mask", MASK), ("label", pyarrow.bool_())])

GOOD, BAD = 7, 11
"""What good and bad answers are made of, so that a tiny model can tell them apart on prompts that it has not seen."""


def make_pairs(count: int, seed: int) -> list[dict[str, Any]]:
    """Pairs of answers to random prompts: the chosen one of `GOOD`, the rejected one of `BAD`."""
    drawer = random.Random(seed)
    rows = []
    for index in range(count):
        prompt = _prompt(drawer)
        sides = {"chosen": [GOOD] * drawer.randint(2, 4), "rejected": [BAD] * drawer.randint(2, 4)}
        row: dict[str, Any] = {"row_id": f"pair-{seed}-{index}"}
        for side, answer in sides.items():
            row |= {f"{side}_ids": prompt + answer, f"{side}_mask": [0] * len(prompt) + [1] * len(answer)}
        rows.append(row)
    return rows


def make_judged(count: int, seed: int) -> list[dict[str, Any]]:
    """Answers to random prompts, every other one good."""
    drawer = random.Random(seed)
    rows = []
    for index in range(count):
        prompt, is_good = _prompt(drawer), index % 2 == 0
        answer = [GOOD if is_good else BAD] * drawer.randint(2, 4)
        mask = [0] * len(prompt) + [1] * len(answer)
        rows.append({"row_id": f"judged-{seed}-{index}", "ids": prompt + answer, "mask": mask, "label": is_good})
    return rows


def _prompt(drawer: random.Random) -> list[int]:
    return [drawer.randrange(20, 512) for _ in range(drawer.randint(8, 30))]


def write_parts(
    folder: Path, schema: pyarrow.Schema, train: list[dict[str, Any]], validation: list[dict[str, Any]]
) -> Path:
    """Writes a dataset folder and returns it."""
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    for part, rows in (("train", train), ("validation", validation)):
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), folder / f"tokens/{part}.parquet")
    return folder
