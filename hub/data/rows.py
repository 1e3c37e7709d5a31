# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The schema of episodes and documents, one a row.

A row is one episode of T steps, in the schema of `jat-project/jat-dataset`. A task has those of its columns that it
needs:

    continuous_observations (T, n) float32               continuous_actions (T, m) float32
    discrete_observations   (T, n) int64                 discrete_actions   (T,) or (T, m) int64
    text_observations       (T,)   string                rewards            (T,) float32
    image_observations      (T,)   binary

Some columns are ours: `task`, `seed`, `success` (null if the task does not define it), `expert`, `noise`, and
`executed_continuous_actions` or `executed_discrete_actions`. The actions are the expert's. If noise was added or a
model acted, the environment executed other actions, which the executed columns hold; otherwise those are null.
`columns.py` says how the values of a nested space share the columns.

An image is stored as the bytes of its uint8 array, with `image_shape`, its (height, width, channels). Zstd compresses
small pictures better in this form than as PNG files, and reading is a copy:
`np.frombuffer(image, np.uint8).reshape(image_shape)`. The encoded images of `jat-project/jat-dataset` can be read too.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acting.rollout import Rollout
from ..system.errors import GatoError
from .columns import Role, columns_of, leaves_of, unnested

if TYPE_CHECKING:
    import datasets
    import gymnasium


def episode_row(
    rollout: Rollout,
    observation_space: gymnasium.Space,
    action_space: gymnasium.Space,
    *,
    task: str,
    expert: str | None,
    noise: float = 0.0,
) -> dict[str, Any]:
    """Converts a rollout to a row with the columns of `episode_features`.

    Raises:
        GatoError: a number is not finite as float32; the message names the column and the step.
    """
    observations = _columns(rollout.observations, observation_space, "observations")
    actions = _columns(rollout.actions, action_space, "actions")
    others_executed = any(map(operator.is_not, rollout.actions, rollout.executed_actions))
    executed: dict[str, Any] = (
        _columns(rollout.executed_actions, action_space, "actions") if others_executed else dict.fromkeys(actions)
    )
    row = {
        **observations,
        **actions,
        **{f"executed_{name}": column for name, column in executed.items()},
        "rewards": np.asarray(rollout.rewards, np.float32),
    }
    for name, column in row.items():
        if isinstance(column, np.ndarray) and not np.isfinite(column).all():
            step = int(np.argwhere(~np.isfinite(column))[0][0])
            raise GatoError(f"{name} of step {step} are not finite as float32: {column[step]}")
    about = {"task": task, "seed": rollout.seed, "success": rollout.success, "expert": expert, "noise": noise}
    return {name: _as_list(column) for name, column in row.items()} | about


def _columns(values: Sequence[Any], space: gymnasium.Space, role: Role) -> dict[str, Any]:
    leaves = leaves_of(space, role)
    steps = [unnested(space, value) for value in values]
    return columns_of(leaves, {leaf.path: [step[leaf.path] for step in steps] for leaf in leaves}, role)


def _as_list(column: Any) -> Any:
    """Turns a matrix into a list of its rows: Arrow takes no matrices."""
    return list(column) if isinstance(column, np.ndarray) and column.ndim > 1 else column


def document_row(row: dict[str, Any]) -> dict[str, Any]:
    """Stores the images of a document as bytes.

    Args:
        row: a document; its "images", if any, are arrays (height, width, channels) uint8 of one shape.

    Raises:
        GatoError: the images differ in shape.
    """
    if not len(row.get("images", ())):
        return {name: value for name, value in row.items() if name != "images"}
    shapes = {np.shape(image) for image in row["images"]}
    if len(shapes) != 1:
        raise GatoError(f"the images of a document must have one shape, got {sorted(shapes)}")
    images = [np.ascontiguousarray(image, np.uint8).tobytes() for image in row["images"]]
    return row | {"images": images, "image_shape": list(*shapes)}


def document_features(row: dict[str, Any]) -> datasets.Features:
    """Gives the column types of documents like `row`, a result of `document_row`."""
    from datasets import Features, List, Value

    def feature(name: str, value: Any) -> Any:
        if name in ("images", "image_shape"):
            return List(Value("binary" if name == "images" else "int64"))
        return Value("int64" if isinstance(value, int) else "string")

    return Features({name: feature(name, value) for name, value in row.items()})
