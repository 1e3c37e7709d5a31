# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Datasets of Minari (https://minari.farama.org), the Farama Foundation's format, as our episodes and back.

A Minari dataset comes back as it was, bit by bit. What the columns of an episode can't give back goes into two columns
that other readers may ignore:

- `minari_dataset`: the metadata of the dataset as JSON, its spaces and the specification of its environment among
  them; the same in all rows, which parquet stores once a file.
- `minari_arrays`: arrays by their place in Minari's episode, a JSON list such as `["infos", "success"]`: the
  observation after the last action, which an episode of ours doesn't have, terminations, truncations, infos, and what
  float32 columns round, with `["metadata"]` for seed, options and what else Minari says of the episode.

Images that Minari keeps as JPEG are taken decoded, and written without JPEG: encoding them again would change them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...system.packages import package_versions, require_packages
from ..checks import check_episode
from ..columns import Leaf, columns_of, episode_features, leaves_of, unnested, values_of
from ..parquet import write_shards
from .minari_format import MinariArrays, check_dataset_id, place_name, space_as_json

if TYPE_CHECKING:
    import datasets
    import minari


def from_minari(
    dataset: str | minari.MinariDataset, task: str | None = None, *, download: bool = False
) -> datasets.Dataset:
    """A Minari dataset as our episodes, in memory.

    Args:
        dataset: a MinariDataset, or the id of one that is in Minari's folder (`MINARI_DATASETS_PATH`).
        task: the task of the episodes; "minari/ID" by default, or the one that they were exported from.
        download: whether to download a dataset that is not there.

    Returns:
        Episodes with `success` where their infos have it, and `expert`, the algorithm that the dataset names.

    Raises:
        ValueError: its spaces can't be columns of an episode; or, naming the episode and the column, a number that is
            not finite.
        FileNotFoundError: there is no such dataset.
        ImportError: minari is not installed.
    """
    import pyarrow
    from datasets import Dataset

    dataset = _load(dataset, download)
    schema = _features(dataset).arrow_schema
    return Dataset(pyarrow.Table.from_pylist(list(_rows(dataset, task)), schema=schema))


def import_minari(
    dataset: str | minari.MinariDataset,
    folder: str | os.PathLike,
    task: str | None = None,
    *,
    download: bool = False,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Writes a Minari dataset as our parquet files, one episode after the other.

    Args:
        folder: gets `train-00000.parquet`, ...: `read_episodes(folder)` reads them. It must not exist, or be empty.
        dataset, task, download: see `from_minari`.
        progress: called with the number of episodes written, file by file.

    Returns:
        The number of episodes.

    Raises:
        ValueError, FileNotFoundError, ImportError: see `from_minari`; nothing is written then.
    """
    dataset = _load(dataset, download)
    provenance = {
        "task": task or f"minari/{dataset.id}",
        "source": f"Minari dataset {dataset.id}",
        "versions": package_versions(("numpy", "pyarrow", "minari")),
    }
    return write_shards(folder, _rows(dataset, task), _features(dataset).arrow_schema, provenance, progress)


def _load(dataset: str | minari.MinariDataset, download: bool) -> minari.MinariDataset:
    require_packages("A Minari dataset", ("minari",), "minari")
    import minari

    if isinstance(dataset, minari.MinariDataset):
        return dataset
    if not isinstance(dataset, str):
        raise TypeError(f"expected the id of a Minari dataset or a MinariDataset, got {type(dataset).__name__}")
    check_dataset_id(dataset)
    return minari.load_dataset(dataset, download=download)


def _features(dataset: minari.MinariDataset) -> datasets.Features:
    from datasets import List, Value

    array = {
        "place": Value("string"),
        "dtype": Value("string"),
        "shape": List(Value("int64")),
        "values": Value("binary"),
    }
    return episode_features(
        dataset.observation_space,
        dataset.action_space,
        {"minari_dataset": Value("string"), "minari_arrays": List(array)},
    )


def _rows(dataset: minari.MinariDataset, task: str | None) -> Iterator[dict[str, Any]]:
    storage = dataset.storage
    observation_leaves = leaves_of(dataset.observation_space, "observations")
    action_leaves = leaves_of(dataset.action_space, "actions")
    about = _dataset_metadata(dataset)
    about_as_json = json.dumps(about)
    for index in dataset.episode_indices.tolist():
        (episode,) = storage.get_episodes([index])
        (metadata,) = storage.get_episode_metadata([index])
        where = f"episode {index} of the Minari dataset {dataset.id}"
        rewards = np.asarray(episode["rewards"])
        if len(rewards) != metadata["total_steps"]:
            raise ValueError(f"{where} has {len(rewards)} steps, its metadata say {metadata['total_steps']}")
        observations = unnested(dataset.observation_space, episode["observations"])
        actions = unnested(dataset.action_space, episode["actions"])
        for path, values in observations.items():
            if len(values) != len(rewards) + 1:
                raise ValueError(
                    f"{where} has {len(values)} observations {place_name(path)} and {len(rewards)} steps: there "
                    "must be one more, the last"
                )
        columns = columns_of(
            observation_leaves, {path: values[:-1] for path, values in observations.items()}, "observations"
        )
        columns |= columns_of(action_leaves, actions, "actions")
        with np.errstate(over="ignore"):
            columns["rewards"] = rewards.astype(np.float32)
        check_episode(columns, where)
        kept = MinariArrays()
        _keep_observations(kept, observation_leaves, columns, observations)
        _keep_what_differs(kept, action_leaves, columns, actions, "actions")
        if not _same(columns["rewards"].astype(np.float64), rewards):
            kept.add(("rewards",), rewards)
        for name in ("terminations", "truncations"):
            kept.add((name,), episode[name])
        kept.add_tree("infos", _by_key(episode["infos"]))
        kept.add_tree("metadata", metadata)
        yield {
            **{name: list(column) if isinstance(column, np.ndarray) else column for name, column in columns.items()},
            **{f"executed_{name}": None for name in columns if name.endswith("_actions")},
            "task": task or metadata.get("task", f"minari/{dataset.id}"),
            "seed": _seed(metadata),
            "success": _success(metadata, episode["infos"]),
            "expert": metadata.get("expert", about.get("algorithm_name")),
            "noise": metadata.get("noise"),
            "minari_dataset": about_as_json,
            "minari_arrays": kept.entries,
        }


def _by_key(infos: Any) -> Any:
    """Nested infos, which Minari reads from arrow as an array of dicts, as the dicts of arrays that it takes."""
    if isinstance(infos, dict):
        return {key: _by_key(value) for key, value in infos.items()}
    steps = infos.tolist() if isinstance(infos, np.ndarray) and infos.dtype == object else infos
    if isinstance(steps, list) and all(isinstance(step, dict) for step in steps):
        return {key: _by_key([step[key] for step in steps]) for key in steps[0]}
    if isinstance(steps, list) and all(isinstance(step, np.ndarray) for step in steps):
        return np.stack(steps)
    return infos


def _seed(metadata: Mapping[str, Any]) -> int | None:
    """Minari draws seeds of 64 bits, of which a column of int64 holds half; all are kept in its own columns."""
    seed = metadata.get("seed")
    return int(seed) if seed is not None and int(seed) < 2**63 else None


def _success(metadata: Mapping[str, Any], infos: Any) -> bool | None:
    if "success" in metadata:
        return bool(metadata["success"])
    success = (infos or {}).get("success")
    return None if success is None or isinstance(success, dict) else bool(np.any(success))


def _keep_observations(
    kept: MinariArrays, leaves: list[Leaf], columns: Mapping[str, Any], observations: Mapping[tuple, Any]
) -> None:
    """Of observations that the columns give back only the last, of the others all."""
    given_back = values_of(leaves, columns, "observations")
    for path, values in observations.items():
        if _same(given_back[path], values[:-1]):
            kept.add(("final_observation", *path), values[-1:])
        else:
            kept.add(("observations", *path), values)


def _keep_what_differs(
    kept: MinariArrays, leaves: list[Leaf], columns: Mapping[str, Any], values: Mapping[tuple, Any], role: str
) -> None:
    given_back = values_of(leaves, columns, role)
    for path, of_leaf in values.items():
        if not _same(given_back[path], of_leaf):
            kept.add((role, *path), of_leaf)


def _same(left: Any, right: Any) -> bool:
    """Whether two arrays are the same to the bit, and of the same dtype; or two lists of strings."""
    if isinstance(left, list) or isinstance(right, list):
        return left == right
    right = np.asarray(right)
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def _dataset_metadata(dataset: minari.MinariDataset) -> dict[str, Any]:
    from minari.dataset.minari_storage import MinariStorage

    metadata = MinariStorage.read_raw_metadata(dataset.storage.data_path)
    spaces = {"observation_space": dataset.observation_space, "action_space": dataset.action_space}
    return metadata | {name: space_as_json(space) for name, space in spaces.items()}
