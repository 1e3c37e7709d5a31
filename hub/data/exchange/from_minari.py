# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Reads datasets of Minari (https://minari.farama.org), the Farama Foundation's format, as our episodes.

Nothing of a dataset is lost: `minari_format` says where the rest of it is kept, and `to_minari` writes it back. Only
images that Minari stores as JPEG are written back without JPEG: they are read decoded, and encoding them again would
change them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...system.errors import GatoError
from ...system.packages import package_versions
from ..checks import check_episode
from ..columns import Leaf, Path, Role, columns_of, episode_features, leaves_of, unnested, values_of
from ..files import readable_stream, reading_errors
from ..parquet import write_shards
from .minari_format import (
    SPACES,
    MinariArrays,
    check_dataset_id,
    minari_features,
    place_name,
    require_minari,
    space_to_json,
)

if TYPE_CHECKING:
    import datasets
    import minari
    import pyarrow


def from_minari(
    dataset: str | minari.MinariDataset, task: str | None = None, *, download: bool = False
) -> datasets.Dataset:
    """Reads a Minari dataset into memory, as our episodes.

    Args:
        dataset: a MinariDataset, or the id of one in Minari's folder (`MINARI_DATASETS_PATH`).
        task: the task of the episodes. By default the one that they were exported from, or "minari/ID".
        download: download the dataset if it is not in Minari's folder.

    Returns:
        Episodes with `success` if their infos have it, and with the dataset's algorithm as `expert`.

    Raises:
        GatoError: there is no such dataset, its spaces can't be columns of an episode, or an episode is bad, in which
            case the message names the episode and the column.
        MissingPackageError: Minari is not installed.
    """
    import pyarrow
    from datasets import Dataset

    dataset = _load(dataset, download)
    return Dataset(pyarrow.Table.from_pylist(list(_rows(dataset, task)), schema=_schema(dataset)))


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
        folder: gets `train-00000.parquet`, ...; `read_episodes(folder)` reads them. It must not exist, or be empty.
        dataset, task, download: see `from_minari`.
        progress: called after each file with the number of its episodes.

    Returns:
        The number of episodes.

    Raises:
        GatoError, MissingPackageError: see `from_minari`; nothing is written then.
    """
    dataset = _load(dataset, download)
    provenance = {
        "task": task or f"minari/{dataset.id}",
        "source": f"Minari dataset {dataset.id}",
        "versions": package_versions(("numpy", "pyarrow", "minari")),
    }
    return write_shards(folder, _rows(dataset, task), _schema(dataset), provenance, progress)


def _load(dataset: str | minari.MinariDataset, download: bool) -> minari.MinariDataset:
    require_minari()
    import minari
    from minari.storage.datasets_root_dir import get_dataset_path

    if isinstance(dataset, minari.MinariDataset):
        return dataset
    if not isinstance(dataset, str):
        raise TypeError(f"expected the id of a Minari dataset or a MinariDataset, got {type(dataset).__name__}")
    check_dataset_id(dataset)
    try:
        return minari.load_dataset(dataset, download=download)
    except FileNotFoundError:
        folder = get_dataset_path()
        raise GatoError(f"there is no Minari dataset {dataset!r} in {folder}, and no download was asked for") from None
    except reading_errors(ValueError) as error:  # a ValueError tells which versions can be downloaded
        raise GatoError(f"the Minari dataset {dataset!r} can't be loaded: {error}") from error


def _schema(dataset: minari.MinariDataset) -> pyarrow.Schema:
    return episode_features(dataset.observation_space, dataset.action_space, minari_features()).arrow_schema


def _rows(dataset: minari.MinariDataset, task: str | None) -> Iterator[dict[str, Any]]:
    about = _dataset_metadata(dataset)
    about_as_json = json.dumps(about)
    for index in dataset.episode_indices.tolist():
        where = f"episode {index} of the Minari dataset {dataset.id}"
        with readable_stream(where):
            (episode,) = dataset.storage.get_episodes([index])
            (metadata,) = dataset.storage.get_episode_metadata([index])
        if len(episode["rewards"]) != metadata["total_steps"]:
            raise GatoError(f"{where} has {len(episode['rewards'])} steps, its metadata say {metadata['total_steps']}")
        columns, rest = _columns_and_rest(episode, dataset, where)
        rest.add_tree("metadata", metadata)
        yield {
            **{name: list(column) if isinstance(column, np.ndarray) else column for name, column in columns.items()},
            **{f"executed_{name}": None for name in columns if name.endswith("_actions")},
            "task": task or metadata.get("task", f"minari/{dataset.id}"),
            "seed": _seed(metadata),
            "success": _success(metadata, episode["infos"]),
            "expert": metadata.get("expert", about.get("algorithm_name")),
            "noise": metadata.get("noise"),
            "minari_dataset": about_as_json,
            "minari_arrays": rest.entries,
        }


def _dataset_metadata(dataset: minari.MinariDataset) -> dict[str, Any]:
    from minari.dataset.minari_storage import MinariStorage

    metadata = MinariStorage.read_raw_metadata(dataset.storage.data_path)
    return metadata | {name: space_to_json(getattr(dataset, name)) for name in SPACES}


def _seed(metadata: Mapping[str, Any]) -> int | None:
    """Returns the seed if the int64 column can hold it. Minari draws 64 bits; the metadata keep every seed."""
    seed = metadata.get("seed")
    return int(seed) if seed is not None and int(seed) < 2**63 else None


def _success(metadata: Mapping[str, Any], infos: Any) -> bool | None:
    if "success" in metadata:
        return bool(metadata["success"])
    success = (infos or {}).get("success")
    return None if success is None or isinstance(success, dict) else bool(np.any(success))


# ---------------------------------------------------------------------------------------------------------------------
# One episode
# ---------------------------------------------------------------------------------------------------------------------


def _columns_and_rest(
    episode: Mapping[str, Any], dataset: minari.MinariDataset, where: str
) -> tuple[dict[str, Any], MinariArrays]:
    """Returns the columns of an episode, and what they can't hold."""
    observation_leaves = leaves_of(dataset.observation_space, "observations")
    action_leaves = leaves_of(dataset.action_space, "actions")
    rewards = np.asarray(episode["rewards"])
    observations = unnested(dataset.observation_space, episode["observations"])
    actions = unnested(dataset.action_space, episode["actions"])
    for path, values in observations.items():
        if len(values) != len(rewards) + 1:
            raise GatoError(
                f"{where} has {len(values)} observations {place_name(path)} and {len(rewards)} steps: there must be "
                "one more, the last"
            )
    before_actions = {path: values[:-1] for path, values in observations.items()}
    columns = columns_of(observation_leaves, before_actions, "observations")
    columns |= columns_of(action_leaves, actions, "actions")
    with np.errstate(over="ignore"):  # a reward too large for float32 becomes infinite, which the check finds
        columns["rewards"] = rewards.astype(np.float32)
    check_episode(columns, where)

    rest = MinariArrays()
    _add_observations(rest, observation_leaves, columns, observations)
    for path in _differing(action_leaves, columns, actions, "actions"):
        rest.add(("actions", *path), actions[path])
    if not _same(columns["rewards"].astype(np.float64), rewards):
        rest.add(("rewards",), rewards)
    for name in ("terminations", "truncations"):
        rest.add((name,), episode[name])
    rest.add_tree("infos", _by_key(episode["infos"]))
    return columns, rest


def _add_observations(
    rest: MinariArrays, leaves: list[Leaf], columns: Mapping[str, Any], observations: Mapping[Path, Any]
) -> None:
    """Adds the last observation of each leaf that the columns give back, and all observations of the other leaves."""
    before_actions = {path: values[:-1] for path, values in observations.items()}
    differing = _differing(leaves, columns, before_actions, "observations")
    for path, values in observations.items():
        if path in differing:
            rest.add(("observations", *path), values)
        else:
            rest.add(("final_observation", *path), values[-1:])


def _differing(leaves: list[Leaf], columns: Mapping[str, Any], values: Mapping[Path, Any], role: Role) -> set[Path]:
    """Returns the paths of the leaves whose values the columns don't give back bit for bit."""
    read_back = values_of(leaves, columns, role)
    return {path for path in values if not _same(read_back[path], values[path])}


def _same(left: Any, right: Any) -> bool:
    """Returns whether two arrays are equal to the bit and in their dtype, or two lists of strings are equal."""
    if isinstance(left, list) or isinstance(right, list):
        return left == right
    right = np.asarray(right)
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def _by_key(infos: Any) -> Any:
    """Turns the nested infos that Minari reads from Arrow, an array of dicts, into the dict of arrays it writes."""
    if isinstance(infos, dict):
        return {key: _by_key(value) for key, value in infos.items()}
    steps = infos.tolist() if isinstance(infos, np.ndarray) and infos.dtype == object else infos
    if isinstance(steps, list) and all(isinstance(step, dict) for step in steps):
        return {key: _by_key([step[key] for step in steps]) for key in steps[0]}
    if isinstance(steps, list) and all(isinstance(step, np.ndarray) for step in steps):
        return np.stack(steps)
    return infos
