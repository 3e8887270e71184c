"""Packed rows learn what padded ones do: equal losses and gradients, whatever lies beside a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tracemill_train import attention, loss, tiny_base
from tracemill_train.lora import add_lora, use_fast_forward
from tracemill_train.model import load_model
from tracemill_train.packing import collate_packed
from tracemill_train.rows import IGNORED, collate
from tracemill_train.tiny_families import CONFIGS

from conftest import make_rows


def examples(rows: list[dict[str, Any]]) -> list[dict[str, list[int]]]:
    return [
        {"input_ids": row["ids"], "labels": [t if m else IGNORED for t, m in zip(row["ids"], row["mask"])]}
        for row in rows
    ]


def loss_and_gradients(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> tuple[float, int, dict[str, Any]]:
    model.zero_grad()
    total, count = loss.answer_loss(model.get_base_model(), batch["input_ids"], batch["labels"], batch.get("lengths"))
    (total / count).backward()
    gradients = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.requires_grad}
    return float(total.detach()), count, gradients


def adapted(folder: Path) -> torch.nn.Module:
    torch.manual_seed(3)
    model = add_lora(load_model(folder, torch.float32, attention.NAME), 4, 8, 0.0)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    use_fast_forward(model)
    return model


@pytest.mark.parametrize("short", [attention.SHORT_TOKENS, 4])
def test_packed_rows_have_the_losses_and_gradients_of_padded_ones(
    base: Path, monkeypatch: pytest.MonkeyPatch, short: int
) -> None:
    monkeypatch.setattr(attention, "SHORT_TOKENS", short)
    rows = examples(make_rows(6, seed=5))
    model = adapted(base / "hf")
    padded, packed = (loss_and_gradients(model, lay(rows)) for lay in (collate, collate_packed))
    assert packed[1] == padded[1]
    assert packed[0] == pytest.approx(padded[0], rel=1e-5)
    assert len(packed[2]) == 2 * 7 * 2
    torch.testing.assert_close(packed[2], padded[2], rtol=1e-4, atol=1e-5)


def test_a_row_is_the_same_whatever_lies_beside_it(base: Path) -> None:
    first, second, third = examples(make_rows(3, seed=6))
    model = adapted(base / "hf").get_base_model()
    unlabelled = {**second, "labels": [IGNORED] * len(second["labels"])}
    other = {**third, "labels": [IGNORED] * len(third["labels"])}
    totals = []
    with torch.no_grad():
        for beside in ([first], [unlabelled, first], [first, other], [other, unlabelled, first]):
            batch = collate_packed(beside)
            totals.append(float(loss.answer_loss(model, batch["input_ids"], batch["labels"], batch["lengths"])[0]))
    assert totals[1:] == pytest.approx([totals[0]] * 3, rel=1e-6)


def test_the_first_token_of_a_packed_row_is_never_predicted_from_the_row_before() -> None:
    rows = [{"input_ids": [5, 6, 7], "labels": [5, 6, 7]}, {"input_ids": [8, 9], "labels": [8, 9]}]
    batch = collate_packed(rows)
    assert batch["labels"].tolist() == [[IGNORED, 6, 7, IGNORED, 9]]
    assert batch["lengths"].tolist() == [3, 2]


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_every_family_packs_its_rows_within_its_windows(tmp_path: Path, family: str) -> None:
    tiny_base.run(tiny_base.Request(tmp_path, seed=1, family=family), lambda *_, **__: None)
    rows = examples(make_rows(4, seed=7))
    model = adapted(tmp_path / "hf")
    padded, packed = (loss_and_gradients(model, lay(rows)) for lay in (collate, collate_packed))
    assert packed[0] == pytest.approx(padded[0], rel=1e-4)
    torch.testing.assert_close(packed[2], padded[2], rtol=1e-3, atol=1e-5)
