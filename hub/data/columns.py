# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Writes values of any gymnasium space into the columns of an episode, and reads them back.

The leaves of a nested space share the column of their kind, in the order in which `GatoProcessor` reads them: keys of
dicts in lexicographic order, items of tuples by index, the numbers of each leaf row-major. The rules repeat those of
`tokenization_gato.spaces_gato`, because importing that package loads torch, which processes that only collect do
without; a test over random spaces holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..system.errors import GatoError
from .images import stack_images

if TYPE_CHECKING:
    import datasets
    import gymnasium

# As for the processor: a uint8 matrix is a gray image from this side length on, and a table of numbers below it.
MIN_GRAY_IMAGE_SIDE = 16

Role = Literal["observations", "actions"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """One simple space within a nested one.

    Attributes:
        path: Keys and indices that lead to the space; () for a space that is not nested.
        kind: "text", "image", "continuous" or "discrete".
        space: The space itself.
    """

    path: Path
    kind: str
    space: gymnasium.Space

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one value; () for a text, which has none."""
        return self.space.shape or ()

    @property
    def size(self) -> int:
        """How many numbers one value has."""
        return math.prod(self.shape)


def leaves_of(space: gymnasium.Space, role: Role) -> list[Leaf]:
    """Lists the leaves of a space whose values an episode can hold.

    Raises:
        GatoError: if it can't: for a space of another type, several texts or images a step, or actions that are not
            numbers.
    """
    leaves = list(iterate_leaves(space))
    for kind in ("text", "image"):
        paths = ["/".join(map(str, leaf.path)) for leaf in leaves if leaf.kind == kind]
        if role == "actions" and paths:
            raise GatoError(f"an action must be of numbers, the action space has {kind}: {space}")
        if len(paths) > 1:
            raise GatoError(f"an episode has one {kind} a step, the observation space has {paths}")
    if not leaves:
        raise GatoError(f"there is nothing in the space of {role}: {space}")
    return leaves


def iterate_leaves(space: gymnasium.Space, path: Path = ()) -> Iterator[Leaf]:
    """Yields all leaves of a nested space, keys in lexicographic order.

    Raises:
        GatoError: for a space of another type.
    """
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        for key in sorted(space.spaces, key=str):
            yield from iterate_leaves(space[key], (*path, key))
    elif isinstance(space, spaces.Tuple):
        for index, item in enumerate(space.spaces):
            yield from iterate_leaves(item, (*path, index))
    elif isinstance(space, spaces.Text):
        yield Leaf(path, "text", space)
    elif isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        yield Leaf(path, "discrete", space)
    elif isinstance(space, spaces.Box):
        yield Leaf(path, _kind_of_box(space), space)
    else:
        raise GatoError(f"an episode can't hold values of a {type(space).__name__}: {space}")


def _kind_of_box(space: gymnasium.spaces.Box) -> str:
    if space.dtype == np.uint8:
        has_channels = len(space.shape) == 3 and space.shape[-1] in (1, 3)
        if has_channels or (len(space.shape) == 2 and min(space.shape) >= MIN_GRAY_IMAGE_SIDE):
            return "image"
    return "continuous" if space.dtype.kind == "f" else "discrete"


def features_of(leaves: Sequence[Leaf], role: Role) -> dict[str, Any]:
    """Returns the `datasets` type of each column that holds the leaves, by its name."""
    from datasets import List, Value

    number = {"continuous": Value("float32"), "discrete": Value("int64")}
    features: dict[str, Any] = {}
    for kind in dict.fromkeys(leaf.kind for leaf in leaves):
        if kind == "image":
            features |= {f"image_{role}": List(Value("binary")), "image_shape": List(Value("int64"))}
        elif kind == "text":
            features[f"text_{role}"] = List(Value("string"))
        else:
            values = number[kind] if _is_one_number(leaves, kind, role) else List(number[kind])
            features[f"{kind}_{role}"] = List(values)
    return features


def episode_features(
    observation_space: gymnasium.Space, action_space: gymnasium.Space, more: Mapping[str, Any] | None = None
) -> datasets.Features:
    """Returns the `datasets` types of all columns of episodes with these spaces, and those in `more`.

    Raises:
        GatoError: if an episode can't hold values of the spaces.
    """
    from datasets import Features, List, Value

    actions = features_of(leaves_of(action_space, "actions"), "actions")
    return Features(
        {
            **features_of(leaves_of(observation_space, "observations"), "observations"),
            **actions,
            **{f"executed_{name}": feature for name, feature in actions.items()},
            "rewards": List(Value("float32")),
            "task": Value("string"),
            "seed": Value("int64"),
            "success": Value("bool"),
            "expert": Value("string"),
            "noise": Value("float32"),
            **(more or {}),
        }
    )


def _is_one_number(leaves: Sequence[Leaf], kind: str, role: Role) -> bool:
    """Tells whether a column has one number a step, (T,) instead of (T, n): that of a single discrete action."""
    of_kind = [leaf for leaf in leaves if leaf.kind == kind]
    return role == "actions" and kind == "discrete" and len(of_kind) == 1 and of_kind[0].shape == ()


def columns_of(leaves: Sequence[Leaf], values: Mapping[Path, Any], role: Role) -> dict[str, Any]:
    """Returns the columns of one episode by name, numbers as float32 or int64 arrays.

    Args:
        leaves: The leaves of the space.
        values: The values (T, ...) of each leaf by its path; T strings for a text.
        role: Whether the values are "observations" or "actions".
    """
    columns: dict[str, Any] = {}
    for kind in dict.fromkeys(leaf.kind for leaf in leaves):
        of_kind = [leaf for leaf in leaves if leaf.kind == kind]
        if kind == "text":
            columns[f"text_{role}"] = list(values[of_kind[0].path])
        elif kind == "image":
            shape = of_kind[0].shape
            images = np.asarray(values[of_kind[0].path], np.uint8)
            columns[f"image_{role}"] = [np.ascontiguousarray(image).tobytes() for image in images]
            columns["image_shape"] = [*shape, 1][:3]
        else:
            dtype = np.float32 if kind == "continuous" else np.int64
            parts = [np.asarray(values[leaf.path]) for leaf in of_kind]
            parts = [part.reshape(len(part), -1) for part in parts]
            # A number too large for float32 becomes infinite, which the check of the episode refuses.
            with np.errstate(over="ignore"):
                numbers = np.concatenate(parts, axis=1).astype(dtype)
            columns[f"{kind}_{role}"] = numbers[:, 0] if _is_one_number(leaves, kind, role) else numbers
    return columns


def values_of(leaves: Sequence[Leaf], row: Mapping[str, Any], role: Role) -> dict[Path, Any]:
    """Returns the values of each leaf in an episode, by its path, the inverse of `columns_of`.

    Args:
        leaves: The leaves of the space.
        row: The columns of the episode by name.
        role: Whether to read "observations" or "actions".

    Returns:
        Arrays (T, ...) in the dtype of the space; T strings for a text.

    Raises:
        GatoError: if a column is missing or has another number of values than the leaves.
    """
    values: dict[Path, Any] = {}
    for kind in dict.fromkeys(leaf.kind for leaf in leaves):
        of_kind, name = [leaf for leaf in leaves if leaf.kind == kind], f"{kind}_{role}"
        if row.get(name) is None:
            raise GatoError(f"an episode with {kind} {role} needs the column {name}, it has {sorted(row)}")
        if kind == "text":
            values[of_kind[0].path] = list(row[name])
            continue
        if kind == "image":
            images = stack_images(row[name], row.get("image_shape"))
            values[of_kind[0].path] = images.reshape(len(images), *of_kind[0].shape)
            continue
        numbers = np.asarray(row[name], np.float32 if kind == "continuous" else np.int64)
        numbers = numbers.reshape(len(numbers), -1)
        sizes = [leaf.size for leaf in of_kind]
        if numbers.shape[1] != sum(sizes):
            raise GatoError(f"{name} has {numbers.shape[1]} values a step, the space has {sum(sizes)}")
        for leaf, part in zip(of_kind, np.split(numbers, np.cumsum(sizes)[:-1], axis=1), strict=True):
            values[leaf.path] = part.reshape(len(part), *leaf.shape).astype(leaf.space.dtype)
    return values


def unnested(space: gymnasium.Space, value: Any, path: Path = ()) -> dict[Path, Any]:
    """Returns the leaves of a value of a nested space by their paths. The leaves may be stacks of many steps.

    Raises:
        GatoError: if a key of the space is missing.
    """
    from gymnasium import spaces

    if not isinstance(space, spaces.Dict | spaces.Tuple):
        return {path: value}
    items = space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)
    found: dict[Path, Any] = {}
    for key, item in items:
        try:
            inner = value[key]
        except (KeyError, IndexError, TypeError):
            raise GatoError(f"{'/'.join(map(str, (*path, key)))} of the space is not in the value") from None
        found |= unnested(item, inner, (*path, key))
    return found


def nested(space: gymnasium.Space, values: Mapping[Path, Any], path: Path = ()) -> Any:
    """Returns a value of a nested space, given its leaves by their paths; the inverse of `unnested`."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return {key: nested(item, values, (*path, key)) for key, item in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(nested(item, values, (*path, index)) for index, item in enumerate(space.spaces))
    return values[path]
