# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Where the parquet files of episodes and documents are."""

from __future__ import annotations

from pathlib import Path

from .parquet import SHARD_PATTERN


def parquet_files(path: str, name: str | None = None, split: str = "train", revision: str | None = None) -> list[str]:
    """The parquet files of a folder, of a glob, or of a dataset on the Hub.

    Args:
        path: a folder of `train-*.parquet`, a pattern such as "data/*/train-*.parquet", or a name on the Hub.
        name: configuration of a dataset on the Hub.

    Raises:
        ValueError: there are none.
    """
    if Path(path).is_dir():
        files = sorted(
            str(file) for file in Path(path).glob(SHARD_PATTERN if split == "train" else f"{split}-*.parquet")
        )
        if not files:
            raise ValueError(f"there is no {split}-*.parquet in the folder {path}")
        return files
    if any(character in path for character in "*?["):
        import glob

        files = sorted(glob.glob(path, recursive=True))
        if not files:
            raise ValueError(f"no file matches {path}")
        return files
    if path.endswith(".parquet") and Path(path).is_file():
        return [path]
    return _files_on_the_hub(path, name, split, revision)


def _files_on_the_hub(path: str, name: str | None, split: str, revision: str | None) -> list[str]:
    from datasets import load_dataset_builder

    try:
        builder = load_dataset_builder(path, name, revision=revision)
    except Exception as error:  # of many kinds: no network, no such repository, no such configuration
        raise ValueError(
            f"{path} is no folder, no pattern, and can't be found on the Hub: {type(error).__name__}: {error}"
        ) from error
    files = builder.config.data_files or {}
    if split not in files:
        raise ValueError(f"the dataset {path} has no split {split!r}, it has {sorted(map(str, files))}")
    chosen = [str(file) for file in files[split]]
    if not chosen or not all(file.endswith(".parquet") for file in chosen):
        raise ValueError(f"the dataset {path} is not made of parquet files: {chosen[:3]}")
    return chosen
