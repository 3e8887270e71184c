"""A training that comes apart: ended, with the rows by name, wherever what is no number shows first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracemill_train import train as train_verb
from tracemill_train.divergence import Part, is_spike, refuse_divergence
from tracemill_train.refusal import Refusal

from conftest import WriteDataset, make_rows, parsed, run_here, train_request


def test_a_spike_is_far_above_what_was_usual_and_noise_is_none() -> None:
    usual = [2.0, 1.5, 1.8, 0.9, 1.2] * 6
    assert not is_spike(3.5, usual)
    assert is_spike(9.0, usual)
    assert not is_spike(9.0, usual[:19]), "at first the loss falls fast"
    assert not is_spike(0.5, [0.02] * 30), "less than a nat above is none"


def test_a_divergence_names_the_rows_of_its_step(base: Path, tmp_path: Path, write_dataset: WriteDataset) -> None:
    for loss, norm, before in ((float("nan"), 1.0, []), (1.0, float("inf"), []), (30.0, 1.0, [1.0] * 30)):
        with pytest.raises(Refusal) as refused:
            parts = [Part(loss, ["row-a", "row-b"])]
            refuse_divergence(31, loss=loss, grad_norm=norm, before=before, parts=parts)
        assert refused.value.code == "TRAINING_DIVERGED"
        assert refused.value.details["where"] == "rows row-a, row-b"
    dataset = write_dataset(make_rows(8, seed=1))
    with pytest.raises(Refusal) as refused:
        run_here("train", train_request(tmp_path, base, dataset, learningRate=1e30, epochs=8))
    assert refused.value.details["where"].startswith("rows row-")


def test_of_a_step_the_rows_that_did_it_are_named_and_all_of_them_where_only_the_gradient_tells() -> None:
    names = [f"row-{at}" for at in range(12)]
    parts = [Part(1.0, names[:1]), Part(2.0, names[1:2]), Part(float("nan"), names[2:])]
    for loss, norm, named in ((float("nan"), 1.0, names[2:]), (1.5, float("nan"), names)):
        with pytest.raises(Refusal) as refused:
            refuse_divergence(31, loss=loss, grad_norm=norm, before=[], parts=parts)
        assert refused.value.details["where"] == f"rows {', '.join(named)}"


def test_one_poisoned_row_is_named_alone(base: Path, tmp_path: Path, write_dataset: WriteDataset) -> None:
    """The base overflows on one token, which one of the rows holds."""
    rows = [{"row_id": f"row-{at}", "ids": [9] * 9 + [5, 6, 7], "mask": [0] * 9 + [1] * 3} for at in range(8)]
    rows[3]["ids"] = [9] * 8 + [400, 5, 6, 7]
    dataset = write_dataset(rows, rows[:1])
    request = train_request(tmp_path, base, dataset, epochs=1, batchSize=8, microBatchSize=1)
    assert refusal_on_an_overflowing_base(request)["where"] == "rows row-3"


def test_a_validation_that_is_no_number_ends_the_training_and_names_the_rows_of_the_step(
    base: Path, tmp_path: Path, write_dataset: WriteDataset
) -> None:
    rows = [{"row_id": f"row-{at}", "ids": [9] * 9 + [5, 6, 7], "mask": [0] * 9 + [1] * 3} for at in range(8)]
    poisoned = {**rows[0], "ids": [9] * 9 + [5, 400, 7]}
    request = train_request(tmp_path, base, write_dataset(rows, [poisoned]), epochs=1, batchSize=8)
    refused = refusal_on_an_overflowing_base(request)
    assert (refused["code"], refused["message"]) == (
        "TRAINING_DIVERGED",
        "The validation after step 1 is not a number: loss.",
    )
    assert sorted(refused["where"].removeprefix("rows ").split(", ")) == [row["row_id"] for row in rows]


def refusal_on_an_overflowing_base(request: dict[str, Any]) -> dict[str, str]:
    """What a training is refused with whose base gives no number on the token 400."""

    def load(asked: Any) -> Any:
        model = train_verb.load(asked)
        model.get_input_embeddings().register_forward_hook(
            lambda module, given, states: states.masked_fill((given[0] == 400)[..., None], float("nan"))
        )
        return model

    with pytest.raises(Refusal) as refused:
        train_verb.run(parsed("train", request), lambda *_, **__: None, train_verb.Loader(load, train_verb.prepare))
    return refused.value.details
