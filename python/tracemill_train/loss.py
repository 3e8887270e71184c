"""The loss of the answer tokens. Logits are made only where there is a label: with a vocabulary of 49,152 and short
answers that spares a fifth of the work and nearly all of the memory of the usual way.
"""

from __future__ import annotations

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from . import attention
from .model import text_config, text_model
from .packing import positions_of
from .rows import IGNORED

CHUNK_LOGITS = 2**26
"""Logits that are in memory at once, over all tokens; more are done in chunks, recomputed in the backward pass."""


def chunk_tokens(vocabulary: int) -> int:
    """Returns how many tokens have their logits made at once: 1365 of a vocabulary of 49,152, 256 of one of 262,144."""
    return max(1, CHUNK_LOGITS // vocabulary)


def answer_loss(
    model: PreTrainedModel, input_ids: torch.Tensor, labels: torch.Tensor, lengths: torch.Tensor | None = None
) -> tuple[torch.Tensor, int]:
    """Returns the summed negative log-likelihood (nats, float32) of the labelled tokens, and how many there are. Shapes: as `answer_losses`."""
    losses = answer_losses(model, input_ids, labels, lengths)
    return losses.sum(), len(losses)


def answer_losses(
    model: PreTrainedModel, input_ids: torch.Tensor, labels: torch.Tensor, lengths: torch.Tensor | None = None
) -> torch.Tensor:
    """Returns the negative log-likelihood (nats, float32) of each labelled token, row after row.

    `model` is the causal model itself (the one inside a PEFT wrapper).
    Shapes: `input_ids` and `labels` (batch, tokens), padded on the right; label t is predicted from tokens before t.
    With `lengths` (rows) the batch is one sequence of packed rows, whose first tokens have no label. The result has
    (labelled tokens).
    """
    input_ids, labels = (ids.to(model.get_input_embeddings().weight.device) for ids in (input_ids, labels))
    hidden = _hidden(model, input_ids, lengths)[:, :-1]
    targets = labels[:, 1:]
    is_trained = targets != IGNORED
    hidden, targets = hidden[is_trained], targets[is_trained]
    chunk = chunk_tokens(text_config(model.config).vocab_size)
    if len(targets) <= chunk:
        return _losses(model, hidden, targets)
    parts = [
        checkpoint(_losses, model, some_hidden, some_targets, use_reentrant=False)
        for some_hidden, some_targets in zip(hidden.split(chunk), targets.split(chunk))
    ]
    return torch.cat(parts)


def _hidden(model: PreTrainedModel, input_ids: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    text = text_model(model)
    if lengths is None:
        return text(input_ids=input_ids, use_cache=False).last_hidden_state
    rows = lengths.tolist()
    positions = positions_of(rows).to(input_ids.device)
    with attention.without_mask():
        return text(input_ids=input_ids, position_ids=positions, row_lengths=rows, use_cache=False).last_hidden_state


def logits_of(model: PreTrainedModel, hidden: torch.Tensor) -> torch.Tensor:
    """Returns the logits (float32) of hidden states, capped as the model caps them.

    Shapes: `hidden` (..., hidden size), the result (..., vocabulary).
    """
    logits = model.get_output_embeddings()(hidden).float()
    softcap = getattr(text_config(model.config), "final_logit_softcapping", None)
    return logits if softcap is None else torch.tanh(logits / softcap) * softcap


def _losses(model: PreTrainedModel, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits_of(model, hidden), targets, reduction="none")
