"""What gets a loss and what does not, and that the faster ways give the numbers of the plain ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tracemill_train import attention, loss
from tracemill_train.lora import add_lora, use_fast_forward
from tracemill_train.model import load_model
from tracemill_train.rows import IGNORED, collate

from conftest import make_rows


def batch_of(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    return collate(
        [
            {"input_ids": row["ids"], "labels": [t if m else IGNORED for t, m in zip(row["ids"], row["mask"])]}
            for row in rows
        ]
    )


def plain_loss(model: torch.nn.Module, row: dict[str, list[int]]) -> float:
    """Summed loss of one row by full logits, token by token: the definition."""
    logits = model(input_ids=torch.tensor([row["ids"]])).logits[0].float()
    chosen = torch.log_softmax(logits, dim=-1)
    return -sum(
        float(chosen[at - 1, token]) for at, (token, trained) in enumerate(zip(row["ids"], row["mask"])) if trained
    )


@pytest.mark.parametrize("implementation", ["sdpa", "eager", attention.NAME])
def test_the_loss_of_a_padded_batch_is_the_sum_over_its_rows_answer_tokens(base: Path, implementation: str) -> None:
    rows = make_rows(5, seed=3)
    plain = load_model(base / "hf", torch.float32)
    model = load_model(base / "hf", torch.float32, implementation)
    batch = batch_of(rows)
    with torch.no_grad():
        total, count = loss.answer_loss(model, batch["input_ids"], batch["labels"])
        expected = sum(plain_loss(plain, row) for row in rows)
    assert count == sum(sum(row["mask"]) for row in rows)
    assert float(total) == pytest.approx(expected, rel=1e-4)


def test_masked_tokens_get_no_loss(base: Path) -> None:
    """The gradient at a position comes only from labels behind it, and none from the token there being masked."""
    model = load_model(base / "hf", torch.float32, attention.NAME)
    row = make_rows(1, seed=4)[0]
    length = len(row["ids"])
    row["mask"] = [0] * length
    row["mask"][6] = row["mask"][7] = 1
    batch = batch_of([row])
    seen: list[torch.Tensor] = []
    model.get_input_embeddings().register_forward_hook(lambda *hook: (hook[2].retain_grad(), seen.append(hook[2]))[1])
    model.get_input_embeddings().weight.requires_grad_(True)
    total, count = loss.answer_loss(model, batch["input_ids"], batch["labels"])
    total.backward()
    gradients = seen[0].grad[0].abs().sum(dim=-1)
    assert count == 2
    assert bool((gradients[:7] > 0).all()), "every token before the last label is context for it"
    assert bool((gradients[7:] == 0).all()), "a token that predicts nothing under the loss gets no gradient"


def test_masked_targets_do_not_change_the_loss(base: Path) -> None:
    model = load_model(base / "hf", torch.float32, attention.NAME)
    row = make_rows(1, seed=5)[0]
    longer = {**row, "ids": row["ids"] + [9, 10, 11], "mask": row["mask"] + [0, 0, 0]}
    other = {**row, "ids": row["ids"] + [400, 401, 402], "mask": row["mask"] + [0, 0, 0]}
    totals = []
    with torch.no_grad():
        for some in (row, longer, other):
            batch = batch_of([some])
            totals.append(float(loss.answer_loss(model, batch["input_ids"], batch["labels"])[0]))
    assert totals[1:] == pytest.approx([totals[0]] * 2, rel=1e-5)


def test_chunks_change_neither_loss_nor_gradient(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(make_rows(4, seed=6))
    results = []
    for logits in (loss.CHUNK_LOGITS, 5 * 512):
        monkeypatch.setattr(loss, "CHUNK_LOGITS", logits)
        model = load_model(base / "hf", torch.float32, attention.NAME)
        total, _ = loss.answer_loss(model, batch["input_ids"], batch["labels"])
        total.backward()
        gradient = model.get_parameter("model.layers.0.mlp.up_proj.weight").grad
        results.append((total.detach(), gradient))
    torch.testing.assert_close(results[0], results[1])


def test_long_rows_take_the_fused_attention_with_the_same_result(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(make_rows(3, seed=7))
    totals = []
    for short in (attention.SHORT_TOKENS, 4):
        monkeypatch.setattr(attention, "SHORT_TOKENS", short)
        model = load_model(base / "hf", torch.float32, attention.NAME)
        with torch.no_grad():
            totals.append(float(loss.answer_loss(model, batch["input_ids"], batch["labels"])[0]))
    assert totals[0] == pytest.approx(totals[1], rel=1e-5)


def test_the_fast_lora_has_the_outputs_and_gradients_of_pefts_own(base: Path) -> None:
    batch = batch_of(make_rows(4, seed=8))
    results = []
    for is_fast in (False, True):
        torch.manual_seed(2)
        adapted = add_lora(load_model(base / "hf", torch.float32), rank=4, alpha=12, dropout=0.0)
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
        if is_fast:
            use_fast_forward(adapted)
        total, _ = loss.answer_loss(adapted.get_base_model(), batch["input_ids"], batch["labels"])
        total.backward()
        results.append({name: weight.grad for name, weight in adapted.named_parameters() if weight.requires_grad})
        results[-1]["loss"] = total.detach()
    assert len(results[0]) == 2 * 7 * 2 + 1
    torch.testing.assert_close(results[0], results[1], rtol=1e-4, atol=1e-5)


def test_dropout_keeps_pefts_own_forward(base: Path) -> None:
    adapted = add_lora(load_model(base / "hf", torch.float32), rank=4, alpha=8, dropout=0.5)
    use_fast_forward(adapted)
    for weight in (weight for name, weight in adapted.named_parameters() if "lora_B" in name):
        torch.nn.init.normal_(weight, std=0.5)
    ids = torch.arange(3, 23).unsqueeze(0)
    first, second = (adapted(input_ids=ids).logits for _ in range(2))
    assert not torch.equal(first, second), "dropout draws anew at each call"
    assert functional.mse_loss(first, second) > 0
