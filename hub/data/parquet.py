# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Episodes and documents as parquet files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..system.files import new_folder, replacing

if TYPE_CHECKING:
    import datasets
    import pyarrow
    import pyarrow.parquet

PROVENANCE_KEY = b"gato_provenance"
SHARD_PATTERN = "train-*.parquet"
EPISODES_A_FILE = 250
DOCUMENTS_A_FILE = 10_000
# Of images and text. A file is written from memory, and a column of arrow must stay below 2 GB.
BYTES_A_FILE = 2**28


def write_shard(
    path: str | os.PathLike, rows: Sequence[dict[str, Any]], schema: pyarrow.Schema, provenance: dict[str, Any]
) -> None:
    """Writes episodes to one parquet file, whole or not at all.

    Args:
        schema: `episode_features(...).arrow_schema`; it carries the features, so that `datasets` restores them.
        provenance: how the episodes were made, kept in the file; `read_provenance` gives it back.
    """
    import pyarrow
    import pyarrow.parquet

    metadata = {**(schema.metadata or {}), PROVENANCE_KEY: json.dumps(provenance).encode()}
    table = pyarrow.Table.from_pylist(list(rows), schema=schema.with_metadata(metadata))
    with replacing(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd")


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
            _write_part(temporary / f"train-{number:05d}.parquet", some, schema, provenance)
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


def _write_part(path: Path, rows: list[dict[str, Any]], schema: pyarrow.Schema, provenance: dict[str, Any]) -> None:
    counts = {"kept": len(rows), "dropped": {}, "steps": sum(len(row.get("rewards") or ()) for row in rows)}
    write_shard(path, rows, schema, provenance | counts)


def _num_bytes(row: dict[str, Any]) -> int:
    images = row.get("image_observations") or row.get("images") or []
    images = images if isinstance(images, list) else [images]
    sizes = [len(image) if isinstance(image, bytes) else len(image.get("bytes") or b"") for image in images]
    return sum(sizes) + len(row.get("text") or "")


@contextmanager
def readable_parquet(path: str | os.PathLike) -> Iterator[None]:
    """Turns the errors of reading a parquet file in the block into a ValueError that names the file."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} can't be read, it is truncated or no parquet file: {error}") from error


@contextmanager
def open_parquet(file: str) -> Iterator[pyarrow.parquet.ParquetFile]:
    """A parquet file, on disk or behind a URL."""
    import fsspec
    import pyarrow.parquet

    with fsspec.open(file, "rb") if "://" in file else open(file, "rb") as stream:
        with readable_parquet(file):
            parquet = pyarrow.parquet.ParquetFile(stream)
        yield parquet


def read_provenance(path: str | os.PathLike) -> dict[str, Any]:
    """How the episodes of one parquet file were made."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_schema(path).metadata or {}
    if PROVENANCE_KEY not in metadata:
        raise ValueError(f"{path} does not say how its episodes were made: it was not written by gato")
    return json.loads(metadata[PROVENANCE_KEY])


def read_episodes(folder: str | os.PathLike) -> datasets.Dataset:
    """All episodes of a folder of parquet files as one dataset, in memory.

    Raises:
        ValueError: there is no such file, one can't be read, or their columns differ.
    """
    import pyarrow
    import pyarrow.parquet
    from datasets import Dataset

    paths = sorted(Path(folder).glob(SHARD_PATTERN))
    if not paths:
        raise ValueError(f"there are no episodes in {folder}: no file matches {SHARD_PATTERN}")
    tables = []
    for path in paths:
        with readable_parquet(path):
            table = pyarrow.parquet.read_table(path)
        # What is particular to a shard must not keep the shards from being one table.
        metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != PROVENANCE_KEY}
        tables.append(table.replace_schema_metadata(metadata))
        if tables[-1].schema != tables[0].schema:
            raise ValueError(
                f"{path} has the columns {table.schema.names}, the files before it {tables[0].schema.names}: "
                "the files of a folder must be of one task"
            )
    return Dataset(pyarrow.concat_tables(tables))
