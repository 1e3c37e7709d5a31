# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The loss of each label: cross-entropy, with neighbouring bins of a continuous action sharing in it."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F


def token_losses(
    logits: torch.Tensor, targets: torch.Tensor, continuous: range | None = None, soft_bins: float = 0.0
) -> torch.Tensor:
    """Cross-entropy of each label.

    Args:
        logits: (labels, vocabulary).
        targets: (labels,) ids.
        continuous: ids of the bins of continuous values, which are neighbours where their ids are.
        soft_bins: standard deviation, in bins, of the Gaussian over which a target among `continuous` is spread. It is
            cut off after three deviations and at the ends of the range, and adds up to 1. 0 leaves one bin.

    Returns:
        (labels,) float32, in nats.
    """
    logits = logits.float()
    if not soft_bins or continuous is None:
        return F.cross_entropy(logits, targets, reduction="none")
    reach = math.ceil(3 * soft_bins)
    offsets = torch.arange(-reach, reach + 1, device=logits.device)
    bins = targets[:, None] + offsets
    inside = (bins >= continuous.start) & (bins < continuous.stop)
    # A label that is no bin is one id alone.
    is_bin = (targets >= continuous.start) & (targets < continuous.stop)
    inside = torch.where(is_bin[:, None], inside, offsets == 0)
    shares = torch.exp(-0.5 * (offsets / soft_bins) ** 2) * inside
    shares = shares / shares.sum(-1, keepdim=True)
    at_bins = logits.gather(-1, bins.clamp(0, logits.shape[-1] - 1))
    return logits.logsumexp(-1) - (shares * at_bins).sum(-1)
