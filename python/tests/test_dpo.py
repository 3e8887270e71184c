"""Training on pairs: what it learns, what it is held to, and that TRL's own trainer of the same texts does the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import PeftModel
from transformers import AutoTokenizer
from trl import DPOConfig, DPOTrainer

from tracemill_train.lora import add_lora, use_fast_forward
from tracemill_train.method import Kit
from tracemill_train.methods import dpo
from tracemill_train.model import load_model
from tracemill_train.pair_rows import PairRow, load_pairs
from tracemill_train.refusal import Refusal
from tracemill_train.request import parse
from tracemill_train.rows import Conversation
from tracemill_train.settings import Settings
from tracemill_train.trainer_arguments import training_arguments

from conftest import kill_at_step, run_here, run_trainer, train_request
from preference_datasets import PAIRS, make_pairs, write_parts

CONVERSATIONS = [
    ("How many rows are in books?", "SELECT COUNT(*) FROM books;", "SELECT rows FROM books;"),
    ("List the cities, most customers first.", "SELECT city FROM customers GROUP BY city;", "cities"),
    ("What is the highest price?", "SELECT MAX(price) FROM products;", "I do not know the prices 2024."),
    ("Which status occurs?", "SELECT DISTINCT status FROM orders;", "SELECT status FROM status;"),
]


def settings(**change: Any) -> Settings:
    values = {"rank": 4, "alpha": 8, "dropout": 0, "learningRate": 0.01, "epochs": 1, "batchSize": 2, "warmupSteps": 0}
    return parse(Settings, {**values, "maxTokens": 256, "seed": 1, **change})


def fresh(base: Path) -> PeftModel:
    torch.manual_seed(1)
    return add_lora(load_model(base / "hf", torch.float32), 4, 8, 0)


def texts() -> list[dict[str, Any]]:
    return [
        {
            "prompt": [{"role": "user", "content": question}],
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
        }
        for question, chosen, rejected in CONVERSATIONS
    ]


def rendered(tokenizer: Any) -> list[PairRow]:
    """The same conversations as the one renderer leaves them: the answer and its end token are trained on."""
    rows = []
    for index, row in enumerate(texts()):
        sides = []
        for side in ("chosen", "rejected"):
            prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True)["input_ids"]
            ids = tokenizer.apply_chat_template(row["prompt"] + row[side])["input_ids"]
            sides.append(Conversation(ids, [-100] * len(prompt) + ids[len(prompt) :]))
        rows.append(PairRow(f"row-{index}", *sides))
    return rows


def steps_of(model: PeftModel, rows: list[PairRow], folder: Path, config: Settings) -> list[tuple[float, dict[str, float]]]:
    """Trains at a constant rate and returns each step's loss and figures."""
    seen: list[tuple[float, dict[str, float]]] = []
    kit = Kit(
        model=model,
        tokenizer=AutoTokenizer.from_pretrained(model.peft_config["default"].base_model_name_or_path),
        sequence=dpo.prepare(model, rows, config),
        settings=config,
        arguments=constant_rate(config, folder),
        callbacks=[],
        saw=lambda loss, figures, share=1.0: seen.append((loss, figures)),
    )
    dpo.make_trainer(kit).train()
    return seen


def constant_rate(config: Settings, folder: Path) -> dict[str, Any]:
    return {**training_arguments(config, folder), "lr_scheduler_type": "constant"}


def test_trl_tokenises_a_conversation_as_it_was_rendered_and_its_steps_are_ours(base: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base / "hf")
    config = settings()
    rows = rendered(tokenizer)
    plain = fresh(base)
    stock = DPOTrainer(
        model=plain,
        args=DPOConfig(**constant_rate(config, tmp_path)),
        train_dataset=Dataset.from_list(texts()),
        processing_class=tokenizer,
    )
    for row, theirs in zip(rows, stock.train_dataset):
        assert theirs["prompt_ids"] + theirs["chosen_ids"] == row.chosen.ids
        assert theirs["prompt_ids"] + theirs["rejected_ids"] == row.rejected.ids
        assert theirs["chosen_ids"] == [label for label in row.chosen.labels if label != -100]

    seen = steps_of(fresh(base), rows, tmp_path, config)
    batches = [stock.data_collator([stock.train_dataset[at] for at in some]) for some in ((0, 1), (2, 3))]
    optimizer = torch.optim.AdamW([p for p in plain.parameters() if p.requires_grad], lr=config.learning_rate)
    for batch, (loss, figures) in zip(batches, seen, strict=True):
        theirs = stock.compute_loss(stock.model, batch)
        assert loss == pytest.approx(float(theirs.detach()), abs=1e-5)
        assert figures["margin"] == pytest.approx(stock._metrics["train"]["rewards/margins"][-1], abs=1e-5)
        assert figures["chosenLogprob"] == pytest.approx(stock._metrics["train"]["logps/chosen"][-1], rel=1e-5)
        theirs.backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    assert seen[1][1]["margin"] != 0


def test_the_reference_is_the_base_with_the_adapter_off(base: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base / "hf")
    rows = rendered(tokenizer)
    model = fresh(base)
    use_fast_forward(model)
    prepared = dpo.prepare(model, rows, settings())
    bare = load_model(base / "hf", torch.float32).eval()
    for row in prepared:
        for side, found in ((row.chosen, row.chosen_reference), (row.rejected, row.rejected_reference)):
            with torch.no_grad():
                logits = bare(input_ids=torch.tensor([side.ids])).logits[0, :-1]
            logprobs = torch.log_softmax(logits, dim=-1).gather(1, torch.tensor(side.ids[1:]).unsqueeze(1)).squeeze(1)
            is_trained = torch.tensor(side.labels[1:]) != -100
            assert found == pytest.approx(float(logprobs[is_trained].sum()), abs=1e-3)
    figures = dpo.validate(model, prepared, settings())
    assert figures["loss"] == pytest.approx(0.693147, abs=1e-5)
    assert figures["margin"] == pytest.approx(0, abs=1e-5)


def test_a_training_widens_the_margin_on_pairs_that_it_has_not_seen(base: Path, tmp_path: Path) -> None:
    dataset = write_parts(tmp_path / "pairs", PAIRS, make_pairs(24, 1), make_pairs(8, 2))
    ended = run_here("train", train_request(tmp_path, base, dataset, "dpo", epochs=4, learningRate=0.005))
    (finished,) = ended.of("finished")
    first, last = finished["curve"][0], finished["curve"][-1]
    assert first["loss"] == pytest.approx(0.6931, abs=1e-3)
    assert first["margin"] == pytest.approx(0, abs=1e-3)
    assert last["validation"]["margin"] > 1 and last["validation"]["accuracy"] == 1
    assert last["validationLoss"] < 0.5
    assert last["margin"] > 1 and {"accuracy", "chosenLogprob", "rejectedLogprob"} <= last.keys()
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert config["r"] == 8
    assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == [
        *("adapter.gguf", "adapter_config.json", "adapter_model.safetensors", "probes.json")
    ]


def test_a_killed_training_on_pairs_goes_on_with_the_same_losses(base: Path, tmp_path: Path) -> None:
    dataset = write_parts(tmp_path / "pairs", PAIRS, make_pairs(12, 1), make_pairs(3, 2))
    request = train_request(tmp_path, base, dataset, "dpo", epochs=6)
    (whole,) = run_here("train", request).of("finished")
    request |= {"out": tmp_path / "second", "checkpointFolder": tmp_path / "second-checkpoints"}
    kill_at_step(tmp_path, request, 9)
    resumed = run_trainer(tmp_path, "train", request)
    assert resumed.code == 0, resumed.noise
    (finished,) = resumed.of("finished")
    assert finished["resumedFromStep"] >= 7
    assert finished["curve"] == whole["curve"]


def spoiled(**change: Any) -> list[dict[str, Any]]:
    rows = make_pairs(3, 1)
    rows[1] = {**rows[1], **change}
    return rows


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"rejected_mask": [1]}, "BAD_ROW", "pair-1-1, rejected"),
        ({"chosen_ids": [5, 999], "chosen_mask": [0, 1]}, "BAD_ROW", "pair-1-1, chosen"),
        ({"rejected_ids": [5] * 65, "rejected_mask": [1] * 65}, "ROW_TOO_LONG", "train.parquet"),
    ],
)
def test_pairs_that_cannot_be_trained_on_are_refused(
    tmp_path: Path, change: dict[str, Any], code: str, where: str
) -> None:
    folder = write_parts(tmp_path, PAIRS, spoiled(**change), [])
    with pytest.raises(Refusal) as refused:
        load_pairs(folder / "tokens/train.parquet", settings(maxTokens=64), 512)
    assert refused.value.code == code
    assert where in refused.value.details["where"]
