# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The episodes or documents of one task, read by their number from parquet files, as arrays.

Training reads episodes in an order of its own, again and again. Few are held in memory, many are memory-mapped from an
Arrow file that `datasets` makes of the parquet files, and a stream reads the files themselves, on disk or on the Hub,
a few row groups at a time, in an order that needs no others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .images import stack_images
from .parquet import open_parquet

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

# They hold one entry a step.
STEP_COLUMNS = (
    "continuous_observations",
    "discrete_observations",
    "text_observations",
    "image_observations",
    "continuous_actions",
    "discrete_actions",
    "executed_continuous_actions",
    "executed_discrete_actions",
)
# What `GatoProcessor` reads of a row, and by what other episodes of a task are known.
COLUMNS = (
    *STEP_COLUMNS,
    "image_shape",
    "images",
    "text",
    "question",
    "task",
)
# Lists of numbers, one a step: their length is that of the episode, and costs least to find out.
_LENGTH_COLUMNS = ("rewards", "discrete_actions", "continuous_actions")
# Uncompressed. More than that is memory-mapped.
BYTES_IN_MEMORY = 2**30
# A stream shuffles the rows of so many row groups together, and holds twice as many.
ROW_GROUPS_TOGETHER = 2


class EpisodeSource:
    """Rows by their number, numbers as arrays; see `GatoProcessor.encode_episode` and `encode_document`.

    Args:
        files: parquet files of one schema, paths or URLs that fsspec reads.
        streaming: read row groups when they are needed, instead of having all rows at hand.
        bytes_in_memory: how many may be held; more are memory-mapped.
        max_steps: the first steps of each episode that are shown; all by default.

    Attributes:
        lengths: (rows,) int64: steps of each episode, or characters of each document.

    Raises:
        ValueError: a file that can't be read, files of different columns, or no rows.
    """

    def __init__(
        self,
        files: Sequence[str],
        streaming: bool = False,
        bytes_in_memory: int = BYTES_IN_MEMORY,
        max_steps: int | None = None,
    ):
        if max_steps is not None and max_steps < 1:
            raise ValueError(f"max_steps must be at least 1, got {max_steps}")
        self.files = list(files)
        self.max_steps = max_steps
        self.streaming = streaming
        sizes, num_bytes, lengths = [], 0, []
        self._groups: list[tuple[int, int]] = []
        columns = None
        for number, file in enumerate(self.files):
            with open_parquet(file) as parquet:
                names = parquet.schema_arrow.names
                columns = columns or names
                if names != columns:
                    raise ValueError(f"{file} has the columns {names}, the files before it {columns}")
                for group in range(parquet.metadata.num_row_groups):
                    about = parquet.metadata.row_group(group)
                    self._groups.append((number, group))
                    sizes.append(about.num_rows)
                    num_bytes += about.total_byte_size
                lengths.append(_lengths(parquet, file))
        self.columns = [name for name in COLUMNS if name in (columns or ())]
        self.lengths = np.concatenate(lengths) if lengths else np.zeros(0, np.int64)
        if len(self.lengths) == 0:
            raise ValueError(f"there are no rows in {', '.join(self.files[:3]) or 'no files'}")
        if max_steps is not None and not set(STEP_COLUMNS).isdisjoint(self.columns):  # documents have characters
            self.lengths = np.minimum(self.lengths, max_steps)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self._held: OrderedDict[int, _Rows] = OrderedDict()
        self._rows = None if streaming else _Rows(self._all_batches(num_bytes <= bytes_in_memory), self.columns)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} rows, {index} was asked for")
        if self._rows is not None:
            return self._first_steps(self._rows[index])
        group = self._group_of(index)
        return self._first_steps(self._row_group(group)[index - int(self._starts[group])])

    def _first_steps(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.max_steps is not None:
            for name in STEP_COLUMNS:
                if row.get(name) is not None:
                    row[name] = row[name][: self.max_steps]
        return row

    def order(self, random: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        """Rows, some of them several times, in a random order; a stream's so that near ones are read together."""
        if not self.streaming:
            return random.permutation(rows)
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        place_of_group = np.empty(len(self._groups), np.int64)
        place_of_group[random.permutation(len(self._groups))] = np.arange(len(self._groups))
        together = place_of_group[groups] // ROW_GROUPS_TOGETHER
        return rows[np.lexsort((random.random(len(rows)), together))]

    def another(self, index: int, random: np.random.Generator) -> int | None:
        """The number of another row that costs no more to read; None if there is none."""
        start, stop = 0, len(self)
        if self.streaming:
            group = self._group_of(index)
            start, stop = int(self._starts[group]), int(self._starts[group + 1])
        if stop - start < 2:
            return None
        return start + (index - start + 1 + int(random.integers(stop - start - 1))) % (stop - start)

    def _group_of(self, index: int) -> int:
        return int(np.searchsorted(self._starts, index, side="right")) - 1

    def _row_group(self, group: int) -> _Rows:
        if group in self._held:
            self._held.move_to_end(group)
            return self._held[group]
        file, number = self._groups[group]
        with open_parquet(self.files[file]) as parquet:
            table = parquet.read_row_group(number, columns=self.columns)
        while len(self._held) >= 2 * ROW_GROUPS_TOGETHER:
            self._held.popitem(last=False)
        self._held[group] = _Rows(table.to_batches(), self.columns)
        return self._held[group]

    def _all_batches(self, in_memory: bool) -> list[pyarrow.RecordBatch]:
        if in_memory:
            batches = []
            for file in self.files:
                with open_parquet(file) as parquet:
                    batches += parquet.read(columns=self.columns).to_batches()
            return batches
        from datasets import Dataset, disable_progress_bars, enable_progress_bars

        disable_progress_bars()
        try:
            return Dataset.from_parquet(self.files, columns=self.columns).data.to_batches()
        finally:
            enable_progress_bars()


class _Rows:
    """Rows of record batches."""

    def __init__(self, batches: Sequence[pyarrow.RecordBatch], columns: Sequence[str]):
        batches = [batch for batch in batches if len(batch)]
        self._starts = np.cumsum([0, *map(len, batches)])
        self._names = columns
        self._batches = [
            [
                (name, column, _reader(column.type))
                for name in columns
                if (column := batch.column(name)).null_count < len(batch)
            ]
            for batch in batches
        ]

    def __getitem__(self, index: int) -> dict[str, Any]:
        batch = int(np.searchsorted(self._starts, index, side="right")) - 1
        place = index - int(self._starts[batch])
        row = dict.fromkeys(self._names)
        for name, column, read in self._batches[batch]:
            scalar = column[place]
            if scalar.is_valid:
                row[name] = read(scalar)
        for name in ("image_observations", "images"):
            if row.get(name) is not None:
                row[name] = _images(row[name], row.get("image_shape"))
        return row


def _reader(kind: pyarrow.DataType) -> Callable[[pyarrow.Scalar], Any]:
    """Gives the value of a scalar: lists of numbers as an array (steps,) or (steps, size), other lists as they are."""
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
        return array if depth == 1 or len(values) == 0 else array.reshape(len(values), -1)

    return numbers


def _is_list(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _images(values: pyarrow.Array, shape: Sequence[int] | None) -> np.ndarray | list:
    """Raw images of one size as one array (T, height, width, channels); encoded ones, which may differ, in a list."""
    from pyarrow import types

    if not types.is_binary(values.type) and not types.is_large_binary(values.type):
        encoded = values.to_pylist()
        return encoded and stack_images(encoded, None)
    if shape is None:
        raise ValueError('images are bytes: the row needs their "image_shape", (height, width, channels)')
    _, offsets, data = values.buffers()
    kind = np.int64 if types.is_large_binary(values.type) else np.int32
    offsets = np.frombuffer(offsets, kind)[values.offset : values.offset + len(values) + 1]
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]].reshape(len(values), *shape)


def _lengths(parquet: pyarrow.parquet.ParquetFile, file: str) -> np.ndarray:
    """Steps of the episodes of a file, or characters of its documents."""
    import pyarrow.compute

    names = parquet.schema_arrow.names
    for name in _LENGTH_COLUMNS:
        if name in names:
            column = parquet.read(columns=[name]).column(name)
            return pyarrow.compute.fill_null(pyarrow.compute.list_value_length(column), 0).to_numpy().astype(np.int64)
    if "text" in names:
        column = parquet.read(columns=["text"]).column("text")
        return pyarrow.compute.fill_null(pyarrow.compute.utf8_length(column), 0).to_numpy().astype(np.int64)
    if "images" in names:
        return np.ones(parquet.metadata.num_rows, np.int64)
    raise ValueError(f"{file} holds neither episodes nor documents: it has the columns {names}")
