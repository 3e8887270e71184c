"""Probes: a few token sequences with the trainer's own log-probabilities, in float32.

Whoever serves the adapter later scores the same ids: what it gives must differ from the base's figures and agree with
these, or the adapter is not the one that is applied.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Sequence

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from .model import load_model
from .method import Row

PROBES = 8
PROBE_TOKENS = 96
"""Longer rows give their last tokens, which hold the answer."""


def choose_probes(validation: Sequence[Row], train: Sequence[Row], seed: int) -> list[list[int]]:
    """Draws the ids of up to 8 rows: of validation rows, else of train rows."""
    rows = validation or train
    drawn = random.Random(f"{seed}/probes").sample(rows, min(PROBES, len(rows)))
    return [row.probe_ids[-PROBE_TOKENS:] for row in drawn]


def token_logprobs(model: torch.nn.Module, ids: list[int]) -> list[float]:
    """Natural log-probability of each token after the first, given those before it; rounded to 6 digits.

    Shapes: len(ids) - 1 values.
    """
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1].float()
    chosen = torch.log_softmax(logits, dim=-1).gather(1, torch.tensor(ids[1:]).unsqueeze(1)).squeeze(1)
    return [round(value, 6) for value in chosen.tolist()]


def write_probes(base: Path, adapter: Path, sequences: list[list[int]]) -> None:
    """Writes `probes.json` into the adapter's folder, scored by the base and by the saved adapter on it, all in float32."""
    model: PreTrainedModel = load_model(base, torch.float32).eval()
    before = [token_logprobs(model, ids) for ids in sequences]
    adapted = PeftModel.from_pretrained(model, adapter).eval()
    after = [token_logprobs(adapted, ids) for ids in sequences]
    probes = [
        {"ids": ids, "baseLogprobs": of_base, "adapterLogprobs": of_adapter}
        for ids, of_base, of_adapter in zip(sequences, before, after)
    ]
    (adapter / "probes.json").write_text(json.dumps({"dtype": "float32", "probes": probes}) + "\n", encoding="utf-8")
