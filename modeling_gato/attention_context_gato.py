# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What all layers of a forward pass need to know: who sees whom, at which distance, and which function attends."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional as F
from transformers.cache_utils import Cache
from transformers.masking_utils import create_sliding_window_causal_mask, find_packed_sequence_indices
from transformers.utils import logging
from transformers.utils.import_utils import is_tracing

from .blockwise_attention_gato import worthwhile_blocks
from .configuration_gato import GatoConfig
from .kept_positions_gato import mask_of_positions, take_positions
from .memory_gato import GatoMemory, MemoryBlock

logger = logging.get_logger(__name__)

BLOCKWISE = "blockwise"  # name of an attention function, beside the implementations of transformers


@dataclass(frozen=True)
class AttentionContext:
    """
    What the layers of a forward pass share.

    Attributes:
        attention_mask: the mask that the attention function takes; None where it needs none.
        position_ids: `(batch or 1, length)`.
        attention_function: name of the function that attends.
        num_distances: number of distances that Transformer-XL attention is to project; 0 for rotary positions, and
            where the cache remembers the projections.
        distances: `(batch or 1, length, keys)` from query to key; None where the last key is the last query's own.
        blocks: the blocks of blockwise attention, see [`query_blocks`].
        flash_boundaries: keyword arguments that keep packed sequences apart in flash attention.
        memory_block: the place of the new tokens in a [`GatoMemory`].
        can_select_queries: whether the mask of some queries alone can be made.
        is_relative: whether attention is Transformer-XL's.
    """

    attention_mask: Any
    position_ids: torch.Tensor
    attention_function: str
    num_distances: int = 0
    distances: torch.Tensor | None = None
    blocks: list[tuple[int, int, int]] | None = None
    flash_boundaries: dict[str, Any] | None = None
    memory_block: MemoryBlock | None = None
    can_select_queries: bool = False
    is_relative: bool = False

    def layer_arguments(self) -> dict[str, Any]:
        """Keyword arguments of a layer: tensors and plain values only, so that a device map can move them."""
        optional = {"distances": self.distances, "blocks": self.blocks, **(self.flash_boundaries or {})}
        return {
            "attention_mask": self.attention_mask,
            "position_ids": self.position_ids,
            "attention_function": self.attention_function,
            **{name: value for name, value in optional.items() if value is not None},
        }

    def of_queries(self, positions: torch.Tensor) -> "AttentionContext | None":
        """
        The context of a layer that computes the queries at some positions alone.

        Args:
            positions: `(batch, n)`.

        Returns:
            None where that can't be done, or saves too little to be worth a mask of its own.
        """
        length = self.position_ids.shape[1]
        if not self.can_select_queries or 2 * positions.shape[1] > length:
            return None
        mask = mask_of_positions(positions, length, self.attention_mask)
        distances, num_distances = self.distances, self.num_distances
        if distances is not None:
            distances = take_positions(distances, positions)
        elif self.is_relative:  # the last key is the last query's own
            distances = positions[..., None] - torch.arange(length - mask.shape[-1], length, device=mask.device)
            num_distances = num_distances if self.blocks is None else mask.shape[-1]
        is_blockwise = self.attention_function == BLOCKWISE
        return replace(
            self,
            attention_mask=mask,
            attention_function="sdpa" if is_blockwise else self.attention_function,
            num_distances=num_distances,
            distances=distances,
            blocks=None,
        )


def attention_context(
    config: GatoConfig,
    inputs_embeds: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    position_ids: torch.Tensor | None = None,
    past_key_values: Cache | None = None,
    use_cache: bool | None = False,
    training: bool = False,
    **options: Any,
) -> AttentionContext:
    """
    Finds out what the layers of a forward pass need to know. Changes none of its arguments.

    Args:
        inputs_embeds: `(batch, length, hidden_size)`.
        attention_mask, position_ids, past_key_values: see [`GatoModel.forward`].
        use_cache: whether keys and values will be kept.
        training: whether attention drops out.
        options: further keyword arguments of the attention function.
    """
    if getattr(past_key_values, "is_gato_memory", False):
        return _context_of_memory(config, inputs_embeds, attention_mask, past_key_values)
    length, device = inputs_embeds.shape[1], inputs_embeds.device
    inputs = (inputs_embeds, attention_mask, position_ids, past_key_values)
    mask, boundaries = _mask_and_boundaries(config, *inputs, options)
    if position_ids is None:
        num_past = 0 if past_key_values is None else past_key_values.get_seq_length()
        position_ids = (torch.arange(length, device=device) + num_past)[None]
    function, blocks = _implementation(config, mask), None
    has_cache = past_key_values is not None or use_cache
    if not has_cache and _can_attend_in_blocks(config, inputs_embeds, mask, training, options):
        blocks = worthwhile_blocks(mask, length, config.is_relative)
    num_distances, distances = 0, None
    if config.is_relative:
        num_distances, distances = _distances(config, length, device, past_key_values, blocks)
    return AttentionContext(
        attention_mask=mask,
        position_ids=position_ids,
        attention_function=function if blocks is None else BLOCKWISE,
        num_distances=num_distances,
        distances=distances,
        blocks=blocks,
        flash_boundaries=boundaries,
        can_select_queries=_can_select_queries(function, mask, past_key_values),
        is_relative=config.is_relative,
    )


def _context_of_memory(
    config: GatoConfig, inputs_embeds: torch.Tensor, attention_mask: torch.Tensor | None, memory: GatoMemory
) -> AttentionContext:
    """The context of new tokens of an agent, whose rows have positions and masks of their own."""
    batch, length, _ = inputs_embeds.shape
    block = memory.next_block(batch, length, attention_mask, inputs_embeds.device)
    num_distances = 0
    if config.is_relative:
        num_distances = min(config.max_position_embeddings, block.mask.shape[-1])
        if not torch.is_grad_enabled():
            num_distances = memory.distances_to_project(num_distances)
    return AttentionContext(
        attention_mask=block.mask,
        position_ids=block.positions,
        attention_function=_implementation(config, block.mask),
        num_distances=num_distances,
        distances=block.distances if config.is_relative else None,
        memory_block=block,
        can_select_queries=True,
        is_relative=config.is_relative,
    )


def _mask_and_boundaries(
    config: GatoConfig,
    inputs_embeds: torch.Tensor,
    attention_mask: torch.Tensor | None,
    position_ids: torch.Tensor | None,
    past_key_values: Cache | None,
    options: dict[str, Any],
) -> tuple[Any, dict[str, Any] | None]:
    """
    The mask: causal, inside the window, inside the sequence. For packed rows flash attention takes the boundaries of
    the sequences instead.
    """
    boundaries = None
    if position_ids is not None and past_key_values is None and not is_tracing(inputs_embeds):
        is_flash = "flash" in config._attn_implementation
        if is_flash and attention_mask is None and "cu_seq_lens_q" not in options:
            boundaries = flash_boundaries(position_ids.expand(inputs_embeds.shape[0], -1))
        elif not is_flash and attention_mask is not None and attention_mask.ndim == 2:
            # Given a padding mask, the library no longer looks for packed sequences. Padding is one more break
            # between them: no position follows on -2, and -2 follows on none.
            position_ids = position_ids.masked_fill(attention_mask == 0, -2)
            attention_mask = None
    mask = create_sliding_window_causal_mask(
        config=config,
        inputs_embeds=inputs_embeds,
        attention_mask=attention_mask,
        past_key_values=past_key_values,
        position_ids=position_ids,
    )
    return mask, boundaries


def flash_boundaries(position_ids: torch.Tensor) -> dict[str, Any] | None:
    """
    Finds what flash attention needs to keep packed sequences apart in any number of rows.

    Args:
        position_ids: `(batch, length)`.

    Returns:
        keyword arguments of flash attention; None where no sequences are packed.
    """
    sequence_ids = find_packed_sequence_indices(position_ids)
    if sequence_ids is None:
        return None
    is_start = torch.ones_like(sequence_ids, dtype=torch.bool)
    is_start[:, 1:] = sequence_ids[:, 1:] != sequence_ids[:, :-1]
    starts = is_start.flatten().nonzero().flatten().to(torch.int32)
    boundaries = F.pad(starts, (0, 1), value=position_ids.numel())
    longest = int(boundaries.diff().max())
    return {
        "cu_seq_lens_q": boundaries,
        "cu_seq_lens_k": boundaries,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def _implementation(config: GatoConfig, mask: Any) -> str:
    """
    The attention implementation of the configuration, or "sdpa" where that one can't take the mask.

    Raises:
        ValueError: Transformer-XL positions with flash attention.
    """
    name = config._attn_implementation
    is_flash = "flash" in name
    if is_flash and config.is_relative:
        raise ValueError(
            "Transformer-XL positions add a score to every query and key, which flash attention can't take: "
            "use attn_implementation='sdpa', 'eager' or 'flex_attention', or rotary positions"
        )
    if (is_flash or name == "flex_attention") and isinstance(mask, torch.Tensor) and mask.ndim == 4:
        logger.warning_once(f"`{name}` can't take a mask of each query and key, as a GatoMemory has: sdpa attends.")
        return "sdpa"
    return name


def _can_attend_in_blocks(
    config: GatoConfig, inputs_embeds: torch.Tensor, mask: Any, training: bool, options: dict[str, Any]
) -> bool:
    """Whether blockwise attention gives what the configuration's attention gives: weights aside, on a CPU."""
    length = inputs_embeds.shape[1]
    return (
        inputs_embeds.device.type == "cpu"
        and config._attn_implementation == "sdpa"
        and not (training and config.attention_dropout)
        and not options.get("output_attentions")
        and not config.output_attentions
        and not is_tracing(inputs_embeds)
        and (mask is None or (mask.dtype == torch.bool and mask.shape[-2:] == (length, length)))
    )


def _can_select_queries(function: str, mask: Any, past_key_values: Cache | None) -> bool:
    if mask is None:  # causal by a flag, which a cache with empty slots after the queries takes by another rule
        has_plain_keys = past_key_values is None or not past_key_values.is_compileable
        return has_plain_keys and function in ("eager", "sdpa")
    return isinstance(mask, torch.Tensor) and mask.ndim == 4


def _distances(
    config: GatoConfig,
    length: int,
    device: torch.device,
    past_key_values: Cache | None,
    blocks: list[tuple[int, int, int]] | None,
) -> tuple[int, torch.Tensor | None]:
    """The number of distances to project, and the distances of a cache whose keys don't end at the last query."""
    if blocks is not None:
        return max(stop - first for _, stop, first in blocks), None
    if past_key_values is None:
        return length, None
    num_keys, first_key = past_key_values.get_mask_sizes(length, 0)
    if hasattr(past_key_values, "relative_keys") and not torch.is_grad_enabled():
        return past_key_values.distances_to_project(num_keys), None
    if not past_key_values.is_compileable:
        return num_keys, None
    queries = torch.arange(length, device=device) + past_key_values.get_seq_length()
    keys = torch.arange(num_keys, device=device) + first_key
    return min(config.max_position_embeddings, num_keys), (queries[:, None] - keys)[None]


__all__ = ["BLOCKWISE", "AttentionContext", "attention_context"]
