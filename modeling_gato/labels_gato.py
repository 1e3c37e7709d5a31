# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Labels of the next token."""

import torch
from torch.nn import functional as F
from transformers.utils.import_utils import is_tracing

IGNORED_LABEL = -100  # of torch's cross entropy


def shifted_labels(
    tokens: torch.Tensor | None, labels: torch.Tensor | None, shift_labels: torch.Tensor | None
) -> torch.Tensor | None:
    """
    Gives every position the next one's label.

    Args:
        tokens: `(batch, length)` ids or `(batch, length, hidden_size)` embeddings; None if the caller left both out.
        labels: `(batch, length)`.
        shift_labels: `(batch, length)`, labels that the caller has shifted already.

    Raises:
        ValueError: the labels have another shape than the input.
    """
    if labels is not None and shift_labels is None:
        shift_labels = F.pad(labels, (0, 1), value=IGNORED_LABEL)[..., 1:]
    if shift_labels is not None and tokens is not None and shift_labels.shape != tokens.shape[:2]:
        raise ValueError(
            f"`labels` must have the shape of the input, {tuple(tokens.shape[:2])}, got {tuple(shift_labels.shape)}"
        )
    return shift_labels


def labeled_positions(
    tokens: torch.Tensor | None, shift_labels: torch.Tensor | None, logits_to_keep: int | torch.Tensor
) -> int | torch.Tensor:
    """
    Leaves out the positions without a label: in training nobody reads their logits.

    Returns:
        boolean `(batch, length)`, true at the positions that have a label; `logits_to_keep` as it is where a caller
        asks for some positions, where there are no labels, and where a graph is traced.
    """
    keeps_all = isinstance(logits_to_keep, int) and logits_to_keep == 0
    if shift_labels is None or not keeps_all or is_tracing(tokens):
        return logits_to_keep
    return shift_labels.to(tokens.device) != IGNORED_LABEL


__all__ = ["IGNORED_LABEL", "labeled_positions", "shifted_labels"]
