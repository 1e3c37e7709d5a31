# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Attention on a CPU, a block of queries at a time: it skips the keys that no query of a block can see.

In a window of many packed episodes that saves most of the work. No fused kernel takes Transformer-XL's scores of
distances; in blocks, the scores of all queries are never held at once: the backward pass computes each block's again.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

BLOCK = 128
# Measured by tests/benchmarks/training.py: where blocks save less, one kernel for all queries is faster.
LARGEST_SHARE = 0.4
SHORTEST_RELATIVE = 512


def worthwhile_blocks(mask: torch.Tensor | None, length: int, is_relative: bool) -> list[tuple[int, int, int]] | None:
    """The [`query_blocks`] of a window if they are faster than all queries at once, else None."""
    if is_relative:
        return query_blocks(mask, length) if length >= SHORTEST_RELATIVE else None
    if mask is None or length <= BLOCK:
        return None
    blocks = query_blocks(mask, length)
    scored = sum((stop - start) * (stop - first) for start, stop, first in blocks)
    return blocks if scored <= LARGEST_SHARE * length**2 else None


def query_blocks(mask: torch.Tensor | None, length: int) -> list[tuple[int, int, int]]:
    """
    Cuts a window into blocks of queries, each `(first query, query after the last, first key that one of them sees)`.

    Args:
        mask: boolean `(batch, 1, length, length)`, of a causal attention; None for all keys up to the query's own.
    """
    starts = range(0, length, BLOCK)
    if mask is None:
        return [(start, min(start + BLOCK, length), 0) for start in starts]
    # A query that sees nothing is padding; count its own key as its first.
    first_keys = mask[:, 0].to(torch.uint8).argmax(-1)
    own = torch.arange(length, device=mask.device)
    first_keys = torch.where(mask[:, 0].any(-1), first_keys, own).amin(0).tolist()
    return [(start, stop, min(first_keys[start:stop])) for start in starts for stop in [min(start + BLOCK, length)]]


def blockwise_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    blocks: list[tuple[int, int, int]],
    scaling: float,
) -> torch.Tensor:
    """
    Scaled dot-product attention of `(batch, heads, length, head_dim)`.

    Returns:
        `(batch, length, heads, head_dim)`.
    """
    parts = []
    for start, stop, first in blocks:
        seen = _visible(mask, start, stop, first, query.device)
        if mask is not None:
            seen = seen | ~seen.any(-1, keepdim=True)  # padding that sees nothing would be NaN
        parts.append(
            F.scaled_dot_product_attention(
                query[:, :, start:stop], key[:, :, first:stop], value[:, :, first:stop], attn_mask=seen, scale=scaling
            )
        )
    return torch.cat(parts, dim=2).transpose(1, 2)


def _visible(mask: torch.Tensor | None, start: int, stop: int, first: int, device: torch.device) -> torch.Tensor:
    if mask is not None:
        return mask[:, :, start:stop, first:stop]
    queries = torch.arange(start, stop, device=device)
    return queries[:, None] >= torch.arange(first, stop, device=device)


def shift_to_distances(scores: torch.Tensor) -> torch.Tensor:
    """
    Realign scores whose last column is distance 0 for every query: the last query keeps its row, the one before it
    moves one to the left, and so on. What enters on the right belongs to later keys, which the mask hides.

    Args:
        scores: `(batch, heads, queries, keys)`, column c of every row scoring distance `keys - 1 - c`.

    Returns:
        `(batch, heads, queries, keys)`, column c scoring the distance from query to key c.
    """
    batch, heads, queries, keys = scores.shape
    if queries == 1:
        return scores
    padded = F.pad(scores, (1, 0)).view(batch, heads, keys + 1, queries)
    return padded[:, :, 1:].view(batch, heads, queries, keys)


def shift_from_distances(gradients: torch.Tensor) -> torch.Tensor:
    """Backward of [`shift_to_distances`]: gradients of its output to gradients of its input."""
    batch, heads, queries, keys = gradients.shape
    if queries == 1:
        return gradients
    padded = F.pad(gradients.reshape(batch, heads, keys, queries), (0, 0, 1, 0))
    return padded.view(batch, heads, queries, keys + 1)[..., 1:]


class RelativeBlockwiseAttention(torch.autograd.Function):
    """
    Attention with Transformer-XL's four terms (Dai et al., 2019, section 3.3), forward and backward in blocks.

    Args:
        query, key, value: `(batch, heads, length, head_dim)`.
        distance_keys: `(heads, at least length, head_dim)`, row d is the projected distance d.
        content_bias, distance_bias: `(heads, head_dim)`, the paper's u and v.
        mask, blocks, scaling: see [`blockwise_attention`].

    Returns:
        `(batch, heads, length, head_dim)`.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        distance_keys: torch.Tensor,
        content_bias: torch.Tensor,
        distance_bias: torch.Tensor,
        mask: torch.Tensor,
        blocks: list[tuple[int, int, int]],
        scaling: float,
    ) -> torch.Tensor:
        attended, normalizers = torch.empty_like(query), []
        for block in blocks:
            start, stop, first = block
            parts = _BlockOfScores(query, key, distance_keys, content_bias, distance_bias, mask, block, scaling)
            largest = parts.scores.amax(-1, keepdim=True)
            weights = parts.scores.sub_(largest).exp_()
            total = weights.sum(-1, keepdim=True)
            normalizers.append(total.log().add_(largest))
            attended[:, :, start:stop] = (weights.to(value.dtype) @ value[:, :, first:stop]) / total.to(value.dtype)
        ctx.save_for_backward(
            query, key, value, distance_keys, content_bias, distance_bias, mask, attended, *normalizers
        )
        ctx.blocks, ctx.scaling = blocks, scaling
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_attended: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, distance_keys, content_bias, distance_bias, mask, attended, *normalizers = ctx.saved_tensors
        d_query, d_key, d_value = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
        d_distance_keys = torch.zeros_like(distance_keys)
        d_content, d_distance = torch.zeros_like(content_bias), torch.zeros_like(distance_bias)
        for block, normalizer in zip(ctx.blocks, normalizers, strict=True):
            start, stop, first = block
            parts = _BlockOfScores(query, key, distance_keys, content_bias, distance_bias, mask, block, ctx.scaling)
            weights = parts.scores.sub_(normalizer).exp_()
            d_out = d_attended[:, :, start:stop]
            d_value[:, :, first:stop] += weights.to(value.dtype).transpose(2, 3) @ d_out
            along = (d_out * attended[:, :, start:stop]).sum(-1, keepdim=True).float()
            d_scores = (d_out @ value[:, :, first:stop].transpose(2, 3)).float()
            d_scores = d_scores.sub_(along).mul_(weights).to(query.dtype)
            d_key[:, :, first:stop] += d_scores.transpose(2, 3) @ parts.content_query
            by_distance = shift_from_distances(d_scores)
            d_content_query = (d_scores @ key[:, :, first:stop]).mul_(ctx.scaling)
            d_distance_query = (by_distance @ parts.keys).mul_(ctx.scaling)
            d_query[:, :, start:stop] = d_content_query + d_distance_query
            d_content += d_content_query.sum((0, 2))
            d_distance += d_distance_query.sum((0, 2))
            # (heads, keys, batch x queries) x (heads, batch x queries, head_dim), which sums over the batch.
            heads, keys = by_distance.shape[1], by_distance.shape[3]
            d_keys = by_distance.permute(1, 3, 0, 2).reshape(heads, keys, -1) @ parts.distance_query.transpose(
                0, 1
            ).reshape(heads, -1, query.shape[-1])
            d_distance_keys[:, : stop - first] += d_keys.flip(1)
        return d_query, d_key, d_value, d_distance_keys, d_content, d_distance, None, None, None


class _BlockOfScores:
    """The masked scores of a block of queries in float32, and the tensors that they were made of."""

    def __init__(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        distance_keys: torch.Tensor,
        content_bias: torch.Tensor,
        distance_bias: torch.Tensor,
        mask: torch.Tensor,
        block: tuple[int, int, int],
        scaling: float,
    ) -> None:
        start, stop, first = block
        queries = query[:, :, start:stop]
        self.content_query = (queries + content_bias.to(query.dtype)[:, None]) * scaling
        self.distance_query = (queries + distance_bias.to(query.dtype)[:, None]) * scaling
        self.keys = distance_keys[:, : stop - first].flip(1)  # the last is distance 0
        scores = self.content_query @ key[:, :, first:stop].transpose(2, 3)
        scores += shift_to_distances(self.distance_query @ self.keys.transpose(1, 2))
        hidden = ~_visible(mask, start, stop, first, query.device)
        self.scores = scores.float().masked_fill_(hidden, torch.finfo(torch.float32).min)


__all__ = [
    "BLOCK",
    "RelativeBlockwiseAttention",
    "blockwise_attention",
    "query_blocks",
    "shift_to_distances",
    "worthwhile_blocks",
]
