# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Which positions of a sequence to keep, as `logits_to_keep` names them, and how to take them."""

import torch
from transformers.utils.import_utils import is_tracing


def take_positions(states: torch.Tensor, positions: torch.Tensor | None) -> torch.Tensor:
    """
    Takes some positions of every row.

    Args:
        states: `(batch or 1, ..., length, size)`.
        positions: `(batch, n)`; None for all.

    Returns:
        `(batch, ..., n, size)`.
    """
    if positions is None:
        return states
    index = positions.reshape(len(positions), *[1] * (states.ndim - 3), -1, 1)
    return torch.take_along_dim(states, index, dim=-2)


def mask_of_positions(positions: torch.Tensor, length: int, mask: torch.Tensor | None) -> torch.Tensor:
    """
    Makes the mask of the queries at some positions.

    Args:
        positions: `(batch, n)`.
        length: number of queries and keys of a causal attention without a mask.
        mask: `(batch or 1, 1, length, keys)` of all queries; None where attention is causal.

    Returns:
        `(batch, 1, n, keys)`.
    """
    if mask is None:
        return (torch.arange(length, device=positions.device) <= positions[..., None])[:, None]
    return take_positions(mask, positions)


def positions_to_keep(
    logits_to_keep: int | torch.Tensor, batch: int, length: int, device: torch.device
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """
    Turns `logits_to_keep` into indices.

    Args:
        logits_to_keep: see [`GatoForCausalLM.forward`].

    Returns:
        positions `(batch, n)`, and a boolean `(batch, n)`. Where a mask keeps more in one row than in another, the
        shorter rows are filled up and the boolean tells which positions count; else it is None. Both are None where
        all positions are kept, and where a graph is traced, in which their number can't be known.
    """
    if isinstance(logits_to_keep, int):
        if not 0 < logits_to_keep < length:
            return None, None
        return torch.arange(length - logits_to_keep, length, device=device).expand(batch, -1), None
    if is_tracing(logits_to_keep):
        return None, None
    logits_to_keep = logits_to_keep.to(device)
    if logits_to_keep.ndim != 2:
        return (torch.arange(length, device=device)[logits_to_keep]).expand(batch, -1), None
    if logits_to_keep.dtype != torch.bool:
        return logits_to_keep, None
    counts = logits_to_keep.sum(1)
    most = max(int(counts.max()), 1)
    order = logits_to_keep.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
    return order[:, :most], torch.arange(most, device=device) < counts[:, None]


def keep_positions(states: torch.Tensor, logits_to_keep: int | torch.Tensor) -> torch.Tensor:
    """
    Takes the positions that `logits_to_keep` names.

    Args:
        states: `(batch, length, ...)`.
        logits_to_keep: the last n positions (0: all), a list of positions for every row, `(batch, n)` of them, or a
            boolean `(batch, length)`, which flattens rows and positions.
    """
    if isinstance(logits_to_keep, int):
        return states[:, -logits_to_keep:] if logits_to_keep else states
    if logits_to_keep.ndim == 2 and logits_to_keep.dtype != torch.bool:
        index = logits_to_keep if states.ndim == 2 else logits_to_keep[..., None]
        return torch.take_along_dim(states, index, dim=1)
    return states[logits_to_keep] if logits_to_keep.ndim == 2 else states[:, logits_to_keep]


__all__ = ["keep_positions", "mask_of_positions", "positions_to_keep", "take_positions"]
