# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Writes the values of fields as ids of the vocabulary, many timesteps at once, and reads them back.

The texts and images of observations are left to `steps_gato`, which tokenizes texts and cuts images.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .fields_gato import Field, Path, Role
from .scaling_gato import Bounds
from .spaces_gato import Space, fields_of
from .tokenization_gato import GatoVocabulary
from .values_gato import ValueScales, as_array, bins_to_values, integers_to_offsets, unit_to_bins

_MAX_CACHED_SPACES = 1024


class GatoCodec:
    """Writes numbers, and the texts of actions, as ids.

    Args:
        vocabulary: Says which ids each kind of token has.
        scales: Says how values become integers.
    """

    def __init__(self, vocabulary: GatoVocabulary, scales: ValueScales) -> None:
        self.vocabulary = vocabulary
        self.scales = scales
        self._cached_fields: dict[tuple[Role, int], tuple[Space, list[Field]]] = {}

    def fields(self, space: Space, role: Role) -> list[Field]:
        """Lists the fields of a space. They are cached, because an episode needs them several times.

        Raises:
            TypeError: for a space without a rule.
        """
        key = (role, id(space))
        if key not in self._cached_fields or self._cached_fields[key][0] is not space:
            if len(self._cached_fields) >= _MAX_CACHED_SPACES:
                self._cached_fields.clear()
            # While the space is kept, no other object can get its id.
            self._cached_fields[key] = (space, fields_of(space, role))
        return self._cached_fields[key][1]

    def encode(self, fields: Sequence[Field], columns: Sequence, num_steps: int) -> np.ndarray:
        """Returns the ids (steps, tokens) int64 of numbers and of the texts of actions.

        Args:
            fields: The fields in the order of their tokens.
            columns: The values of each field, (steps, ...); strings for a text.
            num_steps: The number of timesteps; it matters only if there are no fields.

        Raises:
            TypeError, ValueError: naming the field, if a value can't be written or lies outside its space.
        """
        if not fields:
            return np.zeros((num_steps, 0), np.int64)
        ids = [self._encode_field(leaf, values) for leaf, values in zip(fields, columns, strict=True)]
        return ids[0] if len(ids) == 1 else np.concatenate(ids, axis=1)

    def legal_ids(self, leaf: Field) -> tuple[np.ndarray, np.ndarray]:
        """Returns the first legal id of each token of an action's field, and the one past the last, (size,) each.

        Raises:
            ValueError: if the field has more values than there are discrete ids.
        """
        start = self._first_id(leaf)
        if leaf.kind == "continuous":
            return np.full(leaf.size, start, np.int64), np.full(leaf.size, start + self.scales.num_bins, np.int64)
        assert leaf.bounds is not None
        # Python's integers, because the difference of two of 64 bits may need 65.
        widths = [int(high) - int(low) + 1 for low, high in zip(*leaf.bounds, strict=True)]
        widest = max(widths, default=0)
        if widest > self.scales.num_discrete:
            raise ValueError(
                f"{leaf.name}: an action may have num_discrete={self.scales.num_discrete} values, the space has "
                f"{widest}"
            )
        return np.full(leaf.size, start, np.int64), start + np.array(widths, np.int64)

    def decode(self, fields: Sequence[Field], ids: np.ndarray) -> dict[Path, Any]:
        """Returns the values of an action's fields by path.

        Args:
            fields: The fields of the action's space.
            ids: The ids of the action (tokens,), each within its legal range.
        """
        leaves, start = {}, 0
        for leaf in fields:
            leaves[leaf.path] = self._decode_field(leaf, ids[start : start + leaf.size] - self._first_id(leaf))
            start += leaf.size
        return leaves

    def _first_id(self, leaf: Field) -> int:
        return (self.vocabulary.continuous if leaf.kind == "continuous" else self.vocabulary.discrete).start

    def _encode_field(self, leaf: Field, values: Any) -> np.ndarray:
        if leaf.kind == "text":
            self.legal_ids(leaf)  # raises for a charset with more symbols than there are ids
            integers = np.stack([_symbols_of(leaf, text) for text in values])
        elif leaf.kind == "continuous":
            rows = _one_row_a_step(leaf, values)
            integers = unit_to_bins(leaf.scaling.to_unit(rows, self.scales, leaf.name), self.scales.num_bins)
        else:
            rows = _one_row_a_step(leaf, values)
            if leaf.role == "action" and leaf.bounds is not None:
                _require_within_bounds(rows, leaf.bounds, leaf.name)
            low = None if leaf.bounds is None else leaf.bounds[0]
            integers = integers_to_offsets(rows, low, self.scales.num_discrete, leaf.name)
        return integers + self._first_id(leaf)

    def _decode_field(self, leaf: Field, integers: np.ndarray) -> Any:
        assert leaf.bounds is not None and leaf.shape is not None
        if leaf.kind == "text":
            is_end = integers == len(leaf.charset)
            length = int(np.argmax(is_end)) if is_end.any() else len(integers)
            return "".join(leaf.charset[symbol] for symbol in integers[:length])
        if leaf.kind == "continuous":
            flat = leaf.scaling.from_unit(bins_to_values(integers, self.scales.num_bins), self.scales)
        else:
            low, _ = leaf.bounds
            flat = low + integers.astype(low.dtype)
        value = flat.astype(leaf.dtype).reshape(leaf.shape)
        return value[()] if leaf.is_scalar else value


def _one_row_a_step(leaf: Field, values: Any) -> np.ndarray:
    """Flattens numbers (steps, ...) to an array (steps, size), row-major. Raises ValueError for another shape."""
    values = as_array(values, leaf.name)
    if leaf.shape is not None and values.shape[1:] not in (leaf.shape, (leaf.size,)):
        raise ValueError(f"{leaf.name} must have shape {leaf.shape} a step, got {values.shape[1:]}")
    return values.reshape(len(values), math.prod(values.shape[1:]))


def _require_within_bounds(values: np.ndarray, bounds: Bounds, name: str) -> None:
    low, high = bounds
    outside = (values < low) | (values > high)
    if outside.any():
        step, index = (int(axis[0]) for axis in np.nonzero(outside))
        raise ValueError(
            f"{name} must lie within its space: element {index} is {values[step, index]}, its bounds are "
            f"[{low[index]}, {high[index]}]"
        )


def _symbols_of(leaf: Field, text: Any) -> np.ndarray:
    """Returns the index of each character in the charset, (size,) int64, padded with the symbol that ends a text."""
    if not isinstance(text, str):
        raise TypeError(f"{leaf.name} must be a string, got {type(text).__name__}")
    if not leaf.min_length <= len(text) <= leaf.size:
        raise ValueError(f"{leaf.name} must have {leaf.min_length} to {leaf.size} characters, got {len(text)}")
    places = {character: index for index, character in enumerate(leaf.charset)}
    unknown = sorted(set(text) - set(places))
    if unknown:
        raise ValueError(f"{leaf.name} has characters outside its charset: {''.join(unknown)!r}")
    symbols = np.full(leaf.size, len(leaf.charset), np.int64)
    symbols[: len(text)] = [places[character] for character in text]
    return symbols


__all__ = ["GatoCodec"]
