"""How far an adapter has moved from its base, in nats a token, on text that the base itself would write.

The base continues a few prompts of the dataset, drawn once before the training. The distance is the mean, over the tokens
so drawn, of the exact divergence KL(base || base + adapter) between the two distributions of the next token. By the
chain rule its sum over a text is what the two differ by in writing such texts; no token needs to be sampled for it.
"""

from __future__ import annotations

import random
from typing import Sequence

import torch
from peft import PeftModel
from torch.nn import functional

from .loss import logits_of
from .method import Row
from .model import text_model

PROMPTS = 8
PROMPT_TOKENS = 256
DRAWN_TOKENS = 32


class Distance:
    """The base's own texts, and the measure on them. Holds ids alone: both distributions are computed anew each time."""

    def __init__(self, model: PeftModel, rows: Sequence[Row], seed: int) -> None:
        """Lets the base continue the prompts of up to 8 rows; leaves torch's own generators as they were."""
        drawn = random.Random(f"{seed}/kl").sample(list(rows), min(PROMPTS, len(rows)))
        with torch.random.fork_rng(), model.disable_adapter():
            torch.manual_seed(seed)
            self._texts = [(len(prompt), continued(model, prompt)) for prompt in map(prompt_of, drawn)]

    def measure(self, model: PeftModel) -> float:
        """Mean KL(base || base + adapter) over the drawn tokens, nats a token, never below 0; no number where the adapter gives none."""
        was_training = model.training
        model.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for start, ids in self._texts:
                with model.disable_adapter():
                    base = next_token_logprobs(model, ids, start)
                adapted = next_token_logprobs(model, ids, start)
                total += float(functional.kl_div(adapted, base, log_target=True, reduction="sum"))
                count += len(base)
        model.train(was_training)
        mean = total / count
        return 0.0 if mean < 0 else mean  # rounding; what is no number stays so


def prompt_of(row: Row) -> list[int]:
    """Returns the ids in front of the first token under the loss, at most the last 256 of them."""
    return row.prompt_ids[-PROMPT_TOKENS:]


def continued(model: PeftModel, prompt: list[int]) -> list[int]:
    """Returns the prompt with up to 32 tokens behind it, drawn from the whole distribution."""
    device = next(model.parameters()).device
    ids = torch.tensor([prompt], device=device)
    drawn = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        max_new_tokens=DRAWN_TOKENS,
        pad_token_id=0,
    )
    return drawn[0].tolist()


def next_token_logprobs(model: PeftModel, ids: list[int], start: int) -> torch.Tensor:
    """Log-probabilities (float32) of the whole vocabulary for each token from `start` on. Shapes: (tokens, vocabulary)."""
    causal = model.get_base_model()
    device = next(model.parameters()).device
    hidden = text_model(causal)(input_ids=torch.tensor([ids], device=device), use_cache=False).last_hidden_state
    return torch.log_softmax(logits_of(causal, hidden[0, start - 1 : -1]), dim=-1)
