# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Values of any gymnasium space as columns of an episode, and back.

The leaves of a nested space go into the column of their kind in the order in which `GatoProcessor` takes them out:
keys of dicts in lexicographic order, items of tuples in theirs, the numbers of each leaf row-major.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .images import stack_images

if TYPE_CHECKING:
    import datasets
    import gymnasium

# As for the processor: a smaller uint8 matrix is a table of numbers, not a grey image.
SMALLEST_GREY_IMAGE = 16

Role = Literal["observations", "actions"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """A space within a nested one.

    Attributes:
        path: keys and indices that lead to it; () for a space that is not nested.
        kind: "text", "image", "continuous" or "discrete".
    """

    path: Path
    kind: str
    space: gymnasium.Space

    @property
    def size(self) -> int:
        """Numbers in one value."""
        return int(np.prod(self.space.shape, dtype=np.int64))


def leaves_of(space: gymnasium.Space, role: Role) -> list[Leaf]:
    """The leaves of a space of observations or of actions.

    Raises:
        ValueError: an episode can't hold them: a space of another type, several texts or images a step, or actions
            that are not numbers.
    """
    leaves = _leaves(space, ())
    for kind in ("text", "image"):
        paths = ["/".join(map(str, leaf.path)) for leaf in leaves if leaf.kind == kind]
        if role == "actions" and paths:
            raise ValueError(f"an action must be of numbers, the action space has {kind}: {space}")
        if len(paths) > 1:
            raise ValueError(f"an episode has one {kind} a step, the observation space has {paths}")
    if not leaves:
        raise ValueError(f"there is nothing in the space of {role}: {space}")
    return leaves


def _leaves(space: gymnasium.Space, path: Path) -> list[Leaf]:
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return [leaf for key in sorted(space.spaces, key=str) for leaf in _leaves(space[key], (*path, key))]
    if isinstance(space, spaces.Tuple):
        return [leaf for index, item in enumerate(space.spaces) for leaf in _leaves(item, (*path, index))]
    if isinstance(space, spaces.Text):
        return [Leaf(path, "text", space)]
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return [Leaf(path, "discrete", space)]
    if isinstance(space, spaces.Box):
        if _is_image(space):
            return [Leaf(path, "image", space)]
        return [Leaf(path, "continuous" if space.dtype.kind == "f" else "discrete", space)]
    raise ValueError(f"an episode can't hold values of a {type(space).__name__}: {space}")


def _is_image(space: gymnasium.spaces.Box) -> bool:
    if space.dtype != np.uint8:
        return False
    if len(space.shape) == 3:
        return space.shape[-1] in (1, 3)
    return len(space.shape) == 2 and min(space.shape) >= SMALLEST_GREY_IMAGE


def features_of(leaves: Sequence[Leaf], role: Role) -> dict[str, Any]:
    """The types of the columns that hold the leaves."""
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
    """All columns of episodes with these spaces, and `more`.

    Raises:
        ValueError: an episode can't hold values of the spaces.
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
    """A single discrete action has a column (T,), not (T, 1)."""
    of_kind = [leaf for leaf in leaves if leaf.kind == kind]
    return role == "actions" and kind == "discrete" and len(of_kind) == 1 and of_kind[0].space.shape == ()


def columns_of(leaves: Sequence[Leaf], values: Mapping[Path, Any], role: Role) -> dict[str, Any]:
    """The columns of one episode.

    Args:
        values: of each leaf (T, ...), by its path; T strings for a text.

    Returns:
        The columns, numbers as float32 or int64 arrays.
    """
    columns: dict[str, Any] = {}
    for kind in dict.fromkeys(leaf.kind for leaf in leaves):
        of_kind = [leaf for leaf in leaves if leaf.kind == kind]
        if kind == "text":
            columns[f"text_{role}"] = list(values[of_kind[0].path])
        elif kind == "image":
            shape = of_kind[0].space.shape
            images = np.asarray(values[of_kind[0].path], np.uint8)
            columns[f"image_{role}"] = [np.ascontiguousarray(image).tobytes() for image in images]
            columns["image_shape"] = [*shape, 1][:3]
        else:
            dtype = np.float32 if kind == "continuous" else np.int64
            parts = [np.asarray(values[leaf.path]) for leaf in of_kind]
            parts = [part.reshape(len(part), -1) for part in parts]
            # What is too large for float32 becomes infinite, and is found by whoever checks the episode.
            with np.errstate(over="ignore"):
                numbers = np.concatenate(parts, axis=1).astype(dtype)
            columns[f"{kind}_{role}"] = numbers[:, 0] if _is_one_number(leaves, kind, role) else numbers
    return columns


def values_of(leaves: Sequence[Leaf], row: Mapping[str, Any], role: Role) -> dict[Path, Any]:
    """The values of each leaf in an episode: arrays (T, ...) in the dtype of the space; T strings for a text.

    Raises:
        ValueError: a column is missing or has another number of values than the leaves.
    """
    values: dict[Path, Any] = {}
    for kind in dict.fromkeys(leaf.kind for leaf in leaves):
        of_kind, name = [leaf for leaf in leaves if leaf.kind == kind], f"{kind}_{role}"
        if row.get(name) is None:
            raise ValueError(f"an episode with {kind} {role} needs the column {name}, it has {sorted(row)}")
        if kind == "text":
            values[of_kind[0].path] = list(row[name])
            continue
        if kind == "image":
            images = stack_images(row[name], row.get("image_shape"))
            values[of_kind[0].path] = images.reshape(len(images), *of_kind[0].space.shape)
            continue
        numbers = np.asarray(row[name], np.float32 if kind == "continuous" else np.int64)
        numbers = numbers.reshape(len(numbers), -1)
        sizes = [leaf.size for leaf in of_kind]
        if numbers.shape[1] != sum(sizes):
            raise ValueError(f"{name} has {numbers.shape[1]} values a step, the space has {sum(sizes)}")
        for leaf, part in zip(of_kind, np.split(numbers, np.cumsum(sizes)[:-1], axis=1), strict=True):
            values[leaf.path] = part.reshape(len(part), *leaf.space.shape).astype(leaf.space.dtype)
    return values


def unnested(space: gymnasium.Space, value: Any, path: Path = ()) -> dict[Path, Any]:
    """The leaves of a value of a nested space by their paths; also of values in which each leaf is a stack of steps.

    Raises:
        ValueError: a key of the space is missing.
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
            raise ValueError(f"{'/'.join(map(str, (*path, key)))} of the space is not in the value") from None
        found |= unnested(item, inner, (*path, key))
    return found


def nested(space: gymnasium.Space, values: Mapping[Path, Any], path: Path = ()) -> Any:
    """A value of a nested space from its leaves by their paths, the inverse of `unnested`."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return {key: nested(item, values, (*path, key)) for key, item in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(nested(item, values, (*path, index)) for index, item in enumerate(space.spaces))
    return values[path]
