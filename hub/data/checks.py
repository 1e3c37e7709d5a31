# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Checks of episodes and documents from elsewhere. The error says in which file, row and column something is wrong."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import datasets

# Lists around a value, and the types that the value may have.
_FLOATS = ("float16", "float32", "float64")
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
_TEXTS = ("string", "large_string")
_IMAGES = ("image", "binary", "large_binary")
_OBSERVATIONS = {
    "continuous_observations": ((2,), _FLOATS),
    "discrete_observations": ((1, 2), _INTEGERS),
    "text_observations": ((1,), _TEXTS),
    "image_observations": ((1,), _IMAGES),
}
_ACTIONS = {"continuous_actions": ((2,), _FLOATS), "discrete_actions": ((1, 2), _INTEGERS)}
_REWARDS = {"rewards": ((1,), _FLOATS)}
_EPISODE_COLUMNS = {
    **_OBSERVATIONS,
    **_ACTIONS,
    **{f"executed_{name}": rule for name, rule in _ACTIONS.items()},
    **_REWARDS,
}
_DOCUMENT_COLUMNS = {"text": ((0,), _TEXTS), "images": ((0, 1), _IMAGES)}
_IMAGE_SHAPE = {"image_shape": ((1,), _INTEGERS)}


def check_columns(features: datasets.Features, where: str) -> Literal["episodes", "documents"]:
    """What the rows of a dataset are, by its columns.

    Args:
        features: of the dataset. Columns that episodes and documents don't have may be anything.
        where: the file or dataset, for the message of an error.

    Raises:
        ValueError: naming a column that is missing or of the wrong type.
    """
    if not (_OBSERVATIONS.keys() | _ACTIONS.keys()) & features.keys() and _DOCUMENT_COLUMNS.keys() & features.keys():
        kind, columns = "documents", _DOCUMENT_COLUMNS
    else:
        kind, columns = "episodes", _EPISODE_COLUMNS
        for group in (_OBSERVATIONS, _ACTIONS, _REWARDS):
            if not group.keys() & features.keys():
                raise ValueError(
                    f"{where} holds no episodes: it needs {' or '.join(group)}, its columns are {list(features)}"
                )
    for name, (depths, types) in (columns | _IMAGE_SHAPE).items():
        if name not in features:
            continue
        depth, found = _depth_and_type(features[name])
        if depth not in depths or found not in types:
            raise ValueError(
                f"{where}: {name} must be {_in_words(depths[-1], types)}, it is {_in_words(depth, (found,))}"
            )
    for name in ("image_observations", "images"):
        if name in columns and name in features and "image_shape" not in features:
            if _depth_and_type(features[name])[1] != "image":
                raise ValueError(f"{where}: {name} are bytes, so that there must be a column image_shape")
    return kind


def _depth_and_type(feature: Any) -> tuple[int, str]:
    """Number of lists around a value, and the value's type."""
    from datasets import Image, LargeList, List, Value

    if isinstance(feature, List | LargeList):
        depth, found = _depth_and_type(feature.feature)
        return depth + 1, found
    if isinstance(feature, Value):
        return 0, feature.dtype
    return 0, "image" if isinstance(feature, Image) else type(feature).__name__


def _in_words(depth: int, types: Iterable[str]) -> str:
    return "lists of " * depth + " or ".join(types)


def check_episode(row: Mapping[str, Any], where: str) -> None:
    """Whether the columns of an episode fit together, and its numbers can be used.

    Args:
        row: an episode; columns that are None are not there.
        where: the file or dataset and the row, for the message of an error.

    Raises:
        ValueError: naming the column, and the step, of what is wrong: another number of steps than in the other
            columns, none at all, another number of values than in the other steps, a number that is not finite (as
            float32, which episodes are stored in), or an image with another number of bytes than its shape has.
    """
    columns = {name: row[name] for name in _EPISODE_COLUMNS if row.get(name) is not None}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"{where}: the columns of an episode must have one length, they have {lengths}")
    if 0 in lengths.values():
        raise ValueError(f"{where}: an episode must have at least one step")
    for name, column in columns.items():
        if name == "text_observations":
            for step, text in enumerate(column):
                if not isinstance(text, str):
                    raise ValueError(f"{where}: {name} of step {step} is {type(text).__name__}, not text")
        elif name == "image_observations":
            _check_images(column, row.get("image_shape"), f"{where}: {name}")
        else:
            _check_numbers(column, f"{where}: {name}")


def _check_numbers(column: Any, where: str) -> None:
    widths = [np.size(values) for values in column]
    for step, width in enumerate(widths):
        if width != widths[0]:
            raise ValueError(f"{where} of step {step} has {width} values, that of step 0 {widths[0]}")
    # A null becomes NaN here, so that it is found as well.
    numbers = np.asarray(column, np.float64)
    is_finite = np.abs(numbers) <= np.finfo(np.float32).max
    if not is_finite.all():
        step = int(np.argwhere(~is_finite)[0][0])
        raise ValueError(f"{where} of step {step} holds a number that is not finite: {numbers[step]}")


def _check_images(images: Any, shape: Any, where: str) -> None:
    for step, image in enumerate(images):
        if image is None:
            raise ValueError(f"{where} of step {step} is missing")
        if isinstance(image, bytes) and (shape is None or len(image) != math.prod(shape)):
            raise ValueError(f"{where} of step {step} has {len(image)} bytes, its image_shape is {shape}")


def check_document(row: Mapping[str, Any], where: str) -> None:
    """Whether a document has a text or an image.

    Raises:
        ValueError: it has none.
    """
    if row.get("text") is None and row.get("images") is None:
        raise ValueError(f"{where}: a document needs a text or images, it has none")


def check_parquet_files(paths: Iterable[str | os.PathLike]) -> None:
    """Whether files are whole parquet files: their end, which is written last, is there.

    Raises:
        ValueError: naming the first file that is not.
    """
    import pyarrow.parquet

    from .parquet import readable_parquet

    for path in paths:
        with readable_parquet(path):
            pyarrow.parquet.read_metadata(path)
