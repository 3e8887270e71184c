"""Fixtures: the tiny base, made once a session, datasets of made-up rows, and the trainer as a real process."""

from __future__ import annotations

import importlib
import json
import os
import random
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

from tracemill_train import offline  # noqa: F401, E402  (before any library)

import pyarrow  # noqa: E402
import pyarrow.parquet as parquet  # noqa: E402
import pytest  # noqa: E402

from tracemill_train import tiny_base  # noqa: E402
from tracemill_train.request import parse  # noqa: E402

PACKAGE_FOLDER = Path(__file__).parents[1]
SCHEMA = pyarrow.schema(
    [("row_id", pyarrow.string()), ("ids", pyarrow.list_(pyarrow.int32())), ("mask", pyarrow.list_(pyarrow.uint8()))]
)


@dataclass(frozen=True)
class Ended:
    """How a trainer process ended: its exit code, its events and its stderr."""

    code: int
    events: list[dict[str, Any]]
    noise: str

    def of(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]


def start_trainer(
    folder: Path, verb: str, request: dict[str, Any], largest_file_bytes: int | None = None
) -> subprocess.Popen[str]:
    """Starts `python -m tracemill_train` with a request file in `folder`, and no room for larger files where that is said."""

    def limit() -> None:
        if largest_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))

    file = folder / f"{verb}-request.json"
    file.write_text(json.dumps(request, default=str), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "tracemill_train", verb, "--request", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)},
        preexec_fn=limit,
    )


def run_trainer(folder: Path, verb: str, request: dict[str, Any], largest_file_bytes: int | None = None) -> Ended:
    """Runs a verb to its end."""
    process = start_trainer(folder, verb, request, largest_file_bytes)
    out, noise = process.communicate(timeout=120)
    return Ended(process.returncode, [json.loads(line) for line in out.splitlines()], noise)


def kill_at_step(folder: Path, request: dict[str, Any], step: int) -> None:
    """Starts a training and kills it once it has told of a step."""
    process = start_trainer(folder, "train", request)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("step") == step:
            process.kill()
            break
    process.wait()


def parsed(verb: str, request: dict[str, Any]) -> Any:
    """Returns a request as the verb's own record."""
    record = importlib.import_module(f"tracemill_train.{verb}").Request
    return parse(record, json.loads(json.dumps(request, default=str)))


def run_here(verb: str, request: dict[str, Any]) -> Ended:
    """Runs a verb in this process, which spares loading the libraries anew. Raises: what the verb refuses."""
    events: list[dict[str, Any]] = []
    run = importlib.import_module(f"tracemill_train.{verb}").run
    finished = run(parsed(verb, request), lambda type, **fields: events.append({"type": type, **fields}))
    return Ended(0, [*events, {"type": "finished", **finished}], "")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `hf/` and `model-f16.gguf` of the tiny base."""
    out = tmp_path_factory.mktemp("tiny-base")
    tiny_base.run(tiny_base.Request(out=out, seed=1), lambda *_, **__: None)
    return out


def make_rows(count: int, seed: int, longest: int = 40) -> list[dict[str, Any]]:
    """Rows of random ids, the last 3 to 8 of them under the loss."""
    drawer = random.Random(seed)
    rows = []
    for index in range(count):
        ids = [drawer.randrange(3, 512) for _ in range(drawer.randint(12, longest))]
        trained = drawer.randint(3, 8)
        rows.append({"row_id": f"row-{index}", "ids": ids, "mask": [0] * (len(ids) - trained) + [1] * trained})
    return rows


WriteDataset = Callable[..., Path]


@pytest.fixture
def write_dataset(tmp_path: Path) -> WriteDataset:
    """Writes train and validation rows as a dataset folder and returns it."""

    def write(train: list[dict[str, Any]], validation: list[dict[str, Any]] | None = None) -> Path:
        folder = tmp_path / "dataset"
        (folder / "tokens").mkdir(parents=True, exist_ok=True)
        for name, rows in (("train", train), ("validation", validation or [])):
            parquet.write_table(pyarrow.Table.from_pylist(rows, schema=SCHEMA), folder / f"tokens/{name}.parquet")
        return folder

    return write


def train_request(tmp_path: Path, base: Path, dataset: Path, method: str = "sft", **config: Any) -> dict[str, Any]:
    """A small training; `config` overrides its settings."""
    settings = {
        "rank": 8,
        "alpha": 16,
        "dropout": 0,
        "learningRate": 0.01,
        "epochs": 2,
        "batchSize": 4,
        "warmupSteps": 1,
        "maxTokens": 64,
        "seed": 1,
    }
    return {
        "method": method,
        "dataset": dataset,
        "base": base / "hf",
        "out": tmp_path / "adapter",
        "checkpointFolder": tmp_path / "checkpoints",
        "config": {**settings, **config},
        "checkpointSeconds": 0,
    }
