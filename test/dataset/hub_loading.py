"""Loads dataset folders as Hugging Face does, whole and file by file, and prints what came of each as JSON: null where a file fails."""

import json
import sys
from pathlib import Path

from datasets import load_dataset, load_dataset_builder
from datasets.exceptions import DatasetGenerationError

cache, *folders = sys.argv[1:]
found = {}
for folder in map(Path, folders):
    builder = load_dataset_builder(str(folder), cache_dir=cache)
    whole = load_dataset(str(folder), cache_dir=cache)
    kind = "parquet" if (folder / "train.parquet").exists() else "json"
    file = folder / ("train.parquet" if kind == "parquet" else "train.jsonl")
    try:
        alone = load_dataset(kind, data_files=str(file), split="train", cache_dir=cache)
    except DatasetGenerationError:
        alone = None
    found[str(folder)] = {
        "said": builder.info.features and builder.info.features.to_dict(),
        "features": whole["train"].features.to_dict(),
        "splits": {name: split.num_rows for name, split in whole.items()},
        "rows": list(whole["train"]),
        "columnsAlone": alone and alone.column_names,
        "rowsAlone": alone and alone.num_rows,
    }
print(json.dumps(found))
