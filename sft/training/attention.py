"""Attention over a pack: each row sees itself alone, and nothing is padded."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import torch
from torch.nn.functional import scaled_dot_product_attention

NAME = "packed"
"""What `attn_implementation` calls it."""


def register() -> None:
    """Let transformers find it by its name. It has no mask, so none is made for it."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, packed)


def packed(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each of the rows that `cu_seq_lens_q` bounds.

    `query`: (1, heads, tokens, size); `key`, `value`: (1, key heads, tokens, size); gives (1, tokens, heads, size).
    Flash attention on a GPU (torch's own, with rows of any length), PyTorch's attention row by row elsewhere.
    """
    if cu_seq_lens_q is None or max_length_q is None:
        raise ValueError("packs say where their rows end: cu_seq_lens_q and max_length_q are missing")
    if torch.is_autocast_enabled(query.device.type):
        # Norms of queries and keys leave them in float32, whatever the rest is computed in.
        query, key, value = (part.to(torch.get_autocast_dtype(query.device.type)) for part in (query, key, value))
    if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16):
        return _flash(query, key, value, cu_seq_lens_q, max_length_q, scaling, sliding_window), None
    if sliding_window is not None and sliding_window < max_length_q:
        raise ValueError("sliding windows need a GPU and bfloat16")
    bounds = cu_seq_lens_q.tolist()
    grouped = key.shape[1] != query.shape[1]
    made = [
        scaled_dot_product_attention(
            query[:, :, start:end],
            key[:, :, start:end],
            value[:, :, start:end],
            is_causal=True,
            scale=scaling,
            enable_gqa=grouped,
        )
        for start, end in pairwise(bounds)
    ]
    return torch.cat(made, dim=2).transpose(1, 2), None


def _flash(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bounds: torch.Tensor,
    longest: int,
    scaling: float | None,
    window: int | None,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    many = query.shape[1] // key.shape[1]
    rows = query[0].transpose(0, 1)
    keys, values = (part[0].transpose(0, 1).repeat_interleave(many, dim=1) for part in (key, value))
    behind = -1 if window is None or window >= longest else window - 1
    made: Any = varlen_attn(
        rows, keys, values, bounds, bounds, longest, longest, scale=scaling, window_size=(behind, 0)
    )
    return cast(torch.Tensor, made.unsqueeze(0))
