"""Selects training rows by hand with Hugging Face datasets, as one would without tracemill.

`datasets_selection.py EXAMPLES OUT`: loads examples as JSON lines, filters them by what decided them, drops exact copies,
keeps at most two rows of an item, maps them to prompt and completion, and writes them as JSON lines.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from datasets import load_dataset

MOST_OF_AN_ITEM = 2


def is_good(example: dict) -> bool:
    return (
        example["eval_passed"]
        and example["confidence"] >= 0.99
        and example["signal_type"] in ("binary", "graded")
        and example["finish_reason"] != "length"
        and not example["before_passed"]
        and not example["flags"]
        and example["split"] in ("train", "validation")
    )


class Chooser:
    """Keeps the first of equal rows, and the first few of an item."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.of_item: dict[str, int] = {}

    def __call__(self, example: dict) -> bool:
        text = json.dumps([example["messages"], " ".join(example["response"].split())], sort_keys=True)
        key = hashlib.sha256(text.encode()).digest()
        count = self.of_item.get(example["item"], 0)
        if key in self.seen or count >= MOST_OF_AN_ITEM:
            return False
        self.seen.add(key)
        self.of_item[example["item"]] = count + 1
        return True


def row(example: dict) -> dict:
    answer = [{"role": "assistant", "content": example["response"]}]
    return {"prompt": example["messages"], "completion": answer, "reward": example["value"]}


def main(examples: str, out: str) -> None:
    with tempfile.TemporaryDirectory(dir=Path(out).parent) as cache:
        loaded = load_dataset("json", data_files=examples, split="train", cache_dir=cache)
        good = loaded.filter(is_good, num_proc=1)
        chosen = good.filter(Chooser(), num_proc=1, load_from_cache_file=False)
        columns = [name for name in chosen.column_names if name not in ("item", "family", "turn", "model")]
        rows = chosen.map(row, remove_columns=columns)
        rows.to_json(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
