# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The episode schema, and episodes as parquet files.

One row is one episode of T steps, in the schema of `jat-project/jat-dataset`:

    continuous_observations (T, n) float32     continuous_actions (T, m) float32
    discrete_observations   (T, n) int64       discrete_actions   (T,) or (T, m) int64
    text_observations       (T,)   string      rewards            (T,) float32
    image_observations      (T,)   Image

with those columns that a task has, and four of our own: `task`, `seed`, `success` (null where the task has no such
notion) and `expert`. Keys of a dict observation go in lexicographic order; those of one kind are joined, row-major.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from .files import replacing
from .rollout import Rollout

if TYPE_CHECKING:
    import datasets
    import gymnasium
    import pyarrow

PROVENANCE_KEY = b"gato_provenance"
SHARD_PATTERN = "train-*.parquet"


def _kind(space: gymnasium.Space, name: str) -> str:
    """The first word of the column that values of a space go to."""
    from gymnasium import spaces

    if isinstance(space, spaces.Text):
        return "text"
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return "discrete"
    if isinstance(space, spaces.Box):
        if space.dtype == np.uint8 and len(space.shape) == 3:
            return "image"
        return "continuous" if np.issubdtype(space.dtype, np.floating) else "discrete"
    raise ValueError(
        f"{name} is a {type(space).__name__}: an episode has text, images, numbers and a flat dict of them"
    )


def _observation_keys(space: gymnasium.Space) -> dict[str, list[str | None]]:
    """For each kind of observation the keys that hold it, in order; the key is None where the space is no dict."""
    from gymnasium import spaces

    entries = sorted(space.spaces.items()) if isinstance(space, spaces.Dict) else [(None, space)]
    keys: dict[str, list[str | None]] = {}
    for key, entry in entries:
        keys.setdefault(_kind(entry, f"observation {key!r}"), []).append(key)
    for kind in ("text", "image"):
        if len(keys.get(kind, ())) > 1:
            raise ValueError(f"an episode has one {kind} a step, the observation space has {keys[kind]}")
    return keys


def _action_kind(space: gymnasium.Space) -> tuple[str, bool]:
    """The kind of an action, and whether it is one number: then its column is (T,), not (T, m)."""
    kind = _kind(space, "the action")
    if kind not in ("continuous", "discrete"):
        raise ValueError(f"an action must be of numbers, the action space is {space}")
    return kind, kind == "discrete" and space.shape == ()


def episode_features(observation_space: gymnasium.Space, action_space: gymnasium.Space) -> datasets.Features:
    """The columns of episodes of a task with these spaces.

    Raises:
        ValueError: a space that the schema cannot hold.
    """
    from datasets import Features, Image, List, Value

    of_kind = {
        "text": Value("string"),
        "image": Image(),
        "continuous": List(Value("float32")),
        "discrete": List(Value("int64")),
    }
    columns = {f"{kind}_observations": List(of_kind[kind]) for kind in _observation_keys(observation_space)}
    kind, one_number = _action_kind(action_space)
    columns[f"{kind}_actions"] = List(Value("int64") if one_number else of_kind[kind])
    return Features(
        columns
        | {
            "rewards": List(Value("float32")),
            "task": Value("string"),
            "seed": Value("int64"),
            "success": Value("bool"),
            "expert": Value("string"),
        }
    )


def _encode_png(pixels: np.ndarray) -> dict:
    # The lightest compression is as small for flat pictures of a few cells, and several times as fast.
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, format="PNG", compress_level=1)
    return {"bytes": buffer.getvalue(), "path": None}


def episode_row(
    rollout: Rollout,
    observation_space: gymnasium.Space,
    action_space: gymnasium.Space,
    *,
    task: str,
    expert: str,
) -> dict[str, Any]:
    """An episode as a row of the schema; images become PNG, which loses nothing."""
    row: dict[str, Any] = {}
    for kind, keys in _observation_keys(observation_space).items():
        steps = [[step if key is None else step[key] for key in keys] for step in rollout.observations]
        if kind == "text":
            values = [str(text) for (text,) in steps]
        elif kind == "image":
            values = [_encode_png(pixels) for (pixels,) in steps]
        else:
            values = [np.concatenate([np.ravel(value) for value in step]) for step in steps]
        row[f"{kind}_observations"] = values
    kind, one_number = _action_kind(action_space)
    row[f"{kind}_actions"] = [int(action) if one_number else np.ravel(action) for action in rollout.actions]
    row["rewards"] = rollout.rewards
    return row | {"task": task, "seed": rollout.seed, "success": rollout.success, "expert": expert}


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


def read_provenance(path: str | os.PathLike) -> dict[str, Any]:
    """How the episodes of one parquet file were made."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_schema(path).metadata or {}
    if PROVENANCE_KEY not in metadata:
        raise ValueError(f"{path} does not say how its episodes were made: it was not written by gato")
    return json.loads(metadata[PROVENANCE_KEY])


def read_episodes(folder: str | os.PathLike) -> datasets.Dataset:
    """All episodes of a folder of parquet files as one dataset, in memory; images are given as PIL images."""
    import pyarrow
    import pyarrow.parquet
    from datasets import Dataset

    paths = sorted(Path(folder).glob(SHARD_PATTERN))
    if not paths:
        raise ValueError(f"there are no episodes in {folder}: no file matches {SHARD_PATTERN}")
    tables = [pyarrow.parquet.read_table(path) for path in paths]
    # What is particular to a shard must not keep the shards from being one table.
    metadata = {key: value for key, value in tables[0].schema.metadata.items() if key != PROVENANCE_KEY}
    return Dataset(pyarrow.concat_tables([table.replace_schema_metadata(metadata) for table in tables]))


def decode_images(episodes: datasets.Dataset) -> list[dict[str, Any]]:
    """All rows in memory, their images decoded to one array (T, height, width, channels) uint8 an episode.

    A training that sees small pictures many times saves the time of decoding them each time.
    """
    if "image_observations" not in episodes.column_names:
        return episodes.to_list()
    rows = episodes.with_format("arrow")[:].to_pylist()
    for row in rows:
        pictures = [Image.open(io.BytesIO(picture["bytes"])) for picture in row["image_observations"]]
        row["image_observations"] = np.stack([np.asarray(picture) for picture in pictures])
    return rows
