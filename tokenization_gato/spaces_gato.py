# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What each gymnasium space becomes: one table from the type of a space to the function that makes its fields.

A type is known by its name, so nothing here imports gymnasium: whoever has a space has imported it. An import
statement would make it a requirement of each checkpoint that carries its own code.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .fields_gato import Field, Path, Role, in_writing_order, sorted_keys

# A gymnasium space.
Space = Any

# A uint8 Box without a channel axis is a gray image from this side length on, and a small board below it.
MIN_GRAY_IMAGE_SIDE = 16


def fields_of(space: Space, role: Role) -> list[Field]:
    """Lists the fields of a space in the order in which their tokens are written.

    Raises:
        TypeError: for a space without a rule.
    """
    fields = _fields(space, role, ())
    return in_writing_order(fields) if role == "observation" else fields


def join_leaves(space: Space, leaves: Mapping[Path, Any], path: Path = ()) -> Any:
    """Builds a value of the space from its leaves by path."""
    parts = getattr(space, "spaces", None)
    if isinstance(parts, Mapping):
        return {key: join_leaves(parts[key], leaves, (*path, key)) for key in parts}
    if parts is not None:
        return tuple(join_leaves(item, leaves, (*path, index)) for index, item in enumerate(parts))
    return leaves[path]


def _fields(space: Space, role: Role, path: Path) -> list[Field]:
    for base in type(space).__mro__:
        if base.__module__.startswith("gymnasium.") and base.__name__ in _RULES:
            return _RULES[base.__name__](space, role, path)
    if "gymnasium" not in sys.modules:
        raise TypeError(f"a space needs gymnasium (pip install gymnasium), got {type(space).__name__} without it")
    raise TypeError(
        "expected a gymnasium space Box, Discrete, MultiDiscrete, MultiBinary, Text, Dict or Tuple, got "
        f"{type(space).__module__}.{type(space).__name__}"
    )


def _of_dict(space: Space, role: Role, path: Path) -> list[Field]:
    return [leaf for key in sorted_keys(space.spaces) for leaf in _fields(space.spaces[key], role, (*path, key))]


def _of_tuple(space: Space, role: Role, path: Path) -> list[Field]:
    return [leaf for index, item in enumerate(space.spaces) for leaf in _fields(item, role, (*path, index))]


def _of_text(space: Space, role: Role, path: Path) -> list[Field]:
    if role == "observation":
        return [Field(role, path, "text")]
    charset = tuple(sorted(space.character_set))
    last_symbol = np.full(space.max_length, len(charset), np.int64)
    last_symbol[: space.min_length] -= 1
    shape = (space.max_length,)
    return [Field(role, path, "text", shape, bounds=(np.zeros_like(last_symbol), last_symbol), charset=charset)]


def _of_box(space: Space, role: Role, path: Path) -> list[Field]:
    if role == "observation" and is_image_box(space):
        return [Field(role, path, "image", space.shape)]
    low, high = space.low.reshape(-1), space.high.reshape(-1)
    if space.dtype.kind != "f":
        return [Field(role, path, "discrete", space.shape, space.dtype, (low, high))]
    low, high = low.astype(np.float64), high.astype(np.float64)
    return [Field(role, path, "continuous", space.shape, space.dtype, (low, high))]


def _of_discrete(space: Space, role: Role, path: Path) -> list[Field]:
    low = np.array([space.start])
    return [Field(role, path, "discrete", (), space.dtype, (low, low + int(space.n) - 1), is_scalar=True)]


def _of_multi_discrete(space: Space, role: Role, path: Path) -> list[Field]:
    low, high = space.start.reshape(-1), (space.start + space.nvec - 1).reshape(-1)
    return [Field(role, path, "discrete", space.shape, space.dtype, (low, high))]


def _of_multi_binary(space: Space, role: Role, path: Path) -> list[Field]:
    size = int(np.prod(space.shape))
    low, high = np.zeros(size, np.int64), np.ones(size, np.int64)
    return [Field(role, path, "discrete", space.shape, space.dtype, (low, high))]


_RULES: dict[str, Callable[[Space, Role, Path], list[Field]]] = {
    "Box": _of_box,
    "Dict": _of_dict,
    "Discrete": _of_discrete,
    "MultiBinary": _of_multi_binary,
    "MultiDiscrete": _of_multi_discrete,
    "Text": _of_text,
    "Tuple": _of_tuple,
}


def is_image_box(space: Space) -> bool:
    """Tells whether an observed Box is an image: uint8, and large enough or with one or three channels last."""
    if space.dtype != np.uint8:
        return False
    if len(space.shape) == 3:
        return space.shape[-1] in (1, 3)
    return len(space.shape) == 2 and min(space.shape) >= MIN_GRAY_IMAGE_SIDE


__all__ = ["MIN_GRAY_IMAGE_SIDE", "Space", "fields_of", "is_image_box", "join_leaves"]
