# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Describes the leaves of nested observations and actions by fields, and collects their values.

Fields are inferred from values here; `spaces_gato` makes them from gymnasium spaces.
"""

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .scaling_gato import Bounds, Role, Scaling, scaling_of
from .values_gato import as_array

Kind = Literal["text", "image", "discrete", "continuous"]
# Keys of mappings and indices of tuples that lead to a leaf.
Path = tuple[Any, ...]

# An observation has its text first, then its images, then its tensors (section 2.1).
_WRITING_ORDER = {"text": 0, "image": 1, "discrete": 2, "continuous": 2}


@dataclass(frozen=True)
class Field:
    """One leaf of an observation or of an action.

    Args:
        role: Whether the leaf is part of an "observation" or of an "action".
        path: Keys and indices that lead to the leaf; () for a value that isn't nested.
        kind: "text", "image", "discrete" or "continuous". The text of an action is written character by character.
        shape: Shape of the value in one timestep; None where no space gives it.
        dtype: Type of the decoded array; None where no space gives it.
        bounds: The least and the greatest value of each element, flat arrays (size,); for the text of an action those
            of its symbols; None where no space gives them. An observed integer may exceed its greatest value.
        is_scalar: Whether the decoded value is a number instead of an array.
        charset: Characters of a text action in sorted order; the symbol len(charset) ends the text.
    """

    role: Role
    path: Path
    kind: Kind
    shape: tuple[int, ...] | None = None
    dtype: np.dtype | None = None
    bounds: Bounds | None = field(default=None, repr=False)
    is_scalar: bool = False
    charset: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path as errors name it."""
        return name_of(self.path, self.role)

    @property
    def size(self) -> int:
        """Number of tokens of numbers or of a text action; the space of the field must be known."""
        assert self.shape is not None
        return math.prod(self.shape)

    @functools.cached_property
    def scaling(self) -> Scaling:
        """How the numbers of a continuous leaf reach [-1, 1]."""
        return scaling_of(self.role, self.bounds)

    @property
    def min_length(self) -> int:
        """Least number of characters of a text action; the symbol that ends the text is legal after as many."""
        assert self.bounds is not None
        return int((self.bounds[1] < len(self.charset)).sum())


def name_of(path: Path, role: Role) -> str:
    """Returns the path with slashes, or the role of a value that isn't nested."""
    return "/".join(map(str, path)) or role


def in_writing_order(fields: Iterable[Field]) -> list[Field]:
    """Sorts the fields of an observation into the order of their tokens: text, images, tensors."""
    return sorted(fields, key=lambda leaf: _WRITING_ORDER[leaf.kind])


def infer_fields(value: Any, role: Role) -> list[Field]:
    """Finds the fields of one observation or action whose space is unknown.

    Integers and booleans are discrete, floats are continuous. In an observation a str is text; a uint8 array
    (height, width, 3) or a PIL image is an image. The floats of an action must lie in [-1, 1].

    Raises:
        TypeError: for any other value.
    """
    fields = [_infer_field(leaf, role, path) for path, leaf in iterate_leaves(value)]
    return in_writing_order(fields) if role == "observation" else fields


def _infer_field(value: Any, role: Role, path: Path) -> Field:
    if isinstance(value, str):
        if role == "action":
            raise TypeError(
                f"{name_of(path, role)} is a string: give the action space that says which strings are legal"
            )
        return Field(role, path, "text")
    if role == "observation" and is_image(value):
        return Field(role, path, "image")
    array = as_array(value, name_of(path, role))
    return Field(role, path, "continuous" if array.dtype.kind == "f" else "discrete", array.shape)


def is_image(value: Any) -> bool:
    """Tells whether a value without a space is an image: PIL, or a uint8 array (height, width, 3)."""
    if hasattr(value, "getbands"):
        return True
    shape = getattr(value, "shape", None)
    return shape is not None and len(shape) == 3 and shape[-1] == 3 and str(value.dtype) in ("uint8", "torch.uint8")


def iterate_leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields the path and the value of each leaf of nested mappings and tuples, keys in lexicographic order."""
    if isinstance(value, Mapping):
        for key in sorted_keys(value):
            yield from iterate_leaves(value[key], (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from iterate_leaves(item, (*path, index))
    else:
        yield path, value


def sorted_keys(mapping: Mapping) -> list:
    """Returns the keys in lexicographic order."""
    return sorted(mapping, key=str)


def get_leaf(value: Any, path: Path) -> Any:
    """Returns the leaf at `path` of nested mappings and tuples.

    Raises:
        ValueError: if the path leads nowhere.
    """
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise ValueError(
                f"{'/'.join(map(str, path))} is missing: a value must have the keys of its space"
            ) from None
    return value


def stack_leaf(steps: Sequence, leaf: Field) -> Any:
    """Collects the values of a leaf in every step: an array (steps, ...) of numbers, a list of texts or images.

    Raises:
        TypeError, ValueError: naming the leaf, if it is missing, or its numbers change their shape.
    """
    values = [get_leaf(step, leaf.path) for step in steps] if leaf.path else list(steps)
    if leaf.kind in ("text", "image"):
        return values
    try:
        return np.stack([as_array(value, leaf.name) for value in values])
    except ValueError as error:
        raise ValueError(f"{leaf.name} must have one shape in all timesteps: {error}") from None


def require_one_structure(steps: Sequence) -> None:
    """Raises ValueError unless all timesteps have the keys of the first."""
    expected = _structure(steps[0])
    for index, step in enumerate(steps):
        if _structure(step) != expected:
            raise ValueError(
                f"every timestep must have the same keys, timestep {index} has {_structure(step)}, the first "
                f"{expected}"
            )


def _structure(value: Any) -> Any:
    """Returns nested mappings and tuples with None in place of the leaves."""
    if isinstance(value, Mapping):
        return {key: _structure(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_structure(item) for item in value)
    return None


__all__ = ["Field", "Kind", "Path", "Role", "infer_fields", "is_image"]
