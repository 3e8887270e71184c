"""Verb `logprobs`: scores token sequences with a base, or with an adapter on it, in float32 by transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel

from .events import Emit
from .model import load_model
from .probes import token_logprobs


@dataclass(frozen=True)
class Request:
    """A base's folder, an adapter's folder or null, and the token ids of each sequence (at least two)."""

    base: Path
    sequences: list[list[int]]
    adapter: Path | None = None


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Returns one list of natural log-probabilities a sequence, for each token after the first."""
    model: torch.nn.Module = load_model(request.base, torch.float32)
    if request.adapter is not None:
        model = PeftModel.from_pretrained(model, request.adapter)
    model.eval()
    return {"logprobs": [token_logprobs(model, ids) for ids in request.sequences]}
