"""The training as a process: what it learns, writes, survives and refuses."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from tracemill_train import train
from tracemill_train.model import load_model
from tracemill_train.probes import token_logprobs
from tracemill_train.refusal import Refusal

from conftest import WriteDataset, kill_at_step, make_rows, parsed, run_here, run_trainer, train_request


EPOCHS = 60
LEAST_LOSS = 0.88
"""What the tiny base can reach: its frozen final norm and embeddings bound how sure it can be."""


def losses(events: list[dict[str, Any]]) -> dict[int, float]:
    return {event["step"]: event["loss"] for event in events if event["type"] == "step"}


def test_a_training_overfits_four_rows_and_says_so(base: Path, tmp_path: Path, write_dataset: WriteDataset) -> None:
    rows = make_rows(4, seed=1)
    dataset = write_dataset(rows, make_rows(3, seed=2))
    ended = run_here("train", train_request(tmp_path, base, dataset, epochs=EPOCHS, learningRate=0.02))
    (finished,) = ended.of("finished")
    curve = finished["curve"]
    assert curve[0]["loss"] > 5 and curve[-1]["loss"] < LEAST_LOSS + 0.05
    assert [point["step"] for point in curve] == list(range(1, EPOCHS + 1))
    assert all(point["validationLoss"] is not None for point in curve)
    assert finished["trainedTokens"] == EPOCHS * sum(sum(row["mask"]) for row in rows)
    assert finished["tokens"] == EPOCHS * sum(len(row["ids"]) for row in rows)
    assert {"torch", "peft", "trl", "dtype"} <= finished["versions"].keys()
    step = ended.of("step")[30]
    assert step["steps"] == EPOCHS and step["tokensPerSecond"] > 0 and step["etaMs"] > 0
    assert curve[0]["learningRate"] == 0 and curve[1]["learningRate"] == 0.02 and curve[-1]["learningRate"] < 0.001
    folder = tmp_path / "adapter"
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter.gguf",
        "adapter_config.json",
        "adapter_model.safetensors",
        "probes.json",
    ]
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["r"], config["lora_alpha"]) == (str(base / "hf"), 8, 16)


def test_probes_hold_the_float32_log_probabilities_of_base_and_adapter(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    validation = make_rows(3, seed=2)
    dataset = write_dataset(make_rows(8, seed=1), validation)
    run_here("train", train_request(tmp_path, base, dataset, epochs=4))
    written = json.loads((tmp_path / "adapter/probes.json").read_text())
    assert written["dtype"] == "float32"
    assert sorted(probe["ids"] for probe in written["probes"]) == sorted(row["ids"] for row in validation)
    model = load_model(base / "hf", torch.float32).eval()
    before = [token_logprobs(model, probe["ids"]) for probe in written["probes"]]
    adapted = PeftModel.from_pretrained(model, tmp_path / "adapter").eval()
    for probe, of_base in zip(written["probes"], before):
        assert len(probe["baseLogprobs"]) == len(probe["ids"]) - 1
        assert probe["baseLogprobs"] == pytest.approx(of_base, abs=1e-4)
        assert probe["adapterLogprobs"] == pytest.approx(token_logprobs(adapted, probe["ids"]), abs=1e-4)
        assert max(abs(x - y) for x, y in zip(probe["baseLogprobs"], probe["adapterLogprobs"])) > 0.01
    request = {"base": base / "hf", "adapter": tmp_path / "adapter", "sequences": [written["probes"][0]["ids"]]}
    (scored,) = run_here("logprobs", request).of("finished")
    assert scored["logprobs"][0] == pytest.approx(written["probes"][0]["adapterLogprobs"], abs=1e-5)


def test_a_killed_training_goes_on_with_the_same_losses(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(18, seed=1), make_rows(3, seed=2))
    settings = {"epochs": 4, "dropout": 0.1}
    whole = run_here("train", train_request(tmp_path, base, dataset, **settings))
    request = train_request(tmp_path, base, dataset, **settings)
    request |= {"out": tmp_path / "second", "checkpointFolder": tmp_path / "second-checkpoints"}
    kill_at_step(tmp_path, request, 9)
    (tmp_path / "second-checkpoints/checkpoint-17").mkdir()  # torn: a kill while it was written
    resumed = run_trainer(tmp_path, "train", request)
    assert resumed.code == 0, resumed.noise
    (first, second) = (ended.of("finished")[0] for ended in (whole, resumed))
    assert 7 <= second["resumedFromStep"] <= 9
    assert min(losses(resumed.events)) == second["resumedFromStep"] + 1
    assert second["curve"] == first["curve"]
    assert second["trainedTokens"] == first["trainedTokens"]
    adapters = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("adapter", "second")]
    assert adapters[0] == adapters[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_checkpoint_at_the_step_at_hand(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, number: signal.Signals
) -> None:
    dataset = write_dataset(make_rows(16, seed=1))
    request = parsed("train", {**train_request(tmp_path, base, dataset, epochs=20), "checkpointSeconds": 1000})

    def emit(type: str, **fields: Any) -> None:
        if type == "step" and fields["step"] == 5:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        train.run(request, emit)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    assert checkpoint.name == "checkpoint-5"
    assert (checkpoint / "complete").exists()
    assert not (tmp_path / "adapter").exists()


def test_a_training_without_validation_rows_takes_its_probes_from_the_train_rows(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    rows = make_rows(4, seed=1)
    ended = run_here("train", train_request(tmp_path, base, write_dataset(rows), epochs=1))
    assert not any("loss" in event for event in ended.of("validation"))
    probes = json.loads((tmp_path / "adapter/probes.json").read_text())["probes"]
    assert sorted(probe["ids"] for probe in probes) == sorted(row["ids"] for row in rows)


def spoiled(**change: Any) -> list[dict[str, Any]]:
    rows = make_rows(4, seed=1)
    rows[2] = {**rows[2], **change}
    return rows


@pytest.mark.parametrize(
    ("rows", "code", "where"),
    [
        ([], "NO_TRAIN_ROWS", "dataset"),
        (spoiled(ids=[5, 6, 7], mask=[0, 1]), "BAD_ROW", "row-2"),
        (spoiled(ids=[5, 6, 512], mask=[0, 1, 1]), "BAD_ROW", "row-2"),
        (spoiled(ids=[5, 6, 7], mask=[1, 0, 0]), "BAD_ROW", "row-2"),
        (spoiled(ids=[5] * 65, mask=[1] * 65), "ROW_TOO_LONG", "train.parquet"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, rows: list[dict[str, Any]], code: str, where: str
) -> None:
    with pytest.raises(Refusal) as refused:
        run_here("train", train_request(tmp_path, base, write_dataset(rows)))
    assert refused.value.code == code
    assert where in refused.value.details["where"]
    assert not (tmp_path / "adapter").exists()


def test_a_loss_that_is_not_a_number_ends_the_training(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(8, seed=1))
    with pytest.raises(Refusal) as refused:
        run_here("train", train_request(tmp_path, base, dataset, learningRate=1e30, epochs=8))
    assert refused.value.code == "TRAINING_DIVERGED"
    assert not (tmp_path / "adapter").exists()
