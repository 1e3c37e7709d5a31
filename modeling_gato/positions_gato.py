# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Where tokens are: rotary positions (Su et al., 2021) and Transformer-XL's distances (Dai et al., 2019)."""

from typing import Any

import torch
from torch import nn
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, dynamic_rope_update

from .configuration_gato import GatoConfig


class GatoRotaryEmbedding(nn.Module):
    """Cosines and sines of rotary positions (Su et al., 2021)."""

    def __init__(self, config: GatoConfig):
        super().__init__()
        self.config = config
        self.max_seq_len_cached = config.max_position_embeddings
        self.original_max_seq_len = config.max_position_embeddings
        self.rope_type = config.rope_parameters["rope_type"]
        compute = self.compute_default_rope_parameters
        if self.rope_type != "default":
            compute = ROPE_INIT_FUNCTIONS[self.rope_type]
        inv_freq, self.attention_scaling = compute(config)
        self.inv_freq = nn.Buffer(inv_freq, persistent=False)
        self.original_inv_freq = nn.Buffer(inv_freq.clone(), persistent=False)

    @staticmethod
    def compute_default_rope_parameters(config: GatoConfig, **kwargs: Any) -> tuple[torch.Tensor, float]:
        exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float) / config.head_dim
        return config.rope_parameters["rope_theta"] ** -exponents, 1.0

    @torch.no_grad()
    @dynamic_rope_update
    def forward(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines `(batch, 1, length, head_dim)` in the dtype of `x`."""
        angles = position_ids[:, None, :, None].float() * self.inv_freq.to(x.device, torch.float)
        angles = torch.cat((angles, angles), dim=-1)
        cosines = angles.cos() * self.attention_scaling
        sines = angles.sin() * self.attention_scaling
        return cosines.to(x.dtype), sines.to(x.dtype)


def rotate(states: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """Rotates `(batch, heads, length, head_dim)` by the angles of its positions."""
    first, second = states.chunk(2, dim=-1)
    return states * cosines + torch.cat((-second, first), dim=-1) * sines


class GatoRelativeEncoding(nn.Module):
    """Sinusoids of the distance between a query and a key (Dai et al., 2019, section 3.3)."""

    def __init__(self, config: GatoConfig):
        super().__init__()
        self.hidden_size = config.hidden_size

    def forward(self, x: torch.Tensor, num_distances: int) -> torch.Tensor:
        """Row d encodes distance d: `(num_distances, hidden_size)`, on the device and in the dtype of `x`."""
        exponents = torch.arange(0, self.hidden_size, 2, device=x.device, dtype=torch.float) / self.hidden_size
        distances = torch.arange(num_distances, device=x.device, dtype=torch.float)
        angles = distances[:, None] * 10000.0**-exponents
        return torch.cat((angles.sin(), angles.cos()), dim=-1).to(x.dtype)


__all__ = ["GatoRelativeEncoding", "GatoRotaryEmbedding", "rotate"]
