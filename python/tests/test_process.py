"""The protocol: requests that are wrong are refused by name, and stdout carries events only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tracemill_train.launch import gpu_count
from tracemill_train.model import training_dtype
from tracemill_train.refusal import Refusal
from tracemill_train.request import parse, read_json

from conftest import PACKAGE_FOLDER, WriteDataset, make_rows, run_here, run_trainer, train_request


@dataclass(frozen=True)
class Inner:
    learning_rate: float


@dataclass(frozen=True)
class Outer:
    folder: Path
    inner: Inner
    ids: list[list[int]]
    limit: int | None = None


GOOD: dict[str, Any] = {"folder": "/x", "inner": {"learningRate": 1}, "ids": [[1, 2]]}


def test_a_request_becomes_a_typed_record() -> None:
    assert parse(Outer, {**GOOD, "limit": 3}) == Outer(Path("/x"), Inner(1.0), [[1, 2]], 3)
    assert parse(Outer, {**GOOD, "limit": None}).limit is None


@pytest.mark.parametrize(
    ("change", "where", "word"),
    [
        ({"folder": 3}, "request.folder", "3"),
        ({"inner": {"learningRate": "fast"}}, "request.inner.learningRate", "fast"),
        ({"inner": {}}, "request.inner", "learningRate"),
        ({"ids": [[1, "2"]]}, "request.ids[0][1]", "2"),
        ({"limit": True}, "request.limit", "True"),
        ({"depth": 3}, "request", "depth"),
    ],
)
def test_a_wrong_key_is_refused_with_its_path(change: dict[str, Any], where: str, word: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(Outer, {**GOOD, **change})
    assert refused.value.code == "BAD_REQUEST"
    assert refused.value.details["where"] == where
    assert word in json.dumps(refused.value.details)


def test_a_request_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("{")
    for name in ("request.json", "missing.json"):
        with pytest.raises(Refusal):
            read_json(tmp_path / name)


def test_a_refusal_is_the_last_event_and_exit_code_2(tmp_path: Path) -> None:
    ended = run_trainer(tmp_path, "base", {"out": tmp_path, "gguf": tmp_path / "none.gguf"})
    assert ended.code == 2
    assert ended.events[-1]["type"] == "refused"
    assert ended.events[-1]["code"] == "NO_GGUF"
    assert ended.events[-1]["where"] == str(tmp_path / "none.gguf")


def test_what_a_library_prints_never_reaches_stdout() -> None:
    program = (
        "from tracemill_train.events import claim_stdout\n"
        "emit = claim_stdout()\nprint('noise')\nimport os\nos.system('echo more noise')\n"
        "emit('finished', value=1.5)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)},
        check=True,
    )
    assert ended.stdout == '{"type": "finished", "value": 1.5}\n'
    assert "more noise" in ended.stderr


def test_the_libraries_are_offline() -> None:
    program = "import tracemill_train.__main__, os, huggingface_hub.constants as c; print(c.HF_HUB_OFFLINE)"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(PACKAGE_FOLDER)},
        check=True,
    )
    assert ended.stdout.strip() == "True"


def test_the_speed_of_every_contender_is_measured(base: Path, write_dataset: WriteDataset, tmp_path: Path) -> None:
    dataset = write_dataset(make_rows(6, 1), make_rows(2, 2))
    config = train_request(tmp_path, base, dataset)["config"]
    ended = run_here("speed", {"base": base / "hf", "dataset": dataset, "config": config, "rounds": 2, "threads": 1})
    finished = ended.of("finished")[0]
    speeds, losses = finished["tokensPerSecond"], finished["losses"]
    has_bf16 = training_dtype() is torch.bfloat16  # emulated, it takes minutes
    assert speeds.keys() == losses.keys() == {"ours", "packed", "tuned", *(["defaults"] if has_bf16 else [])}
    assert min(speeds.values()) > 0
    assert (finished["rows"], finished["steps"]) == (4, dict.fromkeys(speeds, 2)), "whole batches alone"
    assert losses["packed"] == pytest.approx(losses["ours"], abs=0.05)
    assert len(set(losses["ours"])) == 2, "each round has a seed of its own"


def test_a_process_ends_with_the_one_that_started_it() -> None:
    watching = (
        "import time; from tracemill_train.parent import end_with_parent;"
        "end_with_parent(); print(flush=True); time.sleep(60)"
    )
    starter = (
        "import os, subprocess, sys;"
        f"child = subprocess.Popen([sys.executable, '-c', {watching!r}], stdout=subprocess.PIPE);"
        "child.stdout.readline(); os._exit(9)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", starter],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)},
        stderr=subprocess.PIPE,  # closes with its last holder, the watching process
        timeout=30,
        check=False,
    )
    assert ended.returncode == 9


@pytest.mark.parametrize("settings", [{}, {"trains": "full"}])
def test_a_training_that_was_planned_for_gpus_is_refused_where_there_are_fewer(
    base: Path, write_dataset: WriteDataset, tmp_path: Path, settings: dict[str, Any]
) -> None:
    request = train_request(tmp_path, base, write_dataset(make_rows(4, 1)), **settings)
    with pytest.raises(Refusal) as refused:
        run_here("train", {**request, "plannedGpus": gpu_count() + 1})
    assert (refused.value.code, refused.value.details["got"]) == ("NO_GPUS", str(gpu_count()))
