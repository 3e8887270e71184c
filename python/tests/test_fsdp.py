"""One training in several processes: it learns what a single process learns, and each goes on from the other's checkpoints.

The processes are two on this machine's processor, by Gloo; between GPUs the same code runs by NCCL.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tracemill_train import tiny_base
from tracemill_train import train as train_verb
from tracemill_train.launch import INTERRUPTED, check_launch
from tracemill_train.refusal import Refusal
from tracemill_train.settings import Settings

from conftest import PACKAGE_FOLDER, Ended, WriteDataset, make_rows, parsed, run_here, train_request

SETTINGS = Settings(4, 8, 0, 0.01, 1, 8, 1, 64, 1)
WORKERS = """
import sys
from tracemill_train.events import claim_stdout
from tracemill_train.launch import run_workers
claim_stdout()
sys.exit(run_workers(2, sys.argv[1:]))
"""
"""What `--launch fsdp` does once it has counted the GPUs."""

class Stopped(Exception):
    """Ends a training from within its events."""


def stop_at_four(type: str, **fields: Any) -> None:
    if type == "step" and fields["step"] == 4:
        raise Stopped


def run_two(folder: Path, request: dict[str, Any]) -> Ended:
    """Runs `train` as two processes."""
    file = folder / "request.json"
    file.write_text(json.dumps(request, default=str), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", WORKERS, "train", "--request", str(file)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)},
        timeout=300,
    )
    return Ended(ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr)


def test_two_processes_learn_what_one_does_and_each_goes_on_from_the_others_checkpoint(
    tmp_path: Path, write_dataset: WriteDataset
) -> None:
    """One takes three steps and two all that are left, the last without a row for the second of them; one repeats it."""
    tiny_base.run(tiny_base.Request(tmp_path, seed=1, family="gemma4"), lambda *_, **__: None)
    dataset = write_dataset(make_rows(22, seed=1), make_rows(3, seed=2))
    settings = {"quantization": "nf4", "gradientCheckpointing": True, "microBatchSize": 2, "packing": True, "patience": 1}
    request = train_request(tmp_path, tmp_path, dataset, epochs=1, learningRate=0.003, **settings)
    whole = run_here("train", {**request, "out": tmp_path / "whole", "checkpointFolder": tmp_path / "whole-checkpoints"})
    with pytest.raises(Stopped):
        train_verb.run(parsed("train", request), stop_at_four)
    two = run_two(tmp_path, {**request, "launch": "fsdp", "blockClass": "Gemma4TextDecoderLayer"})
    assert two.code == 0, two.noise
    limit = 5e-5 if whole.of("finished")[0]["versions"]["dtype"] == "float32" else 0.05
    assert_same(whole, two, limit)
    assert [event["step"] for event in two.of("step")] == [4, 5, 6]
    (of_one, of_two) = (ended.of("finished")[0] for ended in (whole, two))
    assert (of_two["trainedTokens"], of_two["bestStep"]) == (of_one["trainedTokens"], of_one["bestStep"])
    written = [load_file(tmp_path / f"{name}/adapter_model.safetensors") for name in ("whole", "adapter")]
    torch.testing.assert_close(written[1], written[0], rtol=0, atol=10 * limit)  # Adam lifts rounding
    files = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("whole", "adapter")]
    assert files[0] == files[1]
    shutil.rmtree(tmp_path / "checkpoints/checkpoint-6")
    again = run_here("train", request)
    assert again.of("finished")[0]["resumedFromStep"] == 5
    assert_same(whole, again, limit)


def assert_same(expected: Ended, found: Ended, limit: float) -> None:
    """Holds losses and gradients of two trainings to each other, up to rounding in the type that they computed in."""
    curves = [ended.of("finished")[0]["curve"] for ended in (expected, found)]
    assert len(curves[1]) == 6
    for name in ("loss", "gradNorm"):
        figures = [[point[name] for point in curve] for curve in curves]
        assert figures[1] == pytest.approx(figures[0], rel=limit)
    assert curves[1][-1]["validationLoss"] == pytest.approx(curves[0][-1]["validationLoss"], rel=limit)


def test_processes_that_are_told_to_end_get_the_time_for_a_checkpoint(tmp_path: Path) -> None:
    """Stand-ins take three seconds to save, and torch's own limit is one."""
    worker = tmp_path / "worker"
    worker.write_text(
        f"#!/bin/sh\ntrap 'sleep 3; touch {tmp_path}/saved-$RANK; exit 130' TERM\n"
        f"touch {tmp_path}/started-$RANK\nwhile true; do sleep 0.1; done\n"
    )
    worker.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.executable = '{worker}'\n{WORKERS}"],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER), "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "1"},
    )
    until = time.monotonic() + 120
    while len(list(tmp_path.glob("started-*"))) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    process.terminate()
    assert process.wait(timeout=60) == INTERRUPTED
    assert sorted(path.name for path in tmp_path.glob("saved-*")) == ["saved-0", "saved-1"]


def test_several_processes_are_refused_what_they_cannot_share(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    request = {"method": "sft", "settings": SETTINGS, "block_class": "LlamaDecoderLayer"}
    check_launch("single", 0, **request)
    check_launch("fsdp", 4, **request)
    check_launch("fsdp", 2, **{**request, "settings": replace(SETTINGS, micro_batch_size=2, patience=1)})
    for launch, gpus, change, code in (
        ("fsdp", 0, {}, "NO_GPUS"),
        ("fsdp", 1, {}, "NO_GPUS"),
        ("fsdp", 3, {}, "BAD_SETTINGS"),
        ("fsdp", 4, {"settings": replace(SETTINGS, micro_batch_size=2)}, "BAD_SETTINGS"),
        ("fsdp", 4, {"settings": replace(SETTINGS, optimizer="adamw-8bit")}, "BAD_SETTINGS"),
        ("fsdp", 4, {"settings": replace(SETTINGS, max_kl=1.0)}, "BAD_SETTINGS"),
        ("fsdp", 4, {"method": "dpo"}, "BAD_SETTINGS"),
        ("fsdp", 4, {"block_class": None}, "BAD_LAUNCH"),
        ("mpi", 4, {}, "BAD_LAUNCH"),
    ):
        with pytest.raises(Refusal) as refused:
            check_launch(launch, gpus, **{**request, **change})
        assert refused.value.code == code
    if torch.cuda.device_count() < 2:
        asked = {**train_request(tmp_path, base, write_dataset(make_rows(4, seed=1))), "launch": "fsdp"}
        with pytest.raises(Refusal) as refused:
            run_here("train", {**asked, "blockClass": "LlamaDecoderLayer"})
        assert refused.value.code == "NO_GPUS"
