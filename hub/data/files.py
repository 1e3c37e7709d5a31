# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Where the parquet files of episodes and documents are."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..system.errors import GatoError
from .parquet import require_data_packages


def parquet_files(path: str, name: str | None = None, split: str = "train", revision: str | None = None) -> list[str]:
    """Finds the parquet files of a folder, a pattern, a URL or a dataset on the Hub.

    Args:
        path: a folder of `train-*.parquet`, a pattern such as "data/*/train-*.parquet", one file, the URL of any of
            these that fsspec knows, or the name of a dataset on the Hub.
        name: configuration of a dataset on the Hub.
        split: the files of a folder begin with it.
        revision: branch, tag or commit of a dataset on the Hub.

    Raises:
        GatoError: there are none.
    """
    if "://" in path:
        return _files_behind_a_url(path, split)
    if Path(path).is_dir():
        files = sorted(str(file) for file in Path(path).glob(f"{split}-*.parquet"))
        if not files:
            raise GatoError(f"there is no {split}-*.parquet in the folder {path}")
        return files
    if glob.has_magic(path):
        files = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute one)
        if not files:
            raise GatoError(f"no file matches {path}")
        return files
    if path.endswith(".parquet") and Path(path).is_file():
        return [path]
    return _files_on_the_hub(path, name, split, revision)


def _files_behind_a_url(url: str, split: str) -> list[str]:
    from fsspec.core import url_to_fs

    try:
        system, place = url_to_fs(url)
        pattern = f"{place.rstrip('/')}/{split}-*.parquet" if system.isdir(place) else place
        files = [system.unstrip_protocol(file) for file in sorted(system.glob(pattern))]
    except (ValueError, ImportError, OSError) as error:  # an unknown protocol, no package for it, no connection
        raise GatoError(f"{url} can't be read: {error}") from error
    if not files:
        raise GatoError(f"no file matches {url}")
    return files


def _files_on_the_hub(path: str, name: str | None, split: str, revision: str | None) -> list[str]:
    require_data_packages(f"The dataset {path}")
    from datasets import load_dataset_builder

    with found_on_the_hub(f"{path} is no folder, no pattern, and"):
        builder = load_dataset_builder(path, name, revision=revision)
    files = builder.config.data_files or {}
    if split not in files:
        raise GatoError(f"the dataset {path} has no split {split!r}, it has {sorted(map(str, files))}")
    chosen = [str(file) for file in files[split]]
    if not chosen or not all(file.endswith(".parquet") for file in chosen):
        raise GatoError(f"the dataset {path} is not made of parquet files: {chosen[:3]}")
    return chosen


@contextmanager
def found_on_the_hub(dataset: str) -> Iterator[None]:
    """Turns the errors of a dataset, configuration or split that `datasets` can't find into a GatoError.

    Use it around one call of `datasets` alone, whose ValueErrors say that a configuration or split is not there.
    """
    try:
        yield
    except reading_errors(ValueError) as error:
        raise GatoError(f"{dataset} can't be found on the Hub: {type(error).__name__}: {error}") from error


@contextmanager
def readable_stream(dataset: str) -> Iterator[None]:
    """Turns the errors of reading the rows of a dataset in the block into a GatoError that names the dataset."""
    try:
        yield
    except reading_errors() as error:
        reason = error.__cause__ or error  # `datasets` wraps the error of a file in one of its own, which says less
        raise GatoError(f"{dataset} can't be read: {type(reason).__name__}: {reason}") from error


def reading_errors(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """Returns the errors that reading a dataset raises if the network, the Hub, a disk or a file fails, and `more`."""
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HfHubHTTPError
    from pyarrow import ArrowException

    # Its bases are OSError and the HTTPError of the library that this version of huggingface_hub uses.
    return (*HfHubHTTPError.__bases__, DatasetsError, ArrowException, *more)
