# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A folder of parquet files from rows that come one after the other, more than memory may hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..system.files import new_folder
from .rows import write_shard

if TYPE_CHECKING:
    import pyarrow

EPISODES_A_FILE = 250
DOCUMENTS_A_FILE = 10_000
# Of images and text. A file is written from memory, and a column of arrow must stay below 2 GB.
BYTES_A_FILE = 2**28


def write_shards(
    folder: str | os.PathLike,
    rows: Iterable[dict[str, Any]],
    schema: pyarrow.Schema,
    provenance: dict[str, Any],
    progress: Callable[[int], None] | None = None,
) -> int:
    """Writes rows as `train-00000.parquet`, ... to a new folder, whole or not at all.

    Args:
        folder: must not exist, or be empty.
        schema: of the rows; it carries the features, so that `datasets` restores them.
        provenance: where the rows come from, kept in each file.
        progress: called with the number of rows of each file that is written.

    Returns:
        The number of rows.

    Raises:
        ValueError: the folder is not empty, or there are no rows.
    """
    with new_folder(folder) as temporary:
        count = 0
        for number, some in enumerate(_parts(rows)):
            _write(temporary / f"train-{number:05d}.parquet", some, schema, provenance)
            count += len(some)
            if progress:
                progress(len(some))
        if count == 0:
            raise ValueError(f"there are no rows to write to {folder}")
    return count


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows of each file."""
    waiting, num_bytes = [], 0
    for row in rows:
        waiting.append(row)
        num_bytes += _num_bytes(row)
        most = EPISODES_A_FILE if "rewards" in row else DOCUMENTS_A_FILE
        if len(waiting) == most or num_bytes >= BYTES_A_FILE:
            yield waiting
            waiting, num_bytes = [], 0
    if waiting:
        yield waiting


def _write(path: Path, rows: list[dict[str, Any]], schema: pyarrow.Schema, provenance: dict[str, Any]) -> None:
    counts = {"kept": len(rows), "dropped": {}, "steps": sum(len(row.get("rewards") or ()) for row in rows)}
    write_shard(path, rows, schema, provenance | counts)


def _num_bytes(row: dict[str, Any]) -> int:
    images = row.get("image_observations") or row.get("images") or []
    images = images if isinstance(images, list) else [images]
    sizes = [len(image) if isinstance(image, bytes) else len(image.get("bytes") or b"") for image in images]
    return sum(sizes) + len(row.get("text") or "")
