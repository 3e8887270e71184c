"""Going on from a trained adapter: its weights, its place as the reference, and who is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from tracemill_train.lora import add_lora
from tracemill_train.methods import dpo
from tracemill_train.model import load_model
from tracemill_train.parent_adapter import load_parent
from tracemill_train.preference import summed_logprobs
from tracemill_train.refusal import Refusal
from tracemill_train.request import parse
from tracemill_train.settings import Settings

from conftest import WriteDataset, make_rows, run_here, train_request
from preference_datasets import PAIRS, make_pairs, write_parts


@pytest.fixture
def parent(base: Path, tmp_path: Path, write_dataset: WriteDataset) -> Path:
    """An adapter of four steps on answers."""
    request = train_request(tmp_path, base, write_dataset(make_rows(8, seed=1)))
    run_here("train", {**request, "out": tmp_path / "parent", "checkpointFolder": tmp_path / "parent-checkpoints"})
    return tmp_path / "parent"


def test_the_reference_is_the_parent_and_not_the_bare_base(base: Path, tmp_path: Path, parent: Path) -> None:
    folder = write_parts(tmp_path / "pairs", PAIRS, make_pairs(8, 1), make_pairs(4, 2))
    request = train_request(tmp_path, base, folder, "dpo", learningRate=0.005)
    config = parse(Settings, request["config"])
    rows = dpo.read_rows(folder, "train", config, 512)
    model = add_lora(load_model(base / "hf", torch.float32), 8, 16, 0)
    bare = dpo.prepare(model, rows, config)
    load_parent(model, parent)
    held = dpo.prepare(model, rows, config)
    adapted: Any = PeftModel.from_pretrained(load_model(base / "hf", torch.float32), parent)
    expected = summed_logprobs(adapted, [row.chosen for row in rows], 4)
    assert [row.chosen_reference for row in held] == pytest.approx(expected, abs=1e-3)
    assert max(abs(x.chosen_reference - y.chosen_reference) for x, y in zip(bare, held)) > 0.1

    before = load_file(parent / "adapter_model.safetensors")
    (finished,) = run_here("train", {**request, "parent": parent}).of("finished")
    first = finished["curve"][0]
    assert first["margin"] == pytest.approx(0, abs=1e-2) and first["loss"] == pytest.approx(0.6931, abs=1e-2)
    after = load_file(tmp_path / "adapter/adapter_model.safetensors")
    assert before.keys() == after.keys()
    assert 0 < max(float((after[name] - before[name]).abs().max()) for name in before) < 0.1
    assert all(torch.equal(before[name], left) for name, left in load_file(parent / "adapter_model.safetensors").items())


def test_a_training_on_answers_goes_on_where_its_parent_ended(
    base: Path, tmp_path: Path, parent: Path, write_dataset: WriteDataset
) -> None:
    dataset = write_dataset(make_rows(8, seed=1))
    request = train_request(tmp_path, base, dataset, epochs=1, learningRate=1e-9)
    (fresh,) = run_here("train", request).of("finished")
    others = {"out": tmp_path / "child", "checkpointFolder": tmp_path / "child-checkpoints"}
    (child,) = run_here("train", {**request, **others, "parent": parent}).of("finished")
    assert child["curve"][0]["loss"] < fresh["curve"][0]["loss"] - 0.1


def test_a_parent_of_another_rank_alpha_or_modules_is_refused_with_the_settings_that_fit(
    base: Path, parent: Path
) -> None:
    model = load_model(base / "hf", torch.float32)
    for rank, alpha, targets in ((4, 16, r".*_proj"), (8, 32, r".*_proj"), (8, 16, r".*\.q_proj")):
        lora = add_lora(model, rank, alpha, 0, targets)
        with pytest.raises(Refusal) as refused:
            load_parent(lora, parent)
        assert refused.value.code == "PARENT_OF_ANOTHER_SHAPE"
        assert "--rank 8 --alpha 16" in refused.value.details["fix"]
        model = lora.unload()
    assert json.loads((parent / "adapter_config.json").read_text())["r"] == 8
