# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`jat-project/jat-dataset`, a public dataset of 157 control tasks and four corpora (Gallouédec et al., 2024,
arXiv:2402.09844). It has a configuration a task: "metaworld-assembly", "babyai-go-to", "atari-alien", "oscar", ...

Its columns are those of our episodes and documents, which get these of ours: `task`, `seed`, `success`, `expert` and
`noise`, of which the dataset only knows the first. What has to be changed:

- Actions of Meta-World leave the [-1, 1] of its environments, by far: the first of all is 6.5, 2.2, -5.9, -19.8. The
  environments clip them, and so does this module. `clipped_actions` counts the numbers of an episode it changed.
- The "images" of Atari are four grey frames, the newest last, in the channels of one RGBA image; taken for one, the
  newest would say how transparent the others are. The three newest are kept as red, green and blue: the fourth is the
  oldest, which earlier steps show.

Observations are as the dataset has them, not as our environment of the same task shows them: 39 numbers of Meta-World,
the previous step and the goal among them; 148 of BabyAI, its direction and grid.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...system.packages import package_versions
from ..checks import check_columns, check_document, check_episode, check_parquet_files
from ..parquet import write_shards

if TYPE_CHECKING:
    import datasets

JAT_DATASET = "jat-project/jat-dataset"
EXPERT = "the expert of the JAT dataset"


def jat_task_id(name: str) -> str:
    """What the rows of a configuration have as their task. Not the id of our task of the same environment: its
    observations are others, and a prompt is taken from episodes of the same task."""
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
    """One configuration of the dataset, as our episodes or documents.

    Args:
        name: of the configuration.
        split: "train" or "test".
        streaming: rows are read, checked and changed as they are asked for. Otherwise `datasets` downloads all and
            keeps its copy of the result; for Atari that is 21 kB a step, and streaming the better choice.
        path: the dataset on the Hub; or a folder with a folder NAME of parquet files, their names beginning with the
            split, as in a clone of the dataset; or anything else that `datasets.load_dataset(path, name)` takes.
        action_bounds: continuous actions are clipped to them, and what that changed is counted in the column
            `clipped_actions`. None is (-1, 1) for Meta-World, where the environments do the same; the actions of other
            configurations are left as they are.
        options: more for `datasets.load_dataset`, such as `cache_dir` or `revision`.

    Raises:
        ValueError: there is no such configuration or split; a file is truncated; a column is missing or of the wrong
            type; or, naming the row, an episode whose columns have different lengths or hold a number that is not
            finite. With streaming, rows are checked as they are read.
    """
    return _load_jat(name, split, streaming, path, action_bounds, True, options)


def _load_jat(
    name: str,
    split: str,
    streaming: bool,
    path: str | os.PathLike,
    action_bounds: tuple[float, float] | None,
    decode_documents: bool,
    options: dict[str, Any],
) -> datasets.Dataset | datasets.IterableDataset:
    from datasets import Features, Image, List, Value

    where = f"{name} of {path}, split {split}"
    rows = _load(name, split, streaming, path, options)
    kind = check_columns(rows.features or Features(), where)
    context = {"task": jat_task_id(name), "where": where}
    ours = {"task": Value("string")}
    if kind == "documents":
        images = rows.features.get("images")
        # An encoded JPEG does not survive being decoded and encoded again. A stream encodes nothing.
        if images and not (streaming and decode_documents):
            rows = _cast(rows, "images", _images(images, decode=False))
        if images and decode_documents:
            ours["images"] = images
        features = Features({**rows.features, **ours})
        return rows.map(_with_task, with_indices=True, fn_kwargs=context, features=features)

    if action_bounds is None and name.startswith("metaworld-"):
        action_bounds = (-1.0, 1.0)
    if action_bounds is not None and "continuous_actions" not in rows.features:
        raise ValueError(f"{where} has no continuous actions that action_bounds={action_bounds} could clip")
    context |= {"action_bounds": action_bounds, "newest_frames": name.startswith("atari-")}
    ours |= {"seed": Value("int64"), "success": Value("bool"), "expert": Value("string"), "noise": Value("float32")}
    if action_bounds is not None:
        ours["clipped_actions"] = Value("int64")
    if isinstance(getattr(rows.features.get("image_observations"), "feature", None), Image):
        ours |= {"image_observations": List(Value("binary")), "image_shape": List(Value("int64"))}
    features = Features({**rows.features, **ours})
    return rows.map(_our_episode, with_indices=True, fn_kwargs=context, features=features)


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
        folder: gets `train-00000.parquet`, ...: `read_episodes(folder)` reads them. It must not exist, or be empty.
        name, split, path, action_bounds, options: see `load_jat`.
        progress: called with the number of rows written, file by file.

    Returns:
        The number of episodes or documents.

    Raises:
        ValueError: see `load_jat`; nothing is written then.
    """
    from datasets import Features

    rows = _load_jat(name, split, True, path, action_bounds, False, options)
    features = rows.features
    if "images" in features:
        features = Features({**features, "images": _images(features["images"], decode=True)})
    provenance = {
        "task": jat_task_id(name),
        "source": f"{name} of {path}, split {split}",
        "versions": package_versions(("numpy", "pillow", "pyarrow", "datasets")),
    }
    return write_shards(folder, _plain_rows(rows), features.arrow_schema, provenance, progress)


def _load(name: str, split: str, streaming: bool, path: str | os.PathLike, options: dict[str, Any]):
    from datasets import load_dataset

    root = Path(path)
    if not root.is_dir():
        return _with_images(load_dataset(str(path), name, split=split, streaming=streaming, **options))
    if not (root / name).is_dir():
        there = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
        raise ValueError(f"there is no configuration {name!r} in {path}, it has {there}")
    files = sorted(str(file.relative_to(root / name)) for file in (root / name).rglob("*.parquet"))
    files = [str(root / name / file) for file in files if file.startswith(split)]
    if not files:
        raise ValueError(f"there is no split {split!r} in {root / name}: no parquet file begins with its name")
    check_parquet_files(files)
    return _with_images(
        load_dataset("parquet", data_files={split: files}, split=split, streaming=streaming, **options)
    )


def _with_images(rows: datasets.Dataset | datasets.IterableDataset):
    """Files that were not written by `datasets` don't say which of their columns are images."""
    from datasets import Image, List, Value

    stored = {"bytes": Value("binary"), "path": Value("string")}
    for name, image in (("image_observations", List(Image())), ("images", Image()), ("images", List(Image()))):
        if rows.features.get(name) == (List(stored) if isinstance(image, List) else stored):
            rows = _cast(rows, name, image)
    return rows


def _cast(rows: datasets.Dataset | datasets.IterableDataset, name: str, feature: Any):
    """As `rows.cast_column`, which changes the features of a stream in place, so that it takes no notice of them."""
    from datasets import Features

    return rows.cast(Features({**rows.features, name: feature}))


def _images(feature: Any, decode: bool) -> Any:
    from datasets import Image, List

    return List(Image(decode=decode)) if isinstance(feature, List) else Image(decode=decode)


def _with_task(row: dict[str, Any], index: int, task: str, where: str) -> dict[str, Any]:
    check_document(row, f"{where}, row {index}")
    return {"task": task}


def _our_episode(
    row: dict[str, Any],
    index: int,
    task: str,
    where: str,
    action_bounds: tuple[float, float] | None,
    newest_frames: bool,
) -> dict[str, Any]:
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
            raise ValueError(f"{where}: image_observations must have one shape, they have {sorted(shapes)}")
        changed |= {"image_observations": [array.tobytes() for array in arrays], "image_shape": list(*shapes)}
    return changed


def _pixels(image: Any, newest_frames: bool) -> np.ndarray:
    """An image as a uint8 array (height, width, channels)."""
    pixels = np.asarray(image)
    if newest_frames and pixels.shape[2:] == (4,):
        pixels = pixels[..., 1:]
    return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1))


def _plain_rows(rows: datasets.IterableDataset) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {
            name: list(value) if isinstance(value, np.ndarray) and value.ndim > 1 else value
            for name, value in row.items()
        }
