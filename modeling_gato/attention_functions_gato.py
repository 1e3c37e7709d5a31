# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Attention functions of Gato's own, beside those of transformers: eager, in blocks, with scores of distances.

All take `(batch, heads, length, head_dim)` and return `(batch, length, heads, head_dim)` and the weights, or None.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs

from .blockwise_attention_gato import RelativeBlockwiseAttention, blockwise_attention, shift_to_distances


def eager_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    position_bias: torch.Tensor | None = None,
    **kwargs: Unpack[TransformersKwargs],
) -> tuple[torch.Tensor, torch.Tensor]:
    weights = query @ key.transpose(2, 3) * scaling
    if position_bias is not None:
        weights = weights + position_bias
    if attention_mask is not None:
        if attention_mask.dtype == torch.bool:
            weights = weights.masked_fill(~attention_mask, torch.finfo(weights.dtype).min)
        else:
            weights = weights + attention_mask
    weights = F.softmax(weights, dim=-1, dtype=torch.float32).to(query.dtype)
    weights = F.dropout(weights, p=dropout, training=module.training)
    return (weights @ value).transpose(1, 2).contiguous(), weights


def blockwise_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    blocks: list[tuple[int, int, int]],
    **kwargs: Unpack[TransformersKwargs],
) -> tuple[torch.Tensor, None]:
    """Attention of a window over its own keys, a block of queries at a time; see [`blockwise_attention`]."""
    return blockwise_attention(query, key, value, attention_mask, blocks, scaling), None


def with_distances(attend: Callable) -> Callable:
    """Returns the attention function that adds Transformer-XL's scores of distances to those of `attend`."""
    if attend is blockwise_attention_forward:
        return relative_blockwise_attention_forward
    return partial(relative_attention_forward, attend=attend)


def relative_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    relative_keys: torch.Tensor,
    attend: Callable,
    distances: torch.Tensor | None = None,
    **kwargs: Unpack[TransformersKwargs],
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """
    Transformer-XL's four terms (Dai et al., 2019, section 3.3), two of them as a bias of another attention function.

    Args:
        module: has the paper's u as `content_bias` and v as `relative_bias`, `(heads, head_dim)` each.
        relative_keys: `(heads, number of distances, head_dim)`, row d is the projected distance d.
        attend: the function that adds the bias, masks and attends.
        distances: `(batch or 1, queries, keys)`; None where the last key is the last query's own.
    """
    relative_query = (query + module.relative_bias[:, None, :]) * scaling
    return attend(
        module,
        query + module.content_bias[:, None, :],
        key,
        value,
        attention_mask,
        scaling=scaling,
        position_bias=score_distances(relative_query, relative_keys, key.shape[2], distances),
        **kwargs,
    )


def relative_blockwise_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    relative_keys: torch.Tensor,
    blocks: list[tuple[int, int, int]],
    **kwargs: Unpack[TransformersKwargs],
) -> tuple[torch.Tensor, None]:
    """[`relative_attention_forward`] in blocks of queries; see [`RelativeBlockwiseAttention`]."""
    attended = RelativeBlockwiseAttention.apply(
        query, key, value, relative_keys, module.content_bias, module.relative_bias, attention_mask, blocks, scaling
    )
    return attended.transpose(1, 2), None


def score_distances(
    query: torch.Tensor, relative_keys: torch.Tensor, num_keys: int, distances: torch.Tensor | None
) -> torch.Tensor:
    """
    Scores the distance from each query to each key, Transformer-XL's terms (b) and (d).

    Args:
        query: `(batch, heads, queries, head_dim)`, scaled, with the paper's v.
        relative_keys, distances: see [`relative_attention_forward`].

    Returns:
        `(batch, heads, queries, keys)`.
    """
    if distances is None:
        return shift_to_distances(_scores_of_all(query, relative_keys[:, :num_keys].flip(1)))
    scores = _scores_of_all(query, relative_keys)
    # Distances outside the window and those of keys yet to come are hidden by the mask.
    index = distances.clamp(0, relative_keys.shape[1] - 1)[:, None]
    return scores.gather(-1, index.expand(scores.shape[0], scores.shape[1], -1, -1))


def _scores_of_all(query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """`(batch, heads, queries, keys)` of keys `(heads, keys, head_dim)`, which all rows share without a copy."""
    batch, heads, queries, head_dim = query.shape
    scores = query.transpose(0, 1).reshape(heads, batch * queries, head_dim) @ keys.transpose(1, 2)
    return scores.view(heads, batch, queries, -1).transpose(0, 1)


__all__ = ["blockwise_attention_forward", "eager_attention_forward", "with_distances"]
