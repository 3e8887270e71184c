"""Probes: a few token sequences with the trainer's own log-probabilities, in float32 where memory allows.

Whoever serves the adapter later scores the same ids: what it gives must differ from the base's figures and agree with
these, or the adapter is not the one that is applied.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Sequence

import psutil
import torch
from peft import PeftModel
from transformers import PreTrainedModel

from .adapter_files import MERGED
from .method import Row
from .model import empty_model, load_config, load_model, training_dtype

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
    device = next(model.parameters()).device
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids], device=device), use_cache=False).logits[0, :-1].float().cpu()
    chosen = torch.log_softmax(logits, dim=-1).gather(1, torch.tensor(ids[1:]).unsqueeze(1)).squeeze(1)
    return [round(value, 6) for value in chosen.tolist()]


def write_probes(
    base: Path,
    adapter: Path,
    sequences: list[list[int]],
    trained: PeftModel | PreTrainedModel | None = None,
    quantization: str = "none",
) -> None:
    """Writes `probes.json` into the adapter's folder, scored by the base and by what was saved.

    All is in float32 where two bytes of memory are free for each that this takes, else in bfloat16; a LoRA on a base that
    does not fit even so is scored as it was trained, in `trained` or, where that is divided (None), on the base quantised
    anew, and the type says so ("nf4").
    """
    dtype = probe_dtype(base, psutil.virtual_memory().available)
    if dtype is None and isinstance(trained, PeftModel):
        name, before, after = _scored_as_trained(trained, sequences)
    elif dtype is None and quantization != "none":
        name, (before, after) = quantization, _scored_as_saved(base, adapter, sequences, training_dtype(), quantization)
    else:
        dtype = dtype or torch.bfloat16
        name = str(dtype).removeprefix("torch.")
        before, after = _scored_as_saved(base, adapter, sequences, dtype)
    probes = [
        {"ids": ids, "baseLogprobs": of_base, "adapterLogprobs": of_adapter}
        for ids, of_base, of_adapter in zip(sequences, before, after)
    ]
    (adapter / "probes.json").write_text(json.dumps({"dtype": name, "probes": probes}) + "\n", encoding="utf-8")


def probe_dtype(base: Path, free_bytes: int) -> torch.dtype | None:
    """Returns the most exact type in which a base takes at most half of the free memory; None where none does."""
    weights = sum(weight.numel() for weight in empty_model(load_config(base)).parameters())
    return next((dtype for dtype in (torch.float32, torch.bfloat16) if 2 * weights * dtype.itemsize <= free_bytes), None)


Scores = list[list[float]]


def _scored_as_saved(
    base: Path, adapter: Path, sequences: list[list[int]], dtype: torch.dtype, quantization: str = "none"
) -> tuple[Scores, Scores]:
    model: torch.nn.Module = load_model(base, dtype, quantization=quantization).eval()
    before = [token_logprobs(model, ids) for ids in sequences]
    if (adapter / MERGED).exists():
        del model
        after_model: torch.nn.Module = load_model(adapter / MERGED, dtype)
    else:
        after_model = PeftModel.from_pretrained(model, adapter)
    after_model.eval()
    return before, [token_logprobs(after_model, ids) for ids in sequences]


def _scored_as_trained(trained: PeftModel, sequences: list[list[int]]) -> tuple[str, Scores, Scores]:
    trained.eval()
    with trained.disable_adapter():
        before = [token_logprobs(trained, ids) for ids in sequences]
    after = [token_logprobs(trained, ids) for ids in sequences]
    is_packed = getattr(trained.get_base_model(), "is_loaded_in_4bit", False)
    return "nf4" if is_packed else str(trained.dtype).removeprefix("torch."), before, after
