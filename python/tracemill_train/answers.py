"""Verb `answers`: greedy continuations of prompts by a base, or by an adapter on it, in float32 by transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel

from .events import Emit
from .model import load_model, use_threads


@dataclass(frozen=True)
class Request:
    """A base's folder, an adapter's folder or null, the ids of each prompt, the longest answer, and what ends one."""

    base: Path
    prompts: list[list[int]]
    max_tokens: int
    stop_ids: list[int]
    adapter: Path | None = None
    threads: int | None = None


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Returns, a prompt, the answer's ids (one that ended it is the last) and the natural log-probability of each."""
    use_threads(request.threads)
    model: torch.nn.Module = load_model(request.base, torch.float32)
    if request.adapter is not None:
        model = PeftModel.from_pretrained(model, request.adapter)
    model.eval()
    answers = []
    for number, prompt in enumerate(request.prompts):
        answers.append(greedy(model, prompt, request.max_tokens, request.stop_ids))
        emit("progress", stage=f"{number + 1} of {len(request.prompts)} prompts")
    return {"answers": answers}


def greedy(model: torch.nn.Module, prompt: list[int], max_tokens: int, stop_ids: list[int]) -> dict[str, list[object]]:
    """Takes the likeliest token until one of `stop_ids` or `max_tokens`; log-probabilities are rounded to 6 digits."""
    given = torch.tensor([prompt])
    ids: list[int] = []
    logprobs: list[float] = []
    states = None
    with torch.no_grad():
        while len(ids) < max_tokens and (not ids or ids[-1] not in stop_ids):
            out = model(input_ids=given, past_key_values=states, use_cache=True, logits_to_keep=1)
            states = out.past_key_values
            told = torch.log_softmax(out.logits[0, -1].float(), dim=-1)
            best = int(told.argmax())
            ids.append(best)
            logprobs.append(round(float(told[best]), 6))
            given = torch.tensor([[best]])
    return {"ids": list(ids), "logprobs": list(logprobs)}
