# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The episodes or documents of one task, read from parquet files by row number.

Training reads rows in its own order, again and again. A small dataset is held in memory. A large one is memory-mapped
from an Arrow file that `datasets` makes of the parquet files. A stream reads the parquet files themselves, on disk or
on the Hub, a few row groups at a time, and shuffles only within these.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..system.errors import GatoError
from .arrow_rows import ArrowRows
from .parquet import open_parquet

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

# These columns hold one entry a step.
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
# `GatoProcessor` reads these columns; `task` tells the episodes of one task from others.
COLUMNS = (
    *STEP_COLUMNS,
    "image_shape",
    "images",
    "text",
    "question",
    "task",
)
# Lists with one entry a step, the smallest first: the first that a file has gives the lengths of its episodes.
_LENGTH_COLUMNS = ("rewards", "discrete_actions", "continuous_actions")
# Uncompressed bytes. A larger dataset is memory-mapped.
BYTES_IN_MEMORY = 2**30
# A stream shuffles the rows of this many row groups together, and holds twice as many row groups.
ROW_GROUPS_TOGETHER = 2


class EpisodeSource:
    """Rows by their number, for `GatoProcessor.encode_episode` and `encode_document`.

    Numbers and images are arrays, texts are strings.

    Args:
        files: parquet files with the same columns, paths or URLs that fsspec reads.
        streaming: read a row group when a row of it is needed, instead of having all rows at hand.
        bytes_in_memory: the most bytes to hold, `BYTES_IN_MEMORY` by default; a larger dataset is memory-mapped.
        max_steps: show only the first steps of each episode; all by default.

    Attributes:
        lengths: (rows,) int64: steps of each episode, or characters of each document.

    Raises:
        GatoError: a file can't be read, the files differ in their columns, or there are no rows.
    """

    def __init__(
        self,
        files: Sequence[str],
        streaming: bool = False,
        bytes_in_memory: int | None = None,
        max_steps: int | None = None,
    ):
        if max_steps is not None and max_steps < 1:
            raise GatoError(f"max_steps must be at least 1, got {max_steps}")
        self.files = list(files)
        self.max_steps = max_steps
        self.streaming = streaming
        contents = [_content_of(file) for file in self.files]
        for file, content in zip(self.files, contents, strict=True):
            if content.columns != contents[0].columns:
                raise GatoError(f"{file} has the columns {content.columns}, the files before it {contents[0].columns}")
        self.lengths = np.concatenate([np.zeros(0, np.int64), *(content.lengths for content in contents)])
        if len(self.lengths) == 0:
            raise GatoError(f"there are no rows in {', '.join(self.files[:3]) or 'no files'}")
        self.columns = [name for name in COLUMNS if name in contents[0].columns]
        if max_steps is not None and not set(STEP_COLUMNS).isdisjoint(self.columns):  # documents have characters
            self.lengths = np.minimum(self.lengths, max_steps)
        self._groups = [
            (number, group) for number, content in enumerate(contents) for group in range(len(content.group_sizes))
        ]
        self._group_starts = _starts([size for content in contents for size in content.group_sizes])
        self._file_starts = _starts([len(content.lengths) for content in contents])
        self._held: OrderedDict[int, ArrowRows] = OrderedDict()
        most = BYTES_IN_MEMORY if bytes_in_memory is None else bytes_in_memory
        fits = sum(content.num_bytes for content in contents) <= most
        self._rows = None if streaming else ArrowRows(self._all_batches(fits), self.columns)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Gives one row, with None for the columns that are null in it.

        Raises:
            GatoError: the row can't be read; the message names its file and its number there.
            IndexError: there is no such row.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} rows, {index} was asked for")
        try:
            row = self._stored_row(index)
        except GatoError as error:
            raise GatoError(f"{self.place_of(index)}: {error}") from error
        if self.max_steps is not None:
            for name in STEP_COLUMNS:
                if row.get(name) is not None:
                    row[name] = row[name][: self.max_steps]
        return row

    def place_of(self, index: int) -> str:
        """Names the file of a row and the row's number there, for the message of an error."""
        number = int(np.searchsorted(self._file_starts, index, side="right")) - 1
        return f"{self.files[number]}, row {index - int(self._file_starts[number])}"

    def order(self, random: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        """Shuffles row numbers, which may repeat. A stream keeps the rows of a few row groups together."""
        if not self.streaming:
            return random.permutation(rows)
        groups = np.searchsorted(self._group_starts, rows, side="right") - 1
        place_of_group = np.empty(len(self._groups), np.int64)
        place_of_group[random.permutation(len(self._groups))] = np.arange(len(self._groups))
        together = place_of_group[groups] // ROW_GROUPS_TOGETHER
        return rows[np.lexsort((random.random(len(rows)), together))]

    def another(self, index: int, random: np.random.Generator) -> int | None:
        """Draws another row that costs no more to read: a stream stays in the row group. None if there is none."""
        start, stop = 0, len(self)
        if self.streaming:
            group = self._group_of(index)
            start, stop = int(self._group_starts[group]), int(self._group_starts[group + 1])
        if stop - start < 2:
            return None
        return start + (index - start + 1 + int(random.integers(stop - start - 1))) % (stop - start)

    def _stored_row(self, index: int) -> dict[str, Any]:
        if self._rows is not None:
            return self._rows[index]
        group = self._group_of(index)
        return self._row_group(group)[index - int(self._group_starts[group])]

    def _group_of(self, index: int) -> int:
        return int(np.searchsorted(self._group_starts, index, side="right")) - 1

    def _row_group(self, group: int) -> ArrowRows:
        if group in self._held:
            self._held.move_to_end(group)
            return self._held[group]
        file, number = self._groups[group]
        with open_parquet(self.files[file]) as parquet:
            table = parquet.read_row_group(number, columns=self.columns)
        while len(self._held) >= 2 * ROW_GROUPS_TOGETHER:
            self._held.popitem(last=False)
        self._held[group] = ArrowRows(table.to_batches(), self.columns)
        return self._held[group]

    def _all_batches(self, in_memory: bool) -> list[pyarrow.RecordBatch]:
        if not in_memory:
            return _memory_mapped(self.files, self.columns)
        batches = []
        for file in self.files:
            with open_parquet(file) as parquet:
                batches += parquet.read(columns=self.columns).to_batches()
        return batches


@dataclass(frozen=True)
class _Content:
    """What one file holds: its columns, the rows of each row group, its uncompressed size, the lengths of its rows."""

    columns: list[str]
    group_sizes: list[int]
    num_bytes: int
    lengths: np.ndarray


def _content_of(file: str) -> _Content:
    with open_parquet(file) as parquet:
        groups = [parquet.metadata.row_group(group) for group in range(parquet.metadata.num_row_groups)]
        return _Content(
            columns=parquet.schema_arrow.names,
            group_sizes=[group.num_rows for group in groups],
            num_bytes=sum(group.total_byte_size for group in groups),
            lengths=_lengths(parquet, file),
        )


def _lengths(parquet: pyarrow.parquet.ParquetFile, file: str) -> np.ndarray:
    """Counts the steps of the episodes of a file, or the characters of its documents."""
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
    raise GatoError(f"{file} holds neither episodes nor documents: it has the columns {names}")


def _starts(sizes: Sequence[int]) -> np.ndarray:
    """Gives the number of the first row of each part, and the number of rows."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def _memory_mapped(files: list[str], columns: list[str]) -> list[pyarrow.RecordBatch]:
    """Lets `datasets` write the rows to an Arrow file in its cache, which the record batches map into memory."""
    from datasets import Dataset, are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from datasets.exceptions import DatasetsError

    were_disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        return Dataset.from_parquet(files, columns=columns).data.to_batches()
    except DatasetsError as error:
        raise GatoError(
            f"one of {len(files)} files such as {files[0]} can't be read: {error.__cause__ or error}"
        ) from error
    finally:
        if not were_disabled:
            enable_progress_bars()
