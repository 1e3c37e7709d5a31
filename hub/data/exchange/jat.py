# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Reads `jat-project/jat-dataset` (Gallouédec et al., 2024, arXiv:2402.09844) as our episodes and documents.

The public dataset has 157 control tasks and four corpora. Each has a configuration: "metaworld-assembly",
"babyai-go-to", "atari-alien", "oscar", ... Their columns are those of our episodes and documents. We add `task`,
`seed`, `success`, `expert` and `noise`, of which the dataset knows only the first. Two things have to be changed:

- Actions of Meta-World lie far outside the [-1, 1] of its environments: the first of all is 6.5, 2.2, -5.9, -19.8. The
  environments clip them, and so does this module. `clipped_actions` counts the numbers of an episode that changed.
- The "images" of Atari are four gray frames, the newest last, stored as the channels of one RGBA image. Read as such,
  the newest frame would be the transparency of the others. The three newest are kept as red, green and blue; the
  fourth is the oldest, which earlier steps show.

Observations stay as they are in the dataset, and so differ from those of our environment of the same task: Meta-World
has 39 numbers, with the previous step and the goal among them, and BabyAI has 148, its direction and grid.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...system.errors import GatoError
from ...system.packages import package_versions
from ..checks import check_columns, check_document, check_episode
from ..files import found_on_the_hub, readable_stream
from ..parquet import readable_parquet, require_data_packages, write_shards

if TYPE_CHECKING:
    import datasets

    Rows: TypeAlias = datasets.Dataset | datasets.IterableDataset

JAT_DATASET = "jat-project/jat-dataset"
EXPERT = "the expert of the JAT dataset"


def jat_task_id(name: str) -> str:
    """Returns the task id of the rows of a configuration.

    It is not the id of our task of the same environment, because the observations differ, and a prompt must be an
    episode of the same task.
    """
    return f"jat/{name}"


def load_jat(
    name: str,
    split: str = "train",
    streaming: bool = False,
    path: str | os.PathLike = JAT_DATASET,
    *,
    action_bounds: tuple[float, float] | None = None,
    **options: Any,
) -> datasets.Dataset | datasets.IterableDataset:
    """Loads one configuration of the dataset as our episodes or documents.

    Args:
        name: the configuration.
        split: "train" or "test".
        streaming: read, check and change rows when they are asked for. Otherwise `datasets` downloads all of them and
            keeps a copy of the result. Stream Atari, which has 21 kB a step.
        path: the dataset on the Hub; or a local folder with a folder NAME of parquet files whose names begin with the
            split, as in a clone of the dataset; or anything else that `datasets.load_dataset(path, name)` takes.
        action_bounds: (low, high), to which continuous actions are clipped; the column `clipped_actions` counts the
            numbers that changed. The default is (-1, 1) for Meta-World, whose environments do the same; the actions of
            other configurations are left as they are.
        options: more for `datasets.load_dataset`, such as `cache_dir` or `revision`.

    Raises:
        GatoError: there is no such configuration or split, a file is truncated, or a column is missing or of the wrong
            type. A bad episode or document also raises it, naming the row; with streaming, when it is read.
    """
    rows, where = _load(name, split, streaming, path, options)
    if check_columns(rows.features, where) == "episodes":
        return _as_episodes(rows, name, where, action_bounds)
    # `map` decodes the images of a dataset and encodes them again, which changes a JPEG; those of a stream it leaves.
    unchanged = rows if streaming else _with_encoded_images(rows)
    return _as_documents(unchanged, name, where, rows.features)


def import_jat(
    name: str,
    folder: str | os.PathLike,
    split: str = "train",
    path: str | os.PathLike = JAT_DATASET,
    *,
    action_bounds: tuple[float, float] | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> int:
    """Writes one configuration of the dataset as our parquet files, reading it as a stream.

    Args:
        folder: gets `train-00000.parquet`, ...; `read_episodes(folder)` reads them. It must not exist, or be empty.
        name, split, path, action_bounds, options: see `load_jat`.
        progress: called after each file with the number of its rows.

    Returns:
        The number of episodes or documents.

    Raises:
        GatoError: see `load_jat`; nothing is written then.
    """
    rows, where = _load(name, split, True, path, options)
    if check_columns(rows.features, where) == "episodes":
        rows = _as_episodes(rows, name, where, action_bounds)
        schema = rows.features.arrow_schema
    else:
        schema = _document_features(rows.features).arrow_schema
        encoded = _with_encoded_images(rows)
        rows = _as_documents(encoded, name, where, encoded.features)
    provenance = {
        "task": jat_task_id(name),
        "source": where,
        "versions": package_versions(("numpy", "pillow", "pyarrow", "datasets")),
    }
    return write_shards(folder, _plain_rows(rows, where), schema, provenance, progress)


# ---------------------------------------------------------------------------------------------------------------------
# Loading
# ---------------------------------------------------------------------------------------------------------------------


def _load(
    name: str, split: str, streaming: bool, path: str | os.PathLike, options: dict[str, Any]
) -> tuple[Rows, str]:
    """Loads the rows as they are, and names them for the messages of errors."""
    require_data_packages("The JAT dataset")
    from datasets import load_dataset

    where = f"{name} of {path}, split {split}"
    if Path(path).is_dir():
        files = {split: _local_files(name, split, Path(path))}
        with readable_stream(where):
            rows = load_dataset("parquet", data_files=files, split=split, streaming=streaming, **options)
    else:
        with found_on_the_hub(where):
            rows = load_dataset(str(path), name, split=split, streaming=streaming, **options)
    if rows.features is None:
        raise GatoError(f"{where} does not tell its columns before it is read: load it without streaming")
    return _with_images(rows), where


def _local_files(name: str, split: str, root: Path) -> list[str]:
    folder = root / name
    if not folder.is_dir():
        there = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
        raise GatoError(f"there is no configuration {name!r} in {root}, it has {there}")
    names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.parquet"))
    files = [str(folder / file) for file in names if file.startswith(split)]
    if not files:
        raise GatoError(f"there is no split {split!r} in {folder}: no parquet file begins with its name")
    _check_same_columns(files)
    return files


def _check_same_columns(files: list[str]) -> None:
    import pyarrow.parquet

    columns: list[list[str]] = []
    for file in files:
        with readable_parquet(file):
            columns.append(pyarrow.parquet.read_schema(file).names)
        if sorted(columns[-1]) != sorted(columns[0]):
            raise GatoError(f"{file} has the columns {columns[-1]}, the files before it {columns[0]}")


def _with_images(rows: Rows) -> Rows:
    """Marks the columns of images, which only files written by `datasets` tell."""
    from datasets import Image, List, Value

    stored = {"bytes": Value("binary"), "path": Value("string")}
    for name, image in (("image_observations", List(Image())), ("images", Image()), ("images", List(Image()))):
        if rows.features.get(name) == (List(stored) if isinstance(image, List) else stored):
            rows = _cast(rows, name, image)
    return rows


def _cast(rows: Rows, name: str, feature: Any) -> Rows:
    """Casts one column. `rows.cast_column` doesn't do for a stream: it changes the features in place, to no effect."""
    from datasets import Features

    return rows.cast(Features({**rows.features, name: feature}))


# ---------------------------------------------------------------------------------------------------------------------
# Documents
# ---------------------------------------------------------------------------------------------------------------------


def _with_encoded_images(rows: Rows) -> Rows:
    """Leaves the images of documents encoded, as {"bytes", "path"}, when a row is read."""
    from datasets import Image, List

    if "images" not in rows.features:
        return rows
    image = Image(decode=False)
    return _cast(rows, "images", List(image) if isinstance(rows.features["images"], List) else image)


def _as_documents(rows: Rows, name: str, where: str, features: datasets.Features) -> Rows:
    """Adds their task to documents, and checks them. `features` says whether images are decoded when a row is read."""
    context = {"task": jat_task_id(name), "where": where}
    return rows.map(_with_task, with_indices=True, fn_kwargs=context, features=_document_features(features))


def _document_features(features: datasets.Features) -> datasets.Features:
    from datasets import Features, Value

    return Features({**features, "task": Value("string")})


def _with_task(row: dict[str, Any], index: int, task: str, where: str) -> dict[str, Any]:
    check_document(row, f"{where}, row {index}")
    return {"task": task}


# ---------------------------------------------------------------------------------------------------------------------
# Episodes
# ---------------------------------------------------------------------------------------------------------------------


def _as_episodes(rows: Rows, name: str, where: str, action_bounds: tuple[float, float] | None) -> Rows:
    """Adds our columns to episodes, checks them, clips their actions and stores their images as bytes."""
    from datasets import Features, Image, List, Value

    if action_bounds is None and name.startswith("metaworld-"):
        action_bounds = (-1.0, 1.0)
    if action_bounds is not None and "continuous_actions" not in rows.features:
        raise GatoError(f"{where} has no continuous actions that action_bounds={action_bounds} could clip")
    ours = {
        "task": Value("string"),
        "seed": Value("int64"),
        "success": Value("bool"),
        "expert": Value("string"),
        "noise": Value("float32"),
    }
    if action_bounds is not None:
        ours["clipped_actions"] = Value("int64")
    if isinstance(getattr(rows.features.get("image_observations"), "feature", None), Image):
        ours |= {"image_observations": List(Value("binary")), "image_shape": List(Value("int64"))}
    context = {
        "task": jat_task_id(name),
        "where": where,
        "action_bounds": action_bounds,
        "newest_frames": name.startswith("atari-"),
    }
    features = Features({**rows.features, **ours})
    return rows.map(_our_columns, with_indices=True, fn_kwargs=context, features=features)


def _our_columns(
    row: dict[str, Any],
    index: int,
    task: str,
    where: str,
    action_bounds: tuple[float, float] | None,
    newest_frames: bool,
) -> dict[str, Any]:
    """Returns the columns of an episode that are new or change."""
    where = f"{where}, row {index}"
    check_episode(row, where)
    changed: dict[str, Any] = {"task": task, "seed": None, "success": None, "expert": EXPERT, "noise": None}
    if action_bounds is not None:
        actions = np.asarray(row["continuous_actions"], np.float32)
        clipped = np.clip(actions, *action_bounds)
        changed |= {"continuous_actions": clipped, "clipped_actions": int((clipped != actions).sum())}
    images = row.get("image_observations")
    if images is not None and not isinstance(images[0], bytes):
        arrays = [_pixels(image, newest_frames) for image in images]
        shapes = {array.shape for array in arrays}
        if len(shapes) > 1:
            raise GatoError(f"{where}: image_observations must have one shape, they have {sorted(shapes)}")
        changed |= {"image_observations": [array.tobytes() for array in arrays], "image_shape": list(*shapes)}
    return changed


def _pixels(image: Any, newest_frames: bool) -> np.ndarray:
    """Returns an image as a (height, width, channels) uint8 array.

    Args:
        newest_frames: keep only the last three of four channels.
    """
    pixels = np.asarray(image)
    if newest_frames and pixels.shape[2:] == (4,):
        pixels = pixels[..., 1:]
    return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1))


def _plain_rows(rows: Rows, where: str) -> Iterator[dict[str, Any]]:
    """Turns the matrices of rows into lists of their rows: Arrow takes no matrices."""
    with readable_stream(where):
        for row in rows:
            yield {
                name: list(value) if isinstance(value, np.ndarray) and value.ndim > 1 else value
                for name, value in row.items()
            }
