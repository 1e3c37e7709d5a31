# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Embeddings of ids, of which some stand for values in order."""

import math

import torch
from torch import nn
from transformers import initialization as init

from .configuration_gato import GatoConfig


class GatoTokenEmbedding(nn.Embedding):
    """Embeddings of ids, of which the range `config.continuous_token_range` stands for values in order."""

    def __init__(self, config: GatoConfig):
        super().__init__(config.vocab_size, config.hidden_size)
        self.continuous_token_range = config.continuous_token_range

    def init_continuous_tokens(self, std: float) -> None:
        """Draws similar embeddings for neighboring values; see [`smooth_embeddings`]."""
        bins = self.continuous_token_range
        # A slice of the weight loses the library's mark of weights that were loaded.
        if bins is not None and not getattr(self.weight, "_is_hf_initialized", False):
            weight = self.weight[bins[0] : bins[1]]
            init.copy_(weight, smooth_embeddings(weight.shape[0], weight.shape[1], std).to(weight))


def smooth_embeddings(count: int, width: int, std: float, num_waves: int = 32) -> torch.Tensor:
    """
    Draws embeddings `(count, width)` of values in order, in which neighbors are alike.

    Each is a random sum of sines and cosines of its value, the slow ones the largest. What is learnt of one value then
    holds for its neighbors, which a table of independent vectors learns one by one.
    """
    places = (torch.arange(count) + 0.5) / count
    waves = torch.arange(1, num_waves + 1)
    angles = math.pi * places[:, None] * waves
    sizes = 1.0 / (1.0 + waves / 4.0)
    features = torch.cat([angles.cos() * sizes, angles.sin() * sizes], dim=1)
    embeddings = features @ torch.randn(2 * num_waves, width)
    return embeddings * (std / embeddings.std())


def image_placeholders(
    image_token_id: int, embed_tokens: nn.Module, input_ids: torch.Tensor | None, inputs_embeds: torch.Tensor | None
) -> torch.Tensor:
    """
    Finds the placeholders of image patches by the ids or, where there are none, by the embeddings.

    Returns:
        boolean `(batch, length)`.
    """
    if input_ids is not None:
        return input_ids == image_token_id
    image_id = torch.tensor(image_token_id, device=inputs_embeds.device)
    return (inputs_embeds == embed_tokens(image_id)).all(-1)


__all__ = ["GatoTokenEmbedding", "smooth_embeddings"]
