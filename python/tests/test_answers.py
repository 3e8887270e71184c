"""Greedy answers are what one pass over the whole sequence would choose, with and without an adapter."""

from __future__ import annotations

from pathlib import Path

import torch

from tracemill_train.answers import Request, greedy, run
from tracemill_train.model import load_model
from tracemill_train.probes import token_logprobs


def test_each_token_is_the_likeliest_after_all_before_it(base: Path) -> None:
    model = load_model(base / "hf", torch.float32).eval()
    prompt = [5, 9, 31, 7]
    answer = greedy(model, prompt, 6, [])
    ids = [int(token) for token in answer["ids"]]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
    assert logits.argmax(dim=-1).tolist() == ids
    scored = token_logprobs(model, prompt + ids)[len(prompt) - 1 :]
    assert torch.allclose(torch.tensor(scored), torch.tensor(answer["logprobs"]), atol=1e-4)


def test_a_stop_id_ends_an_answer_and_is_its_last(base: Path) -> None:
    prompts = [[5, 9, 31, 7]]
    free = run(Request(base=base / "hf", prompts=prompts, max_tokens=6, stop_ids=[]), lambda *_, **__: None)["answers"]
    stop = free[0]["ids"][2]
    cut = run(Request(base=base / "hf", prompts=prompts, max_tokens=6, stop_ids=[stop]), lambda *_, **__: None)["answers"]
    assert cut[0]["ids"] == free[0]["ids"][: free[0]["ids"].index(stop) + 1]
