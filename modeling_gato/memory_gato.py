# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Caches: the memory of an agent, which holds keys and values of many environments, and the cache of `generate`."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F
from transformers.cache_utils import Cache, DynamicCache

from .configuration_gato import GatoConfig


class RemembersDistances:
    """
    What a cache needs to keep each layer's projected distances of Transformer-XL attention, so that a step costs no
    projection. Like keys and values, they belong to the weights that made them.

    Attributes:
        relative_keys: by layer index, the projected distances `(heads, distances, head_dim)`.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.relative_keys: dict[int, torch.Tensor] = {}
        self._num_distances = 0  # projected before they were forgotten

    def distances_to_project(self, num_distances: int) -> int:
        """
        Says how many distances the layers must project so that `num_distances` are remembered: 0 if they are, else a
        power of two, so that a growing cache projects seldom, and no fewer than before they were forgotten.
        """
        num_known = min((keys.shape[1] for keys in self.relative_keys.values()), default=0)
        if num_distances <= num_known:
            return 0
        return max(self._num_distances, 1 << (num_distances - 1).bit_length())

    def forget_distances(self) -> None:
        """Drops the projected distances, which other weights would project otherwise."""
        self._num_distances = max((keys.shape[1] for keys in self.relative_keys.values()), default=self._num_distances)
        self.relative_keys = {}


class GatoDynamicCache(RemembersDistances, DynamicCache):
    """
    The cache that a model with Transformer-XL attention makes for itself, in `generate` and where none is given.

    A cache that a caller made is never written to beyond its keys and values: with it, every forward pass projects
    the distances again.
    """

    def reset(self) -> None:
        super().reset()
        self.forget_distances()


def new_cache(config: GatoConfig) -> DynamicCache:
    """Makes an empty cache for a model of this configuration."""
    return (GatoDynamicCache if config.is_relative else DynamicCache)(config=config)


@dataclass(frozen=True)
class MemoryBlock:
    """
    Where a block of new tokens goes in a [`GatoMemory`], and what each of them may see.

    Attributes:
        positions: `(batch, length)`, positions of the new tokens.
        mask: `(batch, 1, length, keys)`, true where a token may see a key.
        distances: `(batch, length, keys)`, distance from each token to each key.
        slots: `(batch, length)`, the slot of the ring that each token takes.
        slot_positions: `(batch, capacity)`, the position that each slot holds then, -1 for an empty one.
        num_tokens: `(batch,)`, tokens of each row then.
        num_used: number of slots in use then.
        capacity: number of slots that the ring needs.
    """

    positions: torch.Tensor
    mask: torch.Tensor
    distances: torch.Tensor
    slots: torch.Tensor
    slot_positions: torch.Tensor
    num_tokens: torch.Tensor
    num_used: int
    capacity: int


class GatoMemory(RemembersDistances, Cache):
    """
    Keys and values of the last tokens of many environments, each at a step of its own: Transformer-XL memory.

    Every row writes its tokens into a ring of slots, so a step costs only its new tokens, memory use stays constant,
    rows may have different lengths, and one row can be cleared without touching the others. A token attends to the
    last `window` tokens. Until the window is full this equals encoding everything again. Past it, it equals one long
    forward pass with a sliding window, in which older tokens still reach through the layers as in Transformer-XL (Dai
    et al., 2019, section 3.2); encoding the last `window` tokens again would forget them.

    The memory also keeps each layer's projected distances of Transformer-XL attention. Like keys and values they
    belong to the weights that made them: clear all rows after the weights change.

    Args:
        window: number of tokens that a token can see, itself included; usually `config.max_position_embeddings`.
        batch_size: number of rows, one an environment.
        device: device of the positions; keys and values are kept where the model makes them.

    Attributes:
        is_gato_memory: tells the model that a cache brings its own masks and positions. The class can't tell: with
            `trust_remote_code=True` model and agent may come from two imports of this file, with a class each.
        relative_keys: see [`RemembersDistances`].
    """

    is_gato_memory = True

    def __init__(self, window: int, batch_size: int, device: torch.device | str | None = None):
        for name, value in (("window", window), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1, got {value}")
        super().__init__(layers=[])
        self.window = window
        self.capacity = window  # slots of the ring; grows to window + length - 1 for blocks of several tokens
        self.num_tokens = torch.zeros(batch_size, dtype=torch.long, device=device)
        self.slot_positions = torch.full((batch_size, self.capacity), -1, dtype=torch.long, device=device)
        self._buffers: list[tuple[torch.Tensor, torch.Tensor]] = []  # (rows, heads, allocated slots + 1, head_dim)
        self._rows = torch.arange(batch_size, device=device)[:, None]
        self._slots: torch.Tensor | None = None
        self._num_used = 0

    @property
    def batch_size(self) -> int:
        return self.num_tokens.shape[0]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Number of tokens that the longest row has read so far."""
        return int(self.num_tokens.max())

    def next_block(
        self, batch: int, length: int, attention_mask: torch.Tensor | None, device: torch.device
    ) -> MemoryBlock:
        """
        Finds places for a block of new tokens, without changing the memory; see [`GatoMemory.advance`].

        Args:
            batch, length: shape of the block.
            attention_mask: `(batch, length)`, 1 for tokens, 0 for padding, which leaves no trace; None for no padding.

        Raises:
            ValueError: the block has another number of rows than the memory, or the mask another shape than the block.
        """
        is_new = self._checked_mask(batch, length, attention_mask, device)
        capacity = max(
            self.capacity, self.window + length - 1
        )  # a block overwrites only what its first token can't see
        positions = self.num_tokens[:, None] + is_new.cumsum(1) - 1
        num_tokens = self.num_tokens + is_new.sum(1)
        num_used = min(capacity, int(num_tokens.max()))
        # Padding goes to one slot past the ring, which nobody reads.
        slots = torch.where(is_new, positions % capacity, capacity)
        slot_positions = F.pad(self._ring(capacity)[0], (0, 1)).scatter(1, slots, positions)[:, :-1]

        key_positions = slot_positions[:, : max(num_used, 1)]
        distances = positions[:, :, None] - key_positions[:, None, :]
        visible = (key_positions >= 0)[:, None, :] & (distances >= 0) & (distances < self.window)
        visible &= is_new[:, :, None]
        visible[:, :, 0] |= ~is_new  # a softmax over nothing is NaN
        return MemoryBlock(
            positions=positions.clamp(min=0),
            mask=visible[:, None],
            distances=distances,
            slots=slots,
            slot_positions=slot_positions,
            num_tokens=num_tokens,
            num_used=num_used,
            capacity=capacity,
        )

    def advance(self, block: MemoryBlock) -> None:
        """Takes a block of [`GatoMemory.next_block`]; the layers then write its keys and values by `update`."""
        self._grow(block.capacity)
        self.num_tokens = block.num_tokens
        self.slot_positions = block.slot_positions
        self._slots = block.slots
        self._num_used = block.num_used

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes `(rows, heads, length, head_dim)` of new keys and values; returns those of all slots in use."""
        num_used = max(self._num_used, 1)
        if layer_idx == len(self._buffers):
            self._buffers.append((self._empty(key_states, num_used), self._empty(value_states, num_used)))
        keys, values = self._buffers[layer_idx]
        if keys.shape[2] <= num_used:
            num_slots = min(self.capacity, 2 * num_used)
            keys, values = (self._enlarged(buffer, num_slots) for buffer in (keys, values))
            self._buffers[layer_idx] = (keys, values)
        slots = self._slots.clamp(max=keys.shape[2] - 1)
        keys[self._rows, :, slots] = key_states.transpose(1, 2)
        values[self._rows, :, slots] = value_states.transpose(1, 2)
        return keys[:, :, :num_used], values[:, :, :num_used]

    def clear(self, rows: torch.Tensor) -> None:
        """Empties the rows where the boolean `(batch,)` is true."""
        if rows.all():
            self.forget_distances()
        self.num_tokens = self.num_tokens.masked_fill(rows, 0)
        self.slot_positions = self.slot_positions.masked_fill(rows[:, None], -1)

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keeps only the rows of these indices, in this order."""
        self.num_tokens = self.num_tokens[indices]
        self.slot_positions = self.slot_positions[indices]
        self._rows = self._rows[: len(self.num_tokens)]
        self._num_used = min(self.capacity, self.get_seq_length())
        self._buffers = [(keys[indices], values[indices]) for keys, values in self._buffers]

    def load(self, other: "GatoMemory", rows: torch.Tensor) -> None:
        """
        Copies the rows of another memory, such as an encoded prompt, into some rows of this one.

        Args:
            other: a memory of the same window, with one row for all rows to replace, or one for each.
            rows: boolean `(batch,)`, true for the rows to replace.

        Raises:
            ValueError: `other` has another number of rows or another window.
        """
        num_rows = int(rows.sum())
        if other.batch_size not in (1, num_rows) or other.window != self.window:
            raise ValueError(
                f"`other` must be of one row, or {num_rows}, and window {self.window}, "
                f"got {other.batch_size} rows and window {other.window}"
            )
        self._grow(other.capacity)
        other._grow(self.capacity)  # in rings of one size a position has one slot
        self.num_tokens = self.num_tokens.clone()
        self.num_tokens[rows] = other.num_tokens
        self.slot_positions = self.slot_positions.clone()
        self.slot_positions[rows] = other.slot_positions
        num_used = other._num_used
        for layer_idx, sources in enumerate(other._buffers):
            if layer_idx == len(self._buffers):
                shape = (self.batch_size, -1, -1, -1)
                self._buffers.append(tuple(self._empty(source[:1].expand(shape), num_used) for source in sources))
            targets = [
                target if target.shape[2] > num_used else self._enlarged(target, num_used)
                for target in self._buffers[layer_idx]
            ]
            for target, source in zip(targets, sources, strict=True):
                target[rows, :, :num_used] = source[:, :, :num_used]
            self._buffers[layer_idx] = tuple(targets)

    def _checked_mask(
        self, batch: int, length: int, attention_mask: torch.Tensor | None, device: torch.device
    ) -> torch.Tensor:
        """Boolean `(batch, length)`, true for tokens."""
        if batch != self.batch_size:
            raise ValueError(f"this memory holds {self.batch_size} rows, got a batch of {batch}")
        if attention_mask is None:
            return torch.ones((batch, length), dtype=torch.bool, device=device)
        if tuple(attention_mask.shape) != (batch, length):
            raise ValueError(
                f"`attention_mask` must have the shape of the new tokens, {(batch, length)}, "
                f"got {tuple(attention_mask.shape)}"
            )
        return attention_mask.to(device).bool()

    def _ring(self, capacity: int) -> tuple[torch.Tensor, tuple[torch.Tensor, ...] | None]:
        """
        The positions `(batch, capacity)` that the slots of a larger ring hold, and which tokens move there: their
        rows, old slots and new slots; None where the ring is large enough as it is.
        """
        old = self.slot_positions
        if capacity <= self.capacity:
            return old, None
        kept = (old >= 0) & (old > (self.num_tokens - self.window)[:, None])
        rows, old_slots = kept.nonzero(as_tuple=True)
        new_slots = old[rows, old_slots] % capacity
        ring = old.new_full((self.batch_size, capacity), -1)
        ring[rows, new_slots] = old[rows, old_slots]
        return ring, (rows, old_slots, new_slots)

    def _grow(self, capacity: int) -> None:
        """Moves what is remembered to a ring of at least `capacity` slots."""
        self.slot_positions, moves = self._ring(capacity)
        if moves is None:
            return
        rows, old_slots, new_slots = moves
        num_slots = int(new_slots.max()) + 1 if len(new_slots) else 1
        for layer_idx, old in enumerate(self._buffers):
            new = tuple(self._empty(buffer, num_slots) for buffer in old)
            for target, source in zip(new, old, strict=True):
                target[rows, :, new_slots] = source[rows, :, old_slots]
            self._buffers[layer_idx] = new
        self._num_used = num_slots
        self.capacity = capacity

    @staticmethod
    def _empty(like: torch.Tensor, num_slots: int) -> torch.Tensor:
        batch, heads, _, head_dim = like.shape
        return like.new_zeros((batch, heads, num_slots + 1, head_dim))

    @classmethod
    def _enlarged(cls, buffer: torch.Tensor, num_slots: int) -> torch.Tensor:
        enlarged = cls._empty(buffer, num_slots)
        enlarged[:, :, : buffer.shape[2] - 1] = buffer[:, :, :-1]
        return enlarged


__all__ = ["GatoDynamicCache", "GatoMemory", "MemoryBlock", "RemembersDistances", "new_cache"]
