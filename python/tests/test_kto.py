"""Training on judged answers: what it learns, which loss it takes, and that TRL's own trainer of the same texts agrees."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import AutoTokenizer
from trl import KTOConfig, KTOTrainer

from tracemill_train.judged_rows import JudgedRow, load_judged, mismatched
from tracemill_train.lora import add_lora
from tracemill_train.method import Kit
from tracemill_train.methods import kto
from tracemill_train.model import load_model
from tracemill_train.refusal import Refusal
from tracemill_train.request import parse
from tracemill_train.rows import Conversation
from tracemill_train.settings import Settings
from tracemill_train.trainer_arguments import training_arguments

from conftest import make_rows, run_here, train_request
from preference_datasets import JUDGED, make_judged, write_parts

CONVERSATIONS = [
    ("How many rows are in books?", "SELECT COUNT(*) FROM books;", True),
    ("List the cities, most customers first.", "cities", False),
    ("What is the highest price?", "SELECT MAX(price) FROM products;", True),
    ("Which status occurs?", "SELECT status FROM status;", False),
]
WEIGHTS = {"goodWeight": 1.5, "badWeight": 0.5}


def settings(**change: Any) -> Settings:
    values = {"rank": 4, "alpha": 8, "dropout": 0, "learningRate": 0.01, "epochs": 1, "batchSize": 2, "warmupSteps": 0}
    return parse(Settings, {**values, "maxTokens": 256, "seed": 1, **WEIGHTS, **change})


def rendered(tokenizer: Any) -> list[JudgedRow]:
    rows = []
    for index, (question, answer, is_good) in enumerate(CONVERSATIONS):
        asked = [{"role": "user", "content": question}]
        prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True)["input_ids"]
        ids = tokenizer.apply_chat_template([*asked, {"role": "assistant", "content": answer}])["input_ids"]
        conversation = Conversation(ids, [-100] * len(prompt) + ids[len(prompt) :])
        rows.append(JudgedRow(f"row-{index}", conversation, is_good))
    return rows


def texts() -> Dataset:
    return Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": question}],
                "completion": [{"role": "assistant", "content": answer}],
                "label": is_good,
            }
            for question, answer, is_good in CONVERSATIONS
        ]
    )


@pytest.mark.parametrize("batch_size", [2, 1])
def test_trl_tokenises_a_conversation_as_it_was_rendered_and_its_steps_are_ours(
    base: Path, tmp_path: Path, batch_size: int
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base / "hf")
    config = settings(batchSize=batch_size)
    rows = rendered(tokenizer)

    def fresh() -> Any:
        torch.manual_seed(1)
        return add_lora(load_model(base / "hf", torch.float32), 4, 8, 0)

    plain, ours = fresh(), fresh()
    arguments = {**training_arguments(config, tmp_path), "lr_scheduler_type": "constant"}
    stock = KTOTrainer(
        model=plain,
        args=KTOConfig(
            **arguments,
            loss_type="kto" if batch_size > 1 else "apo_zero_unpaired",
            desirable_weight=1.5,
            undesirable_weight=0.5,
            train_sampling_strategy="sequential",
        ),
        train_dataset=texts(),
        processing_class=tokenizer,
    )
    for row, theirs in zip(rows, stock.train_dataset, strict=True):
        assert theirs["prompt_ids"] + theirs["completion_ids"] == row.answer.ids
        assert theirs["completion_ids"] == [label for label in row.answer.labels if label != -100]
        assert theirs["label"] == row.is_good

    seen: list[tuple[float, dict[str, float]]] = []
    prepared = kto.prepare(ours, rows, config)
    kit = Kit(
        model=ours,
        tokenizer=tokenizer,
        sequence=prepared,
        settings=config,
        arguments=arguments,
        callbacks=[],
        saw=lambda loss, figures, share=1.0: seen.append((loss, figures)),
    )
    trainer = kto.make_trainer(kit)
    before = kto.validate(ours, kto.prepare(ours, rows[:batch_size], config), config)
    trainer.train()
    assert before["loss"] == pytest.approx(seen[0][0], abs=1e-5)
    optimizer = torch.optim.AdamW([p for p in plain.parameters() if p.requires_grad], lr=config.learning_rate)
    for step, (loss, figures) in enumerate(seen):
        places = range(step * batch_size, (step + 1) * batch_size)
        theirs = stock.compute_loss(stock.model, stock.data_collator([stock.train_dataset[at] for at in places]))
        assert loss == pytest.approx(float(theirs.detach()), abs=1e-4)
        assert figures["kl"] == pytest.approx(stock._metrics["train"]["kl"][-1], rel=1e-3, abs=1e-5)
        theirs.backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    assert len(seen) == 4 / batch_size


def test_a_training_widens_the_margin_on_answers_that_it_has_not_seen(base: Path, tmp_path: Path) -> None:
    dataset = write_parts(tmp_path / "judged", JUDGED, make_judged(32, 1), make_judged(8, 2))
    request = train_request(tmp_path, base, dataset, "kto", epochs=4, learningRate=0.005, **WEIGHTS)
    (finished,) = run_here("train", request).of("finished")
    last = finished["curve"][-1]
    assert finished["curve"][0]["goodReward"] == pytest.approx(0, abs=1e-3)
    assert last["validation"]["margin"] > 0.5 and last["validation"]["accuracy"] > 0.7
    assert last["validation"]["goodReward"] > last["validation"]["badReward"]
    assert {"kl", "loss"} <= last["validation"].keys()


def test_a_neighbour_lies_in_the_same_part_where_there_is_one() -> None:
    def of(*prompts: int) -> list[list[int]]:
        return [[prompt] for prompt in prompts]

    assert kto.neighbours(of(*range(7)), 3) == [2, 0, 1, 5, 3, 4, 5]
    assert kto.neighbours(of(*range(4)), 2) == [1, 0, 3, 2]
    assert kto.neighbours(of(1), 2) == [None]


def test_a_neighbour_is_never_of_the_same_prompt() -> None:
    assert kto.neighbours([[1], [1], [2], [2], [3], [3]], 4) == [3, 3, 1, 1, None, None]
    prompts = [[place // 4 % 15] for place in random.Random(1).sample(range(60), 60)]
    found = kto.neighbours(prompts, 8)
    assert all(partner is not None and prompts[partner] != prompts[place] for place, partner in enumerate(found))


def test_rows_without_an_answer_to_another_prompt_are_left_out_of_the_zero_point(base: Path, tmp_path: Path) -> None:
    config = settings(batchSize=2)
    one, other, *_ = rendered(AutoTokenizer.from_pretrained(base / "hf"))
    model = add_lora(load_model(base / "hf", torch.float32), 4, 8, 0)
    alike = kto.prepare(model, [one, replace(one, row_id="again")], config)
    assert [row.other for row in alike] == [None, None]
    lone = kto.prepare(model, [one, one, other], replace(config, micro_batch_size=3))
    assert all(row.other is not None and row.other_reference < 0 for row in lone)

    figures: list[dict[str, float]] = []
    kit = Kit(
        model=model,
        tokenizer=AutoTokenizer.from_pretrained(base / "hf"),
        sequence=alike + kto.prepare(model, [one, other], config),
        settings=config,
        arguments=training_arguments(config, tmp_path),
        callbacks=[],
        saw=lambda loss, found, share=1.0: figures.append({"loss": loss, **found}),
    )
    kto.make_trainer(kit).train()
    assert [figure["kl"] for figure in figures][0] == 0 and len(figures) == 2
    assert figures[0]["loss"] == pytest.approx(1.5 / 2, abs=1e-4)
    assert kto.validate(model, alike, config)["kl"] == 0


def test_a_mismatched_answer_follows_the_other_prompt_and_is_cut_at_the_limit() -> None:
    one = JudgedRow("one", Conversation([1, 2, 3, 4], [-100, -100, 3, 4]), True)
    other = JudgedRow("other", Conversation([5, 6, 7, 8], [-100, 6, -100, 8]), False)
    assert mismatched(one, other, 64) == Conversation([1, 2, 6, 7, 8], [-100, -100, 6, -100, 8])
    assert mismatched(other, one, 2) == Conversation([5, 3], [-100, 3])


def test_a_dataset_without_labels_is_refused_naming_the_columns(tmp_path: Path, write_dataset: Any) -> None:
    folder = write_dataset(make_rows(2, seed=1))
    with pytest.raises(Refusal) as refused:
        load_judged(folder / "tokens/train.parquet", settings(), 512)
    assert refused.value.code == "BAD_DATASET"
    assert "label" in refused.value.details["expected"]
