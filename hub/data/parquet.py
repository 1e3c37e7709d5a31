# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Episodes and documents as parquet files, whole or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from ..system.errors import GatoError
from ..system.files import new_folder, replacing
from ..system.packages import require_packages

if TYPE_CHECKING:
    import datasets
    import pyarrow
    import pyarrow.parquet

PROVENANCE_KEY = b"gato_provenance"
SHARD_PATTERN = "train-*.parquet"

EPISODES_A_FILE = 250
DOCUMENTS_A_FILE = 10_000
# Bytes of images and text. A file is built in memory, and an Arrow column must stay below 2 GB.
BYTES_A_FILE = 2**28


def require_data_packages(purpose: str) -> None:
    """Raises MissingPackageError if a package that reads and writes parquet files is missing."""
    require_packages(purpose, ("datasets", "pyarrow"), "data")


# ---------------------------------------------------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------------------------------------------------


def write_shard(
    path: str | os.PathLike, rows: Sequence[dict[str, Any]], schema: pyarrow.Schema, provenance: dict[str, Any]
) -> None:
    """Writes rows to one parquet file, whole or not at all.

    Args:
        schema: of the rows, such as `episode_features(...).arrow_schema`. It carries the features, so that `datasets`
            restores them.
        provenance: how the rows were made. The file keeps it, and `read_provenance` reads it.
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

    Rows are taken one by one, so that there may be more of them than memory holds.

    Args:
        folder: must not exist, or be empty.
        schema, provenance: see `write_shard`.
        progress: called after each file with the number of its rows.

    Returns:
        The number of rows.

    Raises:
        GatoError: the folder is not empty, or there are no rows.
    """
    with new_folder(folder) as temporary:
        count = 0
        for number, part in enumerate(_parts(rows)):
            counts = {"kept": len(part), "dropped": {}, "steps": sum(len(row.get("rewards") or ()) for row in part)}
            write_shard(temporary / f"train-{number:05d}.parquet", part, schema, provenance | counts)
            count += len(part)
            if progress:
                progress(len(part))
        if count == 0:
            raise GatoError(f"there are no rows to write to {folder}")
    return count


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Groups rows by the file that they go to."""
    part: list[dict[str, Any]] = []
    num_bytes = 0
    for row in rows:
        part.append(row)
        num_bytes += _num_bytes(row)
        most = EPISODES_A_FILE if "rewards" in row else DOCUMENTS_A_FILE
        if len(part) == most or num_bytes >= BYTES_A_FILE:
            yield part
            part, num_bytes = [], 0
    if part:
        yield part


def _num_bytes(row: dict[str, Any]) -> int:
    """Counts the bytes of a row's images and text."""
    images = row.get("image_observations") or row.get("images") or []
    images = images if isinstance(images, list) else [images]
    sizes = [len(image) if isinstance(image, bytes) else len(image.get("bytes") or b"") for image in images]
    return sum(sizes) + len(row.get("text") or "")


# ---------------------------------------------------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------------------------------------------------


@contextmanager
def readable_parquet(path: str | os.PathLike) -> Iterator[None]:
    """Turns the errors that reading a parquet file raises in the block into a GatoError that names the file."""
    import pyarrow

    try:
        yield
    except FileNotFoundError:
        raise GatoError(f"there is no file {path}") from None
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:  # what damaged files were seen to raise
        raise GatoError(f"{path} can't be read, it is truncated or no parquet file: {error}") from error


@contextmanager
def open_parquet(file: str) -> Iterator[pyarrow.parquet.ParquetFile]:
    """Opens a parquet file on disk, or behind a URL that fsspec knows.

    Raises:
        GatoError: the file can't be found or read, now or later in the block; or fsspec does not know the URL.
    """
    import pyarrow.parquet

    with readable_parquet(file), _opened(file) as stream:
        yield pyarrow.parquet.ParquetFile(stream)


def _opened(file: str) -> IO[bytes]:
    if "://" not in file:
        return Path(file).open("rb")
    import fsspec

    try:
        return cast(IO[bytes], fsspec.open(file, "rb").open())
    except (ValueError, ImportError) as error:  # an unknown protocol, or one whose package is not installed
        raise GatoError(f"{file} can't be opened: {error}") from error


def read_provenance(path: str | os.PathLike) -> dict[str, Any]:
    """Reads how the rows of one parquet file were made.

    Raises:
        GatoError: the file can't be read, or it was not written by this package.
    """
    import pyarrow.parquet

    with readable_parquet(path):
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
    if PROVENANCE_KEY not in metadata:
        raise GatoError(f"{path} does not say how its episodes were made: it was not written by gato")
    return json.loads(metadata[PROVENANCE_KEY])


def read_episodes(folder: str | os.PathLike) -> datasets.Dataset:
    """Reads all episodes of a folder of `train-*.parquet` into memory, as one dataset.

    Raises:
        GatoError: there is no such file, one can't be read, or their columns differ.
        MissingPackageError: `datasets` is not installed.
    """
    require_data_packages("Reading episodes")
    import pyarrow
    import pyarrow.parquet
    from datasets import Dataset

    paths = sorted(Path(folder).glob(SHARD_PATTERN))
    if not paths:
        raise GatoError(f"there are no episodes in {folder}: no file matches {SHARD_PATTERN}")
    tables: list[pyarrow.Table] = []
    for path in paths:
        with readable_parquet(path):
            table = pyarrow.parquet.read_table(path)
        # The provenance differs from file to file, and only tables with equal metadata can be joined.
        metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != PROVENANCE_KEY}
        tables.append(table.replace_schema_metadata(metadata))
        if tables[-1].schema != tables[0].schema:
            raise GatoError(
                f"{path} has the columns {_in_words(table.schema)}, the files before it "
                f"{_in_words(tables[0].schema)}: the files of a folder must be of one task"
            )
    return Dataset(pyarrow.concat_tables(tables))


def _in_words(schema: pyarrow.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)
