# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The two columns that keep what Minari (https://minari.farama.org) says and our episode schema has no place for.

A Minari dataset that was imported can be exported as it was, bit for bit. Other readers may ignore these columns:

- `minari_dataset`: the metadata of the dataset as JSON, with its spaces and the specification of its environment. It
  is the same in all rows, and parquet stores it once a file.
- `minari_arrays`: arrays by their place in Minari's episode, which is a JSON list such as `["infos", "success"]`. They
  are the observation after the last action, which our schema lacks, terminations, truncations, infos, and what the
  float32 columns round. The place `["metadata"]` has the seed, the options and what else Minari says of the episode.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...system.errors import GatoError
from ...system.packages import require_packages

if TYPE_CHECKING:
    import gymnasium

Place = tuple[str | int, ...]
SPACES = ("observation_space", "action_space")


def require_minari() -> None:
    """Raises MissingPackageError if Minari is not installed."""
    require_packages("A Minari dataset", ("minari",), "minari")


def check_dataset_id(dataset_id: str) -> None:
    """Checks that Minari takes the id of a dataset.

    Raises:
        GatoError: the id is not like 'namespace/name-v0'.
    """
    from minari.dataset.minari_dataset import parse_dataset_id

    try:
        parse_dataset_id(dataset_id)
    except (TypeError, ValueError):  # without a version, Minari makes a number of None
        raise GatoError(f"{dataset_id!r} is no id of a Minari dataset: it must be like 'namespace/name-v0'") from None


def minari_features() -> dict[str, Any]:
    """Returns the types of the two columns."""
    from datasets import List, Value

    array = {
        "place": Value("string"),
        "dtype": Value("string"),
        "shape": List(Value("int64")),
        "values": Value("binary"),
    }
    return {"minari_dataset": Value("string"), "minari_arrays": List(array)}


def place_name(place: Place) -> str:
    """Writes a place for the message of an error."""
    return "/".join(map(str, place))


# ---------------------------------------------------------------------------------------------------------------------
# The arrays of an episode
# ---------------------------------------------------------------------------------------------------------------------

_STORED_BY_ITSELF = object()


class MinariArrays:
    """Collects the entries of `minari_arrays` of one episode; `entries` is the value of the column."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def add(self, place: Place, values: Any) -> None:
        """Adds an array, or a list of strings."""
        array = values if isinstance(values, np.ndarray | np.generic) else np.asarray(values)
        if array.dtype.kind in "OSUV" or isinstance(values, list):
            self._add_entry(place, "json", array.shape, _to_json(values, place))
        else:
            self._add_entry(place, array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())

    def add_tree(self, name: str, tree: Any) -> None:
        """Adds nested dicts: each NumPy array as an entry of its own, the rest as one JSON."""
        rest = self._without_arrays((name,), tree)
        self._add_entry((name,), "json", (), _to_json(rest, (name,)))

    def _add_entry(self, place: Place, dtype: str, shape: tuple[int, ...], values: bytes) -> None:
        self.entries.append({"place": json.dumps(place), "dtype": dtype, "shape": list(shape), "values": values})

    def _without_arrays(self, place: Place, value: Any) -> Any:
        if isinstance(value, dict):
            inner = {key: self._without_arrays((*place, key), item) for key, item in value.items()}
            return {key: item for key, item in inner.items() if item is not _STORED_BY_ITSELF}
        # Numbers of these three types are equal to the Python numbers that JSON gives back.
        is_number = isinstance(value, np.generic) and not isinstance(value, np.float64 | np.int64 | np.bool_)
        if is_number or isinstance(value, np.ndarray):
            self.add(place, value)
            return _STORED_BY_ITSELF
        return value


def _to_json(value: Any, place: Place) -> bytes:
    def plain(item: Any) -> Any:
        if isinstance(item, np.ndarray | np.generic):
            return item.tolist()
        if isinstance(item, bytes):
            return item.decode()
        raise GatoError(f"{place_name(place)} of a Minari episode holds a {type(item).__name__}, which can't be kept")

    return json.dumps(value, default=plain).encode()


def stored_arrays(row: Mapping[str, Any]) -> dict[Place, Any]:
    """Reads the entries of `minari_arrays` of a row, by their places."""
    return {tuple(json.loads(entry["place"])): _value_of(entry) for entry in row["minari_arrays"]}


def _value_of(entry: Mapping[str, Any]) -> Any:
    if entry["dtype"] == "json":
        return json.loads(entry["values"])
    return np.frombuffer(entry["values"], np.dtype(entry["dtype"])).reshape(entry["shape"]).copy()[()]


def stored_tree(name: str, stored: Mapping[Place, Any]) -> Any:
    """Puts nested dicts together again: the inverse of `MinariArrays.add_tree`."""
    tree = stored[name,]
    for place, value in stored.items():
        if place[0] == name and len(place) > 1:
            inner = tree
            for key in place[1:-1]:
                inner = inner[key]
            inner[place[-1]] = value
    return tree


# ---------------------------------------------------------------------------------------------------------------------
# Spaces as JSON
# ---------------------------------------------------------------------------------------------------------------------


def space_to_json(space: gymnasium.Space) -> dict[str, Any]:
    """Returns Minari's JSON of a space, with one number for the bounds of a Box that are all equal.

    The bounds of an image would be thousands of numbers.
    """
    from minari.serialization import serialize_space

    return _compact(json.loads(serialize_space(space)))


def space_from_json(space: dict[str, Any]) -> gymnasium.Space:
    """Returns the space of a JSON: the inverse of `space_to_json`."""
    from minari.serialization import deserialize_space

    return deserialize_space(_expanded(space))


def _compact(space: Any) -> Any:
    if isinstance(space, list):
        return [_compact(item) for item in space]
    if not isinstance(space, dict):
        return space
    compact = {key: _compact(value) for key, value in space.items()}
    if space.get("type") == "Box":
        for bound in ("low", "high"):
            values = np.ravel(space[bound])
            if values.size and (values == values[0]).all():
                compact[bound] = values[0].item()
    return compact


def _expanded(space: Any) -> Any:
    if isinstance(space, list):
        return [_expanded(item) for item in space]
    if not isinstance(space, dict):
        return space
    expanded = {key: _expanded(value) for key, value in space.items()}
    if space.get("type") == "Box":
        for bound in ("low", "high"):
            if not isinstance(space[bound], list):
                expanded[bound] = np.full(space["shape"], space[bound], space["dtype"]).tolist()
    return expanded
