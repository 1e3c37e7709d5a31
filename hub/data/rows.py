# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The episode schema, and episodes as parquet files.

One row is one episode of T steps, in the schema of `jat-project/jat-dataset`:

    continuous_observations (T, n) float32               continuous_actions (T, m) float32
    discrete_observations   (T, n) int64                 discrete_actions   (T,) or (T, m) int64
    text_observations       (T,)   string                rewards            (T,) float32
    image_observations      (T,)   binary

with those columns that a task has, and some of our own: `task`, `seed`, `success` (null where the task has no such
notion), `expert`, `noise`, and `executed_continuous_actions` or `executed_discrete_actions`. Actions are the expert's;
with noise, or where a model acted, the environment was given others: the executed ones, null where it was not so. How
values of nested spaces share the columns is in `space_columns`.

An image is the bytes of its uint8 array, `image_shape` its (height, width, channels): compressed by zstd with the rest
of the column, small pictures take less room so than as PNG, and are read at the speed of a copy:
`np.frombuffer(image, np.uint8).reshape(image_shape)`. The encoded images of `jat-project/jat-dataset` are read too.
"""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acting.rollout import Rollout
from ..system.files import replacing
from .columns import Role, columns_of, episode_features, leaves_of, unnested
from .images import stack_images

if TYPE_CHECKING:
    import datasets
    import gymnasium
    import pyarrow

__all__ = [
    "document_features",
    "document_row",
    "episode_features",
    "episode_row",
    "read_episodes",
    "read_provenance",
    "rows_in_memory",
    "write_shard",
]

PROVENANCE_KEY = b"gato_provenance"
SHARD_PATTERN = "train-*.parquet"


def episode_row(
    rollout: Rollout,
    observation_space: gymnasium.Space,
    action_space: gymnasium.Space,
    *,
    task: str,
    expert: str | None,
    noise: float = 0.0,
) -> dict[str, Any]:
    """An episode as a row of the schema, with the columns of `episode_features`.

    Raises:
        ValueError: a number that is not finite, as float32: the message names the column and the step.
    """
    observations = _columns(rollout.observations, observation_space, "observations")
    actions = _columns(rollout.actions, action_space, "actions")
    others_executed = any(map(operator.is_not, rollout.actions, rollout.executed_actions))
    executed = (
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
            raise ValueError(f"{name} of step {step} are not finite as float32: {column[step]}")
    about = {"task": task, "seed": rollout.seed, "success": rollout.success, "expert": expert, "noise": noise}
    return {name: _as_list(column) for name, column in row.items()} | about


def _columns(values: Sequence[Any], space: gymnasium.Space, role: Role) -> dict[str, Any]:
    leaves = leaves_of(space, role)
    steps = [unnested(space, value) for value in values]
    return columns_of(leaves, {leaf.path: [step[leaf.path] for step in steps] for leaf in leaves}, role)


def _as_list(column: Any) -> Any:
    """Of matrices a list of rows, which is all that arrow takes."""
    return list(column) if isinstance(column, np.ndarray) and column.ndim > 1 else column


def document_features(row: dict[str, Any]) -> datasets.Features:
    """The columns of documents such as this one, a row of `document_row`."""
    from datasets import Features, List, Value

    def feature(name: str, value: Any):
        if name in ("images", "image_shape"):
            return List(Value("binary" if name == "images" else "int64"))
        return Value("int64" if isinstance(value, int) else "string")

    return Features({name: feature(name, value) for name, value in row.items()})


def document_row(row: dict[str, Any]) -> dict[str, Any]:
    """A document with its images, arrays (height, width, channels) uint8 of one shape, as bytes."""
    if not len(row.get("images", ())):
        return {name: value for name, value in row.items() if name != "images"}
    shapes = {np.shape(image) for image in row["images"]}
    if len(shapes) != 1:
        raise ValueError(f"the images of a document must have one shape, got {sorted(shapes)}")
    images = [np.ascontiguousarray(image, np.uint8).tobytes() for image in row["images"]]
    return row | {"images": images, "image_shape": list(*shapes)}


def write_shard(
    path: str | os.PathLike, rows: Sequence[dict[str, Any]], schema: pyarrow.Schema, provenance: dict[str, Any]
) -> None:
    """Writes episodes to one parquet file, whole or not at all.

    Args:
        schema: `episode_features(...).arrow_schema`; it carries the features, so that `datasets` restores them.
        provenance: how the episodes were made, kept in the file; `read_provenance` gives it back.
    """
    import pyarrow
    import pyarrow.parquet

    metadata = {**(schema.metadata or {}), PROVENANCE_KEY: json.dumps(provenance).encode()}
    table = pyarrow.Table.from_pylist(list(rows), schema=schema.with_metadata(metadata))
    with replacing(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd")


@contextmanager
def readable_parquet(path: str | os.PathLike) -> Iterator[None]:
    """Turns the errors of reading a parquet file in the block into a ValueError that names the file."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} can't be read, it is truncated or no parquet file: {error}") from error


def read_provenance(path: str | os.PathLike) -> dict[str, Any]:
    """How the episodes of one parquet file were made."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_schema(path).metadata or {}
    if PROVENANCE_KEY not in metadata:
        raise ValueError(f"{path} does not say how its episodes were made: it was not written by gato")
    return json.loads(metadata[PROVENANCE_KEY])


def read_episodes(folder: str | os.PathLike) -> datasets.Dataset:
    """All episodes of a folder of parquet files as one dataset, in memory.

    Raises:
        ValueError: there is no such file, one can't be read, or their columns differ.
    """
    import pyarrow
    import pyarrow.parquet
    from datasets import Dataset

    paths = sorted(Path(folder).glob(SHARD_PATTERN))
    if not paths:
        raise ValueError(f"there are no episodes in {folder}: no file matches {SHARD_PATTERN}")
    tables = []
    for path in paths:
        with readable_parquet(path):
            table = pyarrow.parquet.read_table(path)
        # What is particular to a shard must not keep the shards from being one table.
        metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != PROVENANCE_KEY}
        tables.append(table.replace_schema_metadata(metadata))
        if tables[-1].schema != tables[0].schema:
            raise ValueError(
                f"{path} has the columns {table.schema.names}, the files before it {tables[0].schema.names}: "
                "the files of a folder must be of one task"
            )
    return Dataset(pyarrow.concat_tables(tables))


def rows_in_memory(episodes: datasets.Dataset) -> list[dict[str, Any]]:
    """All rows in memory, the images of an episode as one array (T, height, width, channels) uint8.

    A training that sees small pictures many times saves the time of reading them each time.
    """
    rows = episodes.with_format("arrow")[:].to_pylist()
    for row in rows:
        if row.get("image_observations") is not None:
            row["image_observations"] = stack_images(row["image_observations"], row.get("image_shape"))
    return rows
