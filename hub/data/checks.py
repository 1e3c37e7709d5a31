# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Checks of episodes and documents from elsewhere. An error names the file, row, column and step that is wrong."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..system.errors import GatoError
from .parquet import readable_parquet

if TYPE_CHECKING:
    import datasets

# Each rule says how many lists may surround the values of a column, and which types the values may have.
_Rules = dict[str, tuple[tuple[int, ...], tuple[str, ...]]]
_FLOATS = ("float16", "float32", "float64")
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
_TEXTS = ("string", "large_string")
_IMAGES = ("image", "binary", "large_binary")
_OBSERVATIONS: _Rules = {
    "continuous_observations": ((2,), _FLOATS),
    "discrete_observations": ((1, 2), _INTEGERS),
    "text_observations": ((1,), _TEXTS),
    "image_observations": ((1,), _IMAGES),
}
_ACTIONS: _Rules = {"continuous_actions": ((2,), _FLOATS), "discrete_actions": ((1, 2), _INTEGERS)}
_REWARDS: _Rules = {"rewards": ((1,), _FLOATS)}
_EPISODE_COLUMNS: _Rules = {
    **_OBSERVATIONS,
    **_ACTIONS,
    **{f"executed_{name}": rule for name, rule in _ACTIONS.items()},
    **_REWARDS,
}
_DOCUMENT_COLUMNS: _Rules = {"text": ((0,), _TEXTS), "images": ((0, 1), _IMAGES)}
_IMAGE_SHAPE: _Rules = {"image_shape": ((1,), _INTEGERS)}


def check_columns(features: datasets.Features, where: str) -> Literal["episodes", "documents"]:
    """Checks the columns of a dataset, and returns what its rows are.

    Args:
        features: of the dataset. Columns that neither episodes nor documents have may be anything.
        where: the file or dataset, which begins the message of an error.

    Raises:
        GatoError: a column is missing or of the wrong type.
    """
    if not (_OBSERVATIONS.keys() | _ACTIONS.keys()) & features.keys() and _DOCUMENT_COLUMNS.keys() & features.keys():
        _check_types(features, _DOCUMENT_COLUMNS, where)
        return "documents"
    for group in (_OBSERVATIONS, _ACTIONS, _REWARDS):
        if not group.keys() & features.keys():
            raise GatoError(
                f"{where} holds no episodes: it needs {' or '.join(group)}, its columns are {list(features)}"
            )
    _check_types(features, _EPISODE_COLUMNS, where)
    return "episodes"


def _check_types(features: datasets.Features, rules: _Rules, where: str) -> None:
    for name, (depths, types) in (rules | _IMAGE_SHAPE).items():
        if name not in features:
            continue
        depth, found = _depth_and_type(features[name])
        if depth not in depths or found not in types:
            raise GatoError(
                f"{where}: {name} must be {_in_words(depths[-1], types)}, it is {_in_words(depth, (found,))}"
            )
        if types == _IMAGES and found != "image" and "image_shape" not in features:
            raise GatoError(f"{where}: {name} are bytes, so that there must be a column image_shape")


def _depth_and_type(feature: Any) -> tuple[int, str]:
    """Returns the number of lists around the values of a column, and their type."""
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
    """Checks that the columns of an episode fit together and that its numbers can be used.

    Args:
        row: an episode. A column that is None counts as missing.
        where: the file or dataset and the row, which begin the message of an error.

    Raises:
        GatoError: the columns differ in their number of steps, or have none; a step has another number of values than
            the first; a number is not finite as float32, the type that episodes are stored in; a text is no string;
            or an image has another number of bytes than its shape. The message names the column and the step.
    """
    columns = {name: row[name] for name in _EPISODE_COLUMNS if row.get(name) is not None}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise GatoError(f"{where}: the columns of an episode must have one length, they have {lengths}")
    if 0 in lengths.values():
        raise GatoError(f"{where}: an episode must have at least one step")
    for name, column in columns.items():
        if name == "text_observations":
            _check_texts(column, f"{where}: {name}")
        elif name == "image_observations":
            _check_images(column, row.get("image_shape"), f"{where}: {name}")
        else:
            _check_numbers(column, f"{where}: {name}")


def _check_texts(texts: Iterable[Any], where: str) -> None:
    for step, text in enumerate(texts):
        if not isinstance(text, str):
            raise GatoError(f"{where} of step {step} is {type(text).__name__}, not text")


def _check_images(images: Iterable[Any], shape: Any, where: str) -> None:
    for step, image in enumerate(images):
        if image is None:
            raise GatoError(f"{where} of step {step} is missing")
        if isinstance(image, bytes) and (shape is None or len(image) != math.prod(shape)):
            raise GatoError(f"{where} of step {step} has {len(image)} bytes, its image_shape is {shape}")


def _check_numbers(column: Any, where: str) -> None:
    widths = [np.size(values) for values in column]
    for step, width in enumerate(widths):
        if width != widths[0]:
            raise GatoError(f"{where} of step {step} has {width} values, that of step 0 {widths[0]}")
    numbers = np.asarray(column, np.float64)  # a null becomes NaN, which is found below
    is_finite = np.abs(numbers) <= np.finfo(np.float32).max
    if not is_finite.all():
        step = int(np.argwhere(~is_finite)[0][0])
        raise GatoError(f"{where} of step {step} holds a number that is not finite: {numbers[step]}")


def check_document(row: Mapping[str, Any], where: str) -> None:
    """Checks that a document has a text or an image.

    Raises:
        GatoError: it has neither.
    """
    if row.get("text") is None and row.get("images") is None:
        raise GatoError(f"{where}: a document needs a text or images, it has none")


def check_parquet_files(paths: Iterable[str | os.PathLike]) -> None:
    """Checks that files are whole parquet files: that their footer, which is written last, can be read.

    Raises:
        GatoError: a file is not whole; the message names the first of them.
    """
    import pyarrow.parquet

    for path in paths:
        with readable_parquet(path):
            pyarrow.parquet.read_metadata(path)
