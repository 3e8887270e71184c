"""What happens while a training runs: micro-batches, early stop, distance from the base, rehearsal, resuming."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest
import torch
from safetensors.torch import load_file

from tracemill_train import train as train_verb
from tracemill_train.kl import Distance
from tracemill_train.lora import add_lora, use_fast_forward
from tracemill_train.methods import sft
from tracemill_train.model import load_model, text_model
from tracemill_train.refusal import Refusal
from tracemill_train.rows import IGNORED, Row
from tracemill_train.settings import Settings

from conftest import SCHEMA, WriteDataset, kill_at_step, make_rows, parsed, run_here, run_trainer, train_request

@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains in float32 whatever this processor multiplies best."""
    for module in ("tracemill_train.loading", "tracemill_train.trainer_arguments"):
        monkeypatch.setattr(f"{module}.training_dtype", lambda: torch.float32)


def losses(ended: Any) -> list[float]:
    return [event["loss"] for event in ended.of("step")]


def test_micro_batches_learn_what_the_whole_batch_does(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, in_float32: None
) -> None:
    dataset = write_dataset(make_rows(18, seed=1), make_rows(3, seed=2))
    ended = {}
    for micro in (None, 4, 1):
        request = train_request(tmp_path, base, dataset, batchSize=8, microBatchSize=micro, epochs=2)
        folders = {"out": tmp_path / f"adapter-{micro}", "checkpointFolder": tmp_path / f"checkpoints-{micro}"}
        ended[micro] = run_here("train", {**request, **folders})
    for micro in (4, 1):
        assert losses(ended[micro]) == pytest.approx(losses(ended[None]), abs=1e-5)
        norms = [[event["gradNorm"] for event in ended[key].of("step")] for key in (micro, None)]
        assert norms[0] == pytest.approx(norms[1], rel=1e-4)
    weights = {key: load_file(tmp_path / f"adapter-{key}/adapter_model.safetensors") for key in ended}
    # Adam divides by the root of tiny squares, which lifts rounding.
    torch.testing.assert_close(weights[4], weights[None], rtol=0, atol=1e-3)


def test_a_packed_training_has_the_losses_of_a_padded_one(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, in_float32: None
) -> None:
    dataset = write_dataset(make_rows(12, seed=1), make_rows(3, seed=2))
    ended = []
    for packing in (False, True):
        request = train_request(tmp_path, base, dataset, packing=packing, microBatchSize=2)
        folders = {"out": tmp_path / f"adapter-{packing}", "checkpointFolder": tmp_path / f"c{packing}"}
        ended.append(run_here("train", {**request, **folders}))
    assert losses(ended[1]) == pytest.approx(losses(ended[0]), abs=1e-5)


@pytest.mark.parametrize("settings", [{}, {"packing": True, "microBatchSize": 2}, {"patience": 5, "dropout": 0.1}])
def test_a_resumed_training_has_the_losses_of_one_that_was_never_stopped(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, in_float32: None, settings: dict[str, Any]
) -> None:
    dataset = write_dataset(make_rows(12, seed=1), make_rows(3, seed=2))
    request = train_request(tmp_path, base, dataset, epochs=4, **settings)
    whole = run_here("train", request)

    class Stopped(Exception):
        pass

    def stop_at_seven(type: str, **fields: Any) -> None:
        if type == "step" and fields["step"] == 7:
            raise Stopped

    second = {**request, "out": tmp_path / "second", "checkpointFolder": tmp_path / "second-checkpoints"}
    with pytest.raises(Stopped):
        train_verb.run(parsed("train", second), stop_at_seven)
    resumed = run_here("train", second)
    (first, then) = (ended.of("finished")[0] for ended in (whole, resumed))
    assert then["resumedFromStep"] == 6
    assert [point["loss"] for point in then["curve"]] == pytest.approx([point["loss"] for point in first["curve"]], abs=1e-6)
    assert then["bestStep"] == first["bestStep"]


def test_patience_ends_a_training_and_the_best_weights_are_what_is_written(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, in_float32: None
) -> None:
    # The validation rows are noise: what is learned of the train rows soon makes them worse.
    dataset = write_dataset(make_rows(4, seed=1), make_rows(6, seed=2))
    settings = {"learningRate": 0.05, "epochs": 60}
    ended = run_here("train", train_request(tmp_path, base, dataset, patience=2, **settings))
    (finished,) = ended.of("finished")
    validations = {event["step"]: event["loss"] for event in ended.of("validation")}
    best = min(validations, key=lambda step: validations[step])
    assert finished["stoppedBy"] == "patience"
    assert finished["bestStep"] == best
    assert finished["steps"] == best + 2 < 60
    request = {**train_request(tmp_path, base, dataset, patience=2, **settings), "out": tmp_path / "once-more"}
    (again,) = run_here("train", request).of("finished")
    assert (again["curve"], again["steps"], again["bestStep"]) == (finished["curve"], finished["steps"], best)
    names = ("adapter", "once-more")
    weights = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in names]
    assert weights[0] == weights[1], "killed between its end and its files, a training takes no step more"
    assert finished["trainedTokens"] == finished["steps"] * sum(sum(row["mask"]) for row in make_rows(4, seed=1))
    longer = train_request(tmp_path, base, dataset, patience=100, **{**settings, "epochs": 60})
    longer |= {"out": tmp_path / "at-best", "checkpointFolder": tmp_path / "at-best-checkpoints"}

    def stop(type: str, **fields: Any) -> None:
        if type == "step" and fields["step"] == best:
            shutil.copytree(tmp_path / "at-best-checkpoints", tmp_path / "kept", dirs_exist_ok=True)

    train_verb.run(parsed("train", longer), stop)
    kept = load_file(tmp_path / f"kept/best-{best}.safetensors")
    written = load_file(tmp_path / "adapter/adapter_model.safetensors")
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"
    torch.testing.assert_close(written[name], kept[name.replace(".weight", ".default.weight")])


def test_the_distance_is_nothing_at_first_and_the_direct_sum_of_the_definition_later(base: Path) -> None:
    torch.manual_seed(1)
    model = add_lora(load_model(base / "hf", torch.float32), 4, 8, 0.0)
    use_fast_forward(model)
    before = torch.get_rng_state()
    rows = as_rows(make_rows(5, seed=3))
    distance = Distance(model, rows, seed=1)
    assert torch.equal(torch.get_rng_state(), before), "the training draws what it would have drawn"
    assert distance.measure(model) == pytest.approx(0, abs=1e-6)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    total, count = 0.0, 0
    with torch.no_grad():
        for start, ids in distance._texts:
            assert len(ids) > start
            adapted = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].double(), dim=-1)
            with model.disable_adapter():
                plain = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].double(), dim=-1)
            for at in range(start - 1, len(ids) - 1):
                total += float((plain[at].exp() * (plain[at] - adapted[at])).sum())
                count += 1
    assert distance.measure(model) == pytest.approx(total / count, rel=1e-4)
    assert total / count > 0.01
    other = Distance(model, rows, seed=1)
    assert other._texts == distance._texts, "the same seed gives the same texts"


def as_rows(rows: list[dict[str, Any]]) -> list[Row]:
    return [
        Row(row["row_id"], row["ids"], [t if m else IGNORED for t, m in zip(row["ids"], row["mask"])]) for row in rows
    ]


def test_a_budget_of_distance_ends_the_training(base: Path, tmp_path: Path, write_dataset: WriteDataset) -> None:
    dataset = write_dataset(make_rows(4, seed=1), make_rows(3, seed=2))
    ended = run_here("train", train_request(tmp_path, base, dataset, epochs=60, learningRate=0.02, maxKl=0.05))
    (finished,) = ended.of("finished")
    told = [event["klToBase"] for event in ended.of("validation")]
    assert finished["stoppedBy"] == "max-kl"
    assert told[-1] > 0.05 and all(kl <= 0.05 for kl in told[:-1])
    assert finished["steps"] < 60
    assert (tmp_path / "adapter/adapter_model.safetensors").exists()


def test_validations_come_after_so_many_steps_where_that_is_asked_for(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(16, seed=1), make_rows(3, seed=2))
    settings = {"epochs": 3, "learningRate": 0.02, "validateEvery": 2, "maxKl": 0.02}
    ended = run_here("train", train_request(tmp_path, base, dataset, **settings))
    told = {event["step"]: event["klToBase"] for event in ended.of("validation")}
    (finished,) = ended.of("finished")
    assert list(told) == list(range(2, finished["steps"] + 1, 2))
    assert finished["stoppedBy"] == "max-kl" and finished["steps"] < 12, "between two ends of an epoch"


def test_a_distance_that_is_no_number_is_not_told_as_none(base: Path) -> None:
    model = add_lora(load_model(base / "hf", torch.float32), 4, 8, 0.0)
    distance = Distance(model, as_rows(make_rows(2, seed=3)), seed=1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(weight, float("nan"))
    assert math.isnan(distance.measure(model))


def test_a_validation_holds_no_more_rows_at_once_than_the_training(base: Path) -> None:
    model = load_model(base / "hf", torch.float32)
    seen: list[int] = []
    text_model(model).register_forward_pre_hook(
        lambda module, _, given: seen.append(len(given["input_ids"])), with_kwargs=True
    )
    settings = Settings(4, 8, 0, 0.01, 1, batch_size=8, warmup_steps=1, max_tokens=64, seed=1, micro_batch_size=2)
    sft.validate(model, as_rows(make_rows(5, seed=1)), settings)
    assert seen == [2, 2, 1]


def test_general_rows_are_the_asked_fraction_and_the_same_ones_each_time(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(12, seed=1), make_rows(2, seed=2))
    general = tmp_path / "general.parquet"
    named = [{**row, "row_id": f"general-{at}"} for at, row in enumerate(make_rows(9, seed=4))]
    parquet.write_table(pyarrow.Table.from_pylist(named, schema=SCHEMA), general)
    request = {**train_request(tmp_path, base, dataset, epochs=1, batchSize=4, rehearsalFraction=0.25), "rehearsal": general}
    (finished,) = run_here("train", request).of("finished")
    assert finished["steps"] == 4, "12 rows and 4 general ones"
    whole = sum(sum(row["mask"]) for row in make_rows(12, seed=1))
    assert finished["trainedTokens"] > whole
    with pytest.raises(Refusal) as refused:
        request["config"]["rehearsalFraction"] = 0.6
        run_here("train", {**request, "checkpointFolder": tmp_path / "others"})
    assert refused.value.code == "TOO_FEW_REHEARSAL_ROWS"
    assert "9 rows" in refused.value.details["got"]


@pytest.mark.parametrize("settings", [{}, {"microBatchSize": 4}, {"packing": True, "microBatchSize": 8}])
def test_beside_general_rows_the_loss_of_the_datasets_own_is_told(
    base: Path, tmp_path: Path, write_dataset: WriteDataset, settings: dict[str, Any]
) -> None:
    rows = make_rows(12, seed=1)
    general = tmp_path / "general.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(make_rows(4, seed=4), schema=SCHEMA), general)
    still = {"epochs": 1, "batchSize": 16, "learningRate": 1e-12, "rehearsalFraction": 0.25, **settings}
    request = {**train_request(tmp_path, base, write_dataset(rows, rows), **still), "rehearsal": general}
    (finished,) = run_here("train", request).of("finished")
    (point,) = finished["curve"]
    assert point["datasetLoss"] == pytest.approx(point["validationLoss"], abs=1e-5)
    assert abs(point["loss"] - point["datasetLoss"]) > 1e-4


def test_long_rows_are_dropped_only_where_that_is_allowed(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    rows = make_rows(6, seed=1)
    rows[2] = {**rows[2], "ids": [5] * 65, "mask": [1] * 65}
    dataset = write_dataset(rows)
    with pytest.raises(Refusal) as refused:
        run_here("train", train_request(tmp_path, base, dataset, epochs=1))
    assert "--too-long drop" in refused.value.details["fix"]
    (finished,) = run_here("train", train_request(tmp_path, base, dataset, epochs=1, tooLong="drop")).of("finished")
    assert finished["trainedTokens"] == sum(sum(row["mask"]) for row in rows if len(row["ids"]) <= 64)


def test_a_disk_without_room_leaves_the_last_good_checkpoint(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    """The second process may write only small files, so none of its checkpoints comes to be."""
    dataset = write_dataset(make_rows(12, seed=1), make_rows(2, seed=2))
    request = train_request(tmp_path, base, dataset, epochs=4)
    kill_at_step(tmp_path, request, 4)
    kept = sorted(path.parent.name for path in (tmp_path / "checkpoints").glob("*/complete"))
    failed = run_trainer(tmp_path, "train", request, largest_file_bytes=20_000)
    assert failed.code == 1 and "File too large" in failed.noise
    assert sorted(path.parent.name for path in (tmp_path / "checkpoints").glob("*/complete")) == kept != []
    resumed = run_trainer(tmp_path, "train", request)
    assert resumed.code == 0, resumed.noise
    assert f"checkpoint-{resumed.of('finished')[0]['resumedFromStep']}" == kept[-1]
