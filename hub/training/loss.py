# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The loss of each label: cross-entropy, where the label of a continuous action may be spread over its neighbors."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F


def token_losses(
    logits: torch.Tensor, targets: torch.Tensor, continuous: range | None = None, soft_bins: float = 0.0
) -> torch.Tensor:
    """Computes the cross-entropy of each label.

    Args:
        logits: (labels, vocabulary) logits.
        targets: (labels,) ids.
        continuous: The ids of the bins of continuous values, in the order of their values.
        soft_bins: The standard deviation, in bins, of the Gaussian over which a target in `continuous` is spread. The
            Gaussian is cut off after three deviations and at the ends of the range, and sums to 1. 0 keeps the target
            in one bin.

    Returns:
        (labels,) float32 losses, in nats.
    """
    logits = logits.float()
    if not soft_bins or continuous is None:
        return F.cross_entropy(logits, targets, reduction="none")
    reach = math.ceil(3 * soft_bins)
    offsets = torch.arange(-reach, reach + 1, device=logits.device)
    bins = targets[:, None] + offsets
    inside = (bins >= continuous.start) & (bins < continuous.stop)
    # A label that is not a bin is not spread.
    is_bin = (targets >= continuous.start) & (targets < continuous.stop)
    inside = torch.where(is_bin[:, None], inside, offsets == 0)
    shares = torch.exp(-0.5 * (offsets / soft_bins) ** 2) * inside
    shares = shares / shares.sum(-1, keepdim=True)
    at_bins = logits.gather(-1, bins.clamp(0, logits.shape[-1] - 1))
    return logits.logsumexp(-1) - (shares * at_bins).sum(-1)
