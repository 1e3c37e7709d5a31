# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How what Minari says of its datasets and episodes is kept in our columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import gymnasium


def check_dataset_id(dataset_id: str) -> None:
    from minari.dataset.minari_dataset import parse_dataset_id

    try:
        parse_dataset_id(dataset_id)
    except (TypeError, ValueError):  # without a version it fails to make a number of None
        raise ValueError(f"{dataset_id!r} is no id of a Minari dataset: it must be like 'namespace/name-v0'") from None


def place_name(path: tuple) -> str:
    return "/".join(map(str, path))


class MinariArrays:
    """The entries of `minari_arrays`."""

    def __init__(self):
        self.entries: list[dict[str, Any]] = []

    def add(self, place: tuple, values: Any) -> None:
        array = values if isinstance(values, np.ndarray | np.generic) else np.asarray(values)
        if array.dtype.kind in "OSUV" or isinstance(values, list):
            dtype, stored = "json", _to_json(values, place)
        else:
            dtype, stored = array.dtype.str, np.ascontiguousarray(array).tobytes()
        self.entries.append({"place": json.dumps(place), "dtype": dtype, "shape": list(array.shape), "values": stored})

    def add_tree(self, place: str, tree: Any) -> None:
        """Nested dicts: their numpy arrays one by one, the rest as one JSON."""
        rest = self._without_arrays((place,), tree)
        self.add_json((place,), rest)

    def add_json(self, place: tuple, value: Any) -> None:
        self.entries.append(
            {"place": json.dumps(place), "dtype": "json", "shape": [], "values": _to_json(value, place)}
        )

    def _without_arrays(self, place: tuple, value: Any) -> Any:
        if isinstance(value, dict):
            inner = {key: self._without_arrays((*place, key), item) for key, item in value.items()}
            return {key: item for key, item in inner.items() if item is not _ELSEWHERE}
        if isinstance(value, np.ndarray):
            self.add(place, value)
            return _ELSEWHERE
        if isinstance(value, np.generic) and not isinstance(value, np.float64 | np.int64 | np.bool_):
            self.add(place, value)
            return _ELSEWHERE
        return value


_ELSEWHERE = object()


def _to_json(value: Any, place: tuple) -> bytes:
    def plain(item: Any) -> Any:
        if isinstance(item, np.ndarray | np.generic):
            return item.tolist()
        if isinstance(item, bytes):
            return item.decode()
        raise ValueError(f"{place_name(place)} of a Minari episode holds a {type(item).__name__}, which can't be kept")

    return json.dumps(value, default=plain).encode()


def array_of_entry(entry: Mapping[str, Any]) -> Any:
    if entry["dtype"] == "json":
        return json.loads(entry["values"])
    return np.frombuffer(entry["values"], np.dtype(entry["dtype"])).reshape(entry["shape"]).copy()[()]


def space_as_json(space: gymnasium.Space) -> dict[str, Any]:
    """Minari's JSON of a space, shortened."""
    from minari.serialization import serialize_space

    return _compact(json.loads(serialize_space(space)))


def space_from_json(space: dict[str, Any]) -> gymnasium.Space:
    """The inverse of `space_as_json`."""
    from minari.serialization import deserialize_space

    return deserialize_space(_expand(space))


def _compact(space: Any) -> Any:
    """Minari's JSON of a space, the bounds of a Box as one number where all are equal: an image has thousands."""
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


def _expand(space: Any) -> Any:
    """The inverse of `_compact`."""
    if isinstance(space, list):
        return [_expand(item) for item in space]
    if not isinstance(space, dict):
        return space
    expanded = {key: _expand(value) for key, value in space.items()}
    if space.get("type") == "Box":
        for bound in ("low", "high"):
            if not isinstance(space[bound], list):
                expanded[bound] = np.full(space["shape"], space[bound], space["dtype"]).tolist()
    return expanded
