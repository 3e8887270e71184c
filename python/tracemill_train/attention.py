"""Attention for short sequences on a CPU: plain matrix products, whose backward is several times faster there than the
fused kernel's. Long sequences keep the fused kernel, because the plain one holds all scores in memory.

Packed rows are attended to one by one: a row costs what it costs alone, and nothing is there that could be mixed.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import Any, Iterator

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, eager_mask

NAME = "tracemill"
SHORT_TOKENS = 256
"""At this length the scores of 8 rows and 9 heads take about 30 MB a block, and four times that at twice the length."""

_without_mask: ContextVar[bool] = ContextVar("without_mask", default=False)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    row_lengths: list[int] | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Returns softmax(q k' scaling + mask) v, within each row where packed rows have these lengths.

    Shapes: query (batch, heads, tokens, size), key and value with their own number of heads, mask (batch, 1, tokens,
    tokens), additive; the result is (batch, tokens, heads, size).
    """
    if row_lengths is not None:
        window = kwargs.pop("sliding_window", None)
        parts = zip(*(states.split(row_lengths, dim=2) for states in (query, key, value)))
        rows = [
            attend(module, queries, keys, values, causal_mask(queries, window), scaling=scaling, **kwargs)[0]
            for queries, keys, values in parts
        ]
        return torch.cat(rows, dim=1), None
    if query.shape[2] > SHORT_TOKENS or attention_mask is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    groups = query.shape[1] // key.shape[1]
    key, value = (states.repeat_interleave(groups, dim=1) for states in (key, value))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query * scale, key.transpose(2, 3)) + attention_mask
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), None


def causal_mask(query: torch.Tensor, window: int | None) -> torch.Tensor | None:
    """Returns the additive mask of one row; None for a long one without a window, which the fused kernel masks by itself.

    Shapes: (1, 1, tokens, tokens), of the query's type.
    """
    tokens = query.shape[2]
    is_windowed = window is not None and tokens > window
    if tokens > SHORT_TOKENS and not is_windowed:
        return None
    hidden = torch.ones((tokens, tokens), dtype=torch.bool, device=query.device).triu(1)
    if is_windowed:
        hidden |= torch.ones_like(hidden).tril(-int(window or 0))
    mask = torch.zeros((tokens, tokens), dtype=query.dtype, device=query.device)
    return mask.masked_fill(hidden, torch.finfo(query.dtype).min)[None, None]


@contextlib.contextmanager
def without_mask() -> Iterator[None]:
    """While it lasts, models make no mask: packed rows have their own, and one for all tokens would be large."""
    token = _without_mask.set(True)
    try:
        yield
    finally:
        _without_mask.reset(token)


def _mask(*args: Any, **kwargs: Any) -> torch.Tensor | None:
    return None if _without_mask.get() else eager_mask(*args, **kwargs)


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, _mask)
