# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Rows of Arrow record batches, their numbers and images as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..system.errors import GatoError
from .images import as_images, stack_images

if TYPE_CHECKING:
    import pyarrow


class ArrowRows:
    """The rows of record batches of one schema, read by their number.

    Args:
        batches: the rows, one batch after the other.
        columns: names of the columns to read. A column that is null in a row is None.
    """

    def __init__(self, batches: Sequence[pyarrow.RecordBatch], columns: Sequence[str]):
        batches = [batch for batch in batches if len(batch)]
        self._starts = np.cumsum([0, *map(len, batches)])
        self._names = columns
        self._batches = [
            [
                (name, column, _reader(name, column.type))
                for name in columns
                if (column := batch.column(name)).null_count < len(batch)
            ]
            for batch in batches
        ]

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Gives one row.

        Raises:
            GatoError: its steps have different numbers of values, or its images don't have their shape.
        """
        batch = int(np.searchsorted(self._starts, index, side="right")) - 1
        place = index - int(self._starts[batch])
        row: dict[str, Any] = dict.fromkeys(self._names)
        for name, column, read in self._batches[batch]:
            scalar = column[place]
            if scalar.is_valid:
                row[name] = read(scalar)
        for name in ("image_observations", "images"):
            if row.get(name) is not None:
                row[name] = _images(row[name], row.get("image_shape"))
        return row


def _reader(name: str, kind: pyarrow.DataType) -> Callable[[pyarrow.Scalar], Any]:
    """Chooses the function that gives the value of a scalar of a column.

    Numbers become an array (steps,) or (steps, size), strings a list, and other lists stay Arrow arrays.
    """
    from pyarrow import types

    if not _is_list(kind):
        return lambda scalar: scalar.as_py()
    inner, depth = kind.value_type, 1
    if types.is_string(inner) or types.is_large_string(inner):
        return lambda scalar: scalar.values.to_pylist()
    while _is_list(inner):
        inner, depth = inner.value_type, depth + 1
    if not (types.is_integer(inner) or types.is_floating(inner)):
        return lambda scalar: scalar.values

    def numbers(scalar: pyarrow.Scalar) -> np.ndarray:
        flat = values = scalar.values
        for _ in range(depth - 1):
            flat = flat.flatten()
        array = flat.to_numpy(zero_copy_only=False)
        if depth == 1 or len(values) == 0:
            return array
        if array.size % len(values):
            raise GatoError(f"{name}: {array.size} values are not the same number in each of {len(values)} steps")
        return array.reshape(len(values), -1)

    return numbers


def _is_list(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _images(values: pyarrow.Array, shape: Sequence[int] | None) -> np.ndarray | list:
    """Gives raw images of one size as one array (T, height, width, channels), encoded ones decoded and stacked."""
    from pyarrow import types

    if not types.is_binary(values.type) and not types.is_large_binary(values.type):
        encoded = values.to_pylist()
        return encoded and stack_images(encoded, None)
    _, offsets, data = values.buffers()
    kind = np.int64 if types.is_large_binary(values.type) else np.int32
    starts = np.frombuffer(offsets, kind)[values.offset : values.offset + len(values) + 1]
    return as_images(np.frombuffer(data, np.uint8)[starts[0] : starts[-1]], len(values), shape)
