"""One training in several processes: it learns what a single process learns, and each goes on from the other's checkpoints.

The processes are two on this machine's processor, by Gloo; between GPUs the same code runs by NCCL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as distributed
from safetensors.torch import load_file

from tracemill_train import tiny_base
from tracemill_train import train as train_verb
from tracemill_train.launch import check_launch
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

needs_gloo = pytest.mark.skipif(
    not (distributed.is_available() and distributed.is_gloo_available()), reason="this PyTorch has no Gloo"
)


def run_two(folder: Path, request: dict[str, Any], last_step: int | None = None) -> Ended:
    """Runs `train` as two processes to their end, or up to a step at which their launcher is told to end."""
    file = folder / "request.json"
    file.write_text(json.dumps(request, default=str), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", WORKERS, "train", "--request", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)},
    )
    events = []
    assert process.stdout is not None and process.stderr is not None
    for line in process.stdout:
        events.append(json.loads(line))
        if last_step is not None and events[-1].get("step") == last_step:
            process.terminate()
    noise = process.stderr.read()
    return Ended(process.wait(), events, noise)


def named(tmp_path: Path, request: dict[str, Any], name: str) -> dict[str, Any]:
    return {**request, "out": tmp_path / f"adapter-{name}", "checkpointFolder": tmp_path / f"checkpoints-{name}"}


def as_two(request: dict[str, Any], block_class: str) -> dict[str, Any]:
    return {**request, "launch": "fsdp", "blockClass": block_class}


@needs_gloo
def test_two_processes_learn_what_one_does(tmp_path: Path, write_dataset: WriteDataset) -> None:
    """The last step has two rows of four, of which the second process gets none."""
    tiny_base.run(tiny_base.Request(tmp_path, seed=1, family="gemma4"), lambda *_, **__: None)
    dataset = write_dataset(make_rows(10, seed=1), make_rows(3, seed=2))
    settings = {"quantization": "nf4", "gradientCheckpointing": True, "microBatchSize": 2, "packing": True, "patience": 1}
    request = train_request(tmp_path, tmp_path, dataset, epochs=1, **settings)
    one = run_here("train", named(tmp_path, request, "one"))
    two = run_two(tmp_path, as_two(named(tmp_path, request, "two"), "Gemma4TextDecoderLayer"))
    assert two.code == 0, two.noise
    (of_one, of_two) = (ended.of("finished")[0] for ended in (one, two))
    limit = tolerance(one)
    told = [[event["loss"] for type in ("step", "validation") for event in ended.of(type)] for ended in (one, two)]
    assert len(told[1]) == 4 and told[1] == pytest.approx(told[0], abs=limit)
    norms = [[event["gradNorm"] for event in ended.of("step")] for ended in (one, two)]
    assert norms[1] == pytest.approx(norms[0], rel=limit)
    weights = [load_file(tmp_path / f"adapter-{name}/adapter_model.safetensors") for name in ("one", "two")]
    # Adam divides by the root of tiny squares, which lifts rounding.
    torch.testing.assert_close(weights[1], weights[0], rtol=0, atol=10 * limit)
    assert max(float(weight.abs().max()) for name, weight in weights[0].items() if "lora_B" in name) > 0.01
    assert (of_two["trainedTokens"], of_two["bestStep"]) == (of_one["trainedTokens"], of_one["bestStep"])
    files = [sorted(path.name for path in (tmp_path / f"adapter-{name}").iterdir()) for name in ("one", "two")]
    assert files[0] == files[1]


@needs_gloo
def test_one_process_and_two_go_on_from_each_others_checkpoints(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(80, seed=1), make_rows(3, seed=2))
    request = train_request(tmp_path, base, dataset, epochs=1, learningRate=0.001)
    whole = run_here("train", named(tmp_path, request, "whole"))

    class Stopped(Exception):
        pass

    def stop_at_four(type: str, **fields: Any) -> None:
        if type == "step" and fields["step"] == 4:
            raise Stopped

    with pytest.raises(Stopped):
        train_verb.run(parsed("train", request), stop_at_four)
    two = run_two(tmp_path, as_two(request, "LlamaDecoderLayer"), last_step=6)
    assert two.code == 130, two.noise
    assert two.of("step")[0]["step"] == 4, "they go on from the third"
    (finished,) = run_here("train", request).of("finished")
    assert finished["resumedFromStep"] >= 6
    curves = [[point["loss"] for point in curve] for curve in (finished["curve"], whole.of("finished")[0]["curve"])]
    assert len(curves[0]) == 20 and curves[0] == pytest.approx(curves[1], abs=tolerance(whole))


def tolerance(ended: Ended) -> float:
    """How far the losses of halves of a batch, added up, may lie from the whole batch's: rounding, in the type computed in."""
    return 5e-5 if ended.of("finished")[0]["versions"]["dtype"] == "float32" else 0.05


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
        asked = as_two(train_request(tmp_path, base, write_dataset(make_rows(4, seed=1))), "LlamaDecoderLayer")
        with pytest.raises(Refusal) as refused:
            run_here("train", asked)
        assert refused.value.code == "NO_GPUS"
