# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Image patches to vectors (paper, section 2.2)."""

import torch
from torch import nn
from torch.nn import functional as F
from transformers.utils.import_utils import is_tracing

from .configuration_gato import GatoConfig


class KeepsScale:
    """A layer whose fresh weights multiply the scale of its input by `gain`."""

    gain = 1.0
    weight: nn.Parameter


class GatoPatchConv2d(KeepsScale, nn.Conv2d):
    pass


class GatoPatchStem(KeepsScale, nn.Conv2d):
    """The first convolution, which undoes the processor's division of pixels by sqrt(patch_size)."""

    def __init__(self, config: GatoConfig):
        stride = config.patch_size // 4
        super().__init__(config.num_channels, config.patch_embed_channels, kernel_size=stride, stride=stride)
        self.gain = config.patch_size**0.5


class GatoPatchLinear(KeepsScale, nn.Linear):
    pass


class GatoPatchLayerNorm(nn.LayerNorm):
    """A layer norm that starts at `initializer_range`, so that a fresh patch vector has a fresh token's scale."""


class GatoPatchEmbedder(nn.Module):
    """
    Image patches to vectors: one pre-activation residual block with group norm and GELU (paper, section 2.2), plus a
    learnt vector for the patch's row interval and one for its column interval.

    Stem and channels are unpublished. Ours: a strided convolution to a 4 x 4 map and GELU, the block on that map, a
    linear layer to the width, and a layer norm. The stem's GELU sees absolute values, which the group norms take away.
    """

    def __init__(self, config: GatoConfig):
        super().__init__()
        channels, groups = config.patch_embed_channels, config.patch_embed_groups
        self.num_positions = config.num_patch_positions
        self.patch_shape = (config.num_channels, config.patch_size, config.patch_size)
        self.stem = GatoPatchStem(config)
        self.norm1 = nn.GroupNorm(groups, channels)
        self.conv1 = GatoPatchConv2d(channels, channels, kernel_size=3, padding=1)
        self.norm2 = nn.GroupNorm(groups, channels)
        self.conv2 = GatoPatchConv2d(channels, channels, kernel_size=3, padding=1)
        self.proj = GatoPatchLinear(16 * channels, config.hidden_size)
        self.norm = GatoPatchLayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.row_embeddings = nn.Embedding(config.num_patch_positions, config.hidden_size)
        self.column_embeddings = nn.Embedding(config.num_patch_positions, config.hidden_size)

    def forward(self, pixel_values: torch.Tensor, patch_positions: torch.Tensor | None) -> torch.Tensor:
        """
        Args:
            pixel_values: `(patches, channels, patch_size, patch_size)`, in the dtype of the weights.
            patch_positions: `(patches, 2, 2)`, integer `[[row start, row end], [column start, column end]]`.

        Returns:
            `(patches, hidden_size)`.

        Raises:
            ValueError: patches or positions of another shape, positions that are missing or out of range.
        """
        self.check_inputs(pixel_values, patch_positions)
        distinct, indices = distinct_patches(pixel_values)
        embeds = self.embed_pixels(distinct)
        if indices is not None:
            embeds = F.embedding(indices, embeds)  # whose gradient, unlike that of indexing, adds up in a fixed order
        rows, columns = self.choose_positions(patch_positions).unbind(-1)
        return embeds + self.row_embeddings(rows) + self.column_embeddings(columns)

    def embed_pixels(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Vectors `(patches, hidden_size)` of what patches show, wherever they are."""
        hidden = F.gelu(self.stem(pixel_values))  # (patches, channels, 4, 4)
        residual = hidden
        hidden = self.conv1(F.gelu(self.norm1(hidden)))
        hidden = self.conv2(F.gelu(self.norm2(hidden)))
        return self.norm(self.proj((residual + hidden).flatten(1)))

    def choose_positions(self, patch_positions: torch.Tensor) -> torch.Tensor:
        """Picks an index in each interval: a random one in training, the middle otherwise. `(patches, 2)`."""
        start, end = patch_positions.unbind(-1)
        if self.training:
            draw = torch.rand(start.shape, device=start.device)
            index = start + (draw * (end - start)).long()
        else:
            index = (start + end) // 2
        # The last interval ends at the table's size, and an image of over 128 patches a side has empty intervals.
        return index.clamp(max=self.num_positions - 1)

    def check_inputs(self, pixel_values: torch.Tensor, patch_positions: torch.Tensor | None) -> None:
        if pixel_values.ndim != 4 or tuple(pixel_values.shape[1:]) != self.patch_shape:
            raise ValueError(
                f"`pixel_values` must have shape (patches, {', '.join(map(str, self.patch_shape))}), "
                f"got {tuple(pixel_values.shape)}"
            )
        if patch_positions is None:
            raise ValueError("`patch_positions` of shape (patches, 2, 2) are needed with `pixel_values`")
        if tuple(patch_positions.shape) != (pixel_values.shape[0], 2, 2):
            raise ValueError(
                f"`patch_positions` must have shape ({pixel_values.shape[0]}, 2, 2), one a patch, "
                f"got {tuple(patch_positions.shape)}"
            )
        check_range("patch_positions", patch_positions, 0, self.num_positions + 1)
        if can_look_at(patch_positions) and (patch_positions[..., 0] > patch_positions[..., 1]).any():
            raise ValueError("`patch_positions` must be intervals [start, end] with start <= end")


def distinct_patches(pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """
    Finds patches that are equal.

    Screens and grids repeat the same few patches; embedding each once saves most of a small model's patch cost.
    Patches are matched by a projection on a fixed direction, and the match is then verified, so that a collision
    can't give a patch another's vector.

    Returns:
        the distinct patches, and `(patches,)` the place of each patch among them; `(pixel_values, None)` where nothing
        is saved.
    """
    count = pixel_values.shape[0]
    if count < 2 or pixel_values.requires_grad or is_tracing(pixel_values):
        return pixel_values, None
    flat = pixel_values.flatten(1)
    direction = torch.sin(torch.arange(1, flat.shape[1] + 1, device=flat.device, dtype=torch.float32) * 12.9898)
    # A matrix product may round equal rows differently; a sum along the row does not.
    _, indices = torch.unique((flat.float() * direction).sum(-1), return_inverse=True)
    distinct_count = int(indices.max()) + 1
    if distinct_count > 0.9 * count:
        return pixel_values, None
    first = torch.zeros(distinct_count, dtype=torch.long, device=flat.device)
    first[indices] = torch.arange(count, device=flat.device)
    distinct = pixel_values[first]
    return (distinct, indices) if torch.equal(distinct[indices], pixel_values) else (pixel_values, None)


def can_look_at(values: torch.Tensor) -> bool:
    """Whether values can be checked: on an accelerator a look costs a synchronization, in a traced graph it fails."""
    return values.device.type == "cpu" and not is_tracing(values)


def check_range(name: str, ids: torch.Tensor, low: int, high: int) -> None:
    """Raises a ValueError unless all ids lie in [low, high), where that can be checked."""
    if not can_look_at(ids) or ids.numel() == 0:
        return
    smallest, largest = ids.aminmax()
    if smallest < low or largest >= high:
        raise ValueError(f"`{name}` must lie in [{low}, {high}), got values from {int(smallest)} to {int(largest)}")


__all__ = ["GatoPatchEmbedder", "GatoPatchLayerNorm", "KeepsScale", "check_range", "distinct_patches"]
