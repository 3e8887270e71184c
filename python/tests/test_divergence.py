"""A training that comes apart: ended, with the rows by name, wherever what is no number shows first."""

from __future__ import annotations

import math
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

import pytest
from transformers import TrainerControl, TrainerState

from tracemill_train import train as train_verb
from tracemill_train.divergence import Part, is_spike, refuse_divergence, refuse_spike
from tracemill_train.method import Own
from tracemill_train.methods import sft
from tracemill_train.order import training_order
from tracemill_train.refusal import Refusal
from tracemill_train.reporter import Plan, Reporter
from tracemill_train.rows import Row
from tracemill_train.settings import Settings

from conftest import WriteDataset, make_rows, parsed, run_here, train_request


def test_a_spike_is_far_above_what_was_usual_and_noise_is_none() -> None:
    usual = [2.0, 1.5, 1.8, 0.9, 1.2] * 6
    assert not is_spike(3.5, usual)
    assert is_spike(9.0, usual)
    assert not is_spike(9.0, usual[:19]), "at first the loss falls fast"
    assert not is_spike(0.5, [0.02] * 30), "less than a nat above is none"


def test_a_divergence_names_the_rows_of_its_step(base: Path, tmp_path: Path, write_dataset: WriteDataset) -> None:
    for loss, norm in ((float("nan"), 1.0), (1.0, float("inf")), (30.0, 1.0)):
        with pytest.raises(Refusal) as refused:
            parts = [Part(loss, ["row-a", "row-b"])]
            refuse_divergence(31, loss=loss, grad_norm=norm, parts=parts)
            refuse_spike(31, loss=loss, before=[1.0] * 30, parts=parts)
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
            refuse_divergence(31, loss=loss, grad_norm=norm, parts=parts)
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


def test_general_rows_that_stay_far_above_what_is_learned_are_no_spike(tmp_path: Path) -> None:
    """With so few of them most steps hold none, so that the median of all losses is the skill's alone."""
    would_stop = 0
    for seed in range(5):
        plan = mixed_plan(seed)
        reporter, state = Reporter(lambda *_, **__: None, plan), TrainerState()
        losses: list[float] = []
        for loss, own in mixed_losses(plan, seed):
            report(reporter, state, loss, own, tmp_path)
            would_stop += is_spike(loss, losses)
            losses.append(loss)
        assert len(reporter.curve(state)) == plan.steps
    assert would_stop > 0, "else the sequence shows nothing"


def test_among_general_rows_a_spike_of_the_datasets_own_is_told_and_what_is_no_number_of_any(tmp_path: Path) -> None:
    for spoiled, named in ((Own(5.0, 60.0), "row-"), (None, "rehearsal-")):
        plan = mixed_plan(seed=1)
        reporter, state = Reporter(lambda *_, **__: None, plan), TrainerState()
        with pytest.raises(Refusal) as refused:
            for loss, own in mixed_losses(plan, seed=1):
                rows = plan.rows_of(state.global_step + 1)
                if state.global_step < 60 or not any(row.is_general for row in rows):
                    report(reporter, state, loss, own, tmp_path)
                else:
                    report(reporter, state, float("nan") if spoiled is None else loss, spoiled or own, tmp_path)
        assert refused.value.code == "TRAINING_DIVERGED"
        assert named in refused.value.details["where"]
        assert ("rehearsal-" in refused.value.details["where"]) == (spoiled is None), "only what was compared is named"


def mixed_plan(seed: int) -> Plan:
    """A training on 300 short rows of a skill and 16 long general ones."""
    skill = [Row(f"row-{at}", [1] * 13, [1] * 13) for at in range(300)]
    general = [Row(f"rehearsal-{at}", [1] * 101, [1] * 101, is_general=True) for at in range(16)]
    settings = Settings(4, 8, 0, 0.01, epochs=4, batch_size=8, warmup_steps=1, max_tokens=128, seed=seed)
    rows = [*skill, *general]
    order = training_order([row.tokens for row in rows], settings.batch_size, settings.epochs, seed)
    return Plan(sft, settings, [rows[at] for at in order], [], len(rows), checkpoint_seconds=1e9)


def mixed_losses(plan: Plan, seed: int) -> Iterator[tuple[float, Own]]:
    """Each step's loss, and its own rows' part: the skill's falls from 1.2 to 0.07 nats a token, that of general answers stays at 1.5."""
    noise = random.Random(seed)
    for step in range(1, plan.steps + 1):
        skill = 0.07 + 1.13 * math.exp(-1.5 * plan.epochs_at(step - 1))
        sums, tokens = {False: 0.0, True: 0.0}, {False: 0, True: 0}
        for row in plan.rows_of(step):
            sums[row.is_general] += row.trained_tokens * (1.5 if row.is_general else skill) * noise.uniform(0.8, 1.2)
            tokens[row.is_general] += row.trained_tokens
        own = Own(sums[False] / tokens[False] if tokens[False] else 0.0, tokens[False])
        yield sum(sums.values()) / sum(tokens.values()), own


def report(reporter: Reporter, state: TrainerState, loss: float, own: Own, folder: Path) -> None:
    """Takes a step as the trainer does."""
    control, optimizer = TrainerControl(), SimpleNamespace(param_groups=[{"lr": 0.01}])
    reporter.on_step_begin(None, state, control, optimizer=optimizer)
    reporter.saw(loss, {}, 1.0, own)
    state.global_step += 1
    reporter.on_step_end(SimpleNamespace(output_dir=str(folder)), state, control, model=None)


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
