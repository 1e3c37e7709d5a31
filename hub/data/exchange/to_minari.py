# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Writes our episodes as datasets of Minari (https://minari.farama.org), the Farama Foundation's format."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from ...suites import Task, UnknownTaskError, find_task
from ...system.errors import GatoError
from ...system.files import new_folder
from ...system.packages import package_versions
from ..columns import Path, leaves_of, nested, values_of
from ..parquet import read_episodes
from .minari_format import (
    SPACES,
    Place,
    check_dataset_id,
    require_minari,
    space_from_json,
    stored_arrays,
    stored_tree,
)
from .replay import replay_episode

if TYPE_CHECKING:
    import datasets
    import gymnasium
    import minari

# Minari counts or sets this metadata itself when it writes a dataset or an episode.
_SET_BY_MINARI = ("total_episodes", "total_steps", "dataset_size", "data_format", "jpeg_encoding", *SPACES)
_SET_BY_MINARI_OF_EPISODE = ("id", "total_steps")

_Spaces = tuple["gymnasium.Space", "gymnasium.Space"]
_Episode = tuple[dict[str, Any], dict[str, Any]]  # Minari's episode, and its metadata


def to_minari(
    episodes: datasets.Dataset | Iterable[Mapping[str, Any]],
    dataset_id: str | None = None,
    *,
    data_format: str | None = None,
    **about: Any,
) -> minari.MinariDataset:
    """Writes episodes as a Minari dataset, to Minari's folder (`MINARI_DATASETS_PATH`).

    Episodes that came from Minari become what they were. Episodes of our tasks lack two things that Minari needs: the
    observation after the last action, and whether that action ended the episode or a limit cut it. So each is
    replayed in its environment, from its seed and with the actions that were executed, and must show the same
    observations again. The executed actions become Minari's actions.

    Args:
        episodes: of one dataset of Minari, or of one of our tasks.
        dataset_id: like "namespace/name-v0". The default is the id of the dataset that the episodes came from.
        data_format: "hdf5", "arrow" or "parquet". The default is that of the dataset, or "hdf5".
        about: metadata of the dataset: author, author_email, algorithm_name, code_permalink, description,
            requirements.

    Raises:
        GatoError: there are no episodes, or they are of several datasets or tasks; the id is malformed, or taken; or
            an episode can't be replayed, or shows other observations than recorded, in which case the message names
            its row.
        MissingPackageError: Minari is not installed, or a package that the task needs.
    """
    require_minari()
    rows = iter(episodes)
    first = next(rows, None)
    if first is None:
        raise GatoError("there are no episodes to write")
    numbered = enumerate(itertools.chain((first,), rows))
    if first.get("minari_dataset") is not None:
        metadata = json.loads(first["minari_dataset"])
        spaces = space_from_json(metadata[SPACES[0]]), space_from_json(metadata[SPACES[1]])
        stored = (_stored_episode(row, number, first["minari_dataset"], spaces) for number, row in numbered)
        return _write(stored, spaces, dataset_id or metadata["dataset_id"], data_format, metadata, about)

    task = _task_of(first)
    if dataset_id is None:
        raise GatoError("episodes that did not come from Minari need a dataset_id, like 'namespace/name-v0'")
    versions = package_versions(task.packages)
    metadata = {
        "algorithm_name": first.get("expert") or task.expert or "unknown",
        "description": f"Episodes of the task {task.id}",
        "requirements": [f"{name}=={versions[name]}" for name in task.packages],
    }
    with closing(task.make_environment()) as environment:
        spaces = environment.observation_space, environment.action_space
        replayed = (_replayed_episode(row, number, task, environment) for number, row in numbered)
        return _write(replayed, spaces, dataset_id, data_format, metadata, about)


def export_minari(
    folder: str | os.PathLike, dataset_id: str | None = None, *, data_format: str | None = None, **about: Any
) -> minari.MinariDataset:
    """Writes the episodes of a folder, as `read_episodes` reads them, as a Minari dataset; see `to_minari`."""
    return to_minari(read_episodes(folder), dataset_id, data_format=data_format, **about)


# ---------------------------------------------------------------------------------------------------------------------
# One episode
# ---------------------------------------------------------------------------------------------------------------------


def _stored_episode(row: Mapping[str, Any], number: int, dataset: str, spaces: _Spaces) -> _Episode:
    """Puts an episode that came from Minari together again."""
    if row.get("minari_dataset") != dataset:
        raise GatoError(f"row {number} is not of the Minari dataset that row 0 came from: write each on its own")
    stored = stored_arrays(row)
    episode = {
        "observations": _stored_observations(row, stored, spaces[0]),
        "actions": _stored_actions(row, stored, spaces[1]),
        "rewards": stored.get(("rewards",), np.asarray(row["rewards"], np.float64)),
        "terminations": stored["terminations",],
        "truncations": stored["truncations",],
        "infos": stored_tree("infos", stored),
    }
    return episode, stored_tree("metadata", stored)


def _stored_observations(row: Mapping[str, Any], stored: Mapping[Place, Any], space: gymnasium.Space) -> Any:
    values: dict[Path, Any] = {}
    for path, of_columns in values_of(leaves_of(space, "observations"), row, "observations").items():
        if ("observations", *path) in stored:
            values[path] = stored["observations", *path]
        elif isinstance(of_columns, list):
            values[path] = of_columns + stored["final_observation", *path]
        else:
            values[path] = np.concatenate([of_columns, stored["final_observation", *path]])
    return nested(space, values)


def _stored_actions(row: Mapping[str, Any], stored: Mapping[Place, Any], space: gymnasium.Space) -> Any:
    of_columns = values_of(leaves_of(space, "actions"), row, "actions")
    return nested(space, {path: stored.get(("actions", *path), values) for path, values in of_columns.items()})


def _task_of(row: Mapping[str, Any]) -> Task:
    try:
        task = find_task(str(row.get("task")))
    except UnknownTaskError as error:
        raise GatoError(
            "only episodes that came from Minari, or of a task that can be replayed, can be written for Minari: "
            f"{error}"
        ) from error
    if not isinstance(task, Task):
        raise GatoError(f"{task.id} has documents, not episodes")
    return task


def _replayed_episode(row: Mapping[str, Any], number: int, task: Task, environment: gymnasium.Env) -> _Episode:
    where = f"row {number}"
    if row.get("task") != task.id:
        raise GatoError(f"{where} is of the task {row.get('task')!r}, row 0 of {task.id!r}: write each on its own")
    about = {name: row.get(name) for name in ("seed", "task", "expert", "success", "noise")}
    episode = replay_episode(row, environment, where) | {"infos": {}}
    return episode, {name: value for name, value in about.items() if value is not None}


# ---------------------------------------------------------------------------------------------------------------------
# The dataset
# ---------------------------------------------------------------------------------------------------------------------


def _write(
    episodes: Iterable[_Episode],
    spaces: _Spaces,
    dataset_id: str,
    data_format: str | None,
    metadata: dict[str, Any],
    about: dict[str, Any],
) -> minari.MinariDataset:
    import minari
    from minari.data_collector import EpisodeBuffer
    from minari.dataset.minari_storage import MinariStorage

    data_format = data_format or metadata.get("data_format", "hdf5")
    jpeg_encoding = not _have_images(spaces) and metadata.get("jpeg_encoding", True)
    # Minari ignores hidden folders such as this one, so that it never sees a dataset that is not whole.
    with new_folder(_free_path(dataset_id)) as temporary:
        data = temporary / "data"
        try:
            storage = MinariStorage.new(data, *spaces, data_format=data_format, jpeg_encoding=jpeg_encoding)
        except ValueError as error:
            raise GatoError(f"the Minari dataset {dataset_id!r} can't be written: {error}") from error
        storage.update_metadata(_dataset_metadata(metadata, about, dataset_id))
        for number, (episode, of_episode) in enumerate(episodes):
            if data_format != "hdf5":
                episode["infos"] = _as_lists(episode["infos"])
            storage.update_episodes([EpisodeBuffer(**episode)])
            ours = {name: value for name, value in of_episode.items() if name not in _SET_BY_MINARI_OF_EPISODE}
            storage.update_episode_metadata([_episode_metadata(ours, data_format)], [number])
    return minari.load_dataset(dataset_id)


def _have_images(spaces: _Spaces) -> bool:
    from minari.dataset.minari_storage import is_image_space

    leaves = itertools.chain(leaves_of(spaces[0], "observations"), leaves_of(spaces[1], "actions"))
    return any(is_image_space(leaf.space) for leaf in leaves)


def _free_path(dataset_id: str) -> FilePath:
    """Returns the folder of a new dataset, and creates its namespace."""
    from minari.dataset.minari_dataset import parse_dataset_id
    from minari.namespace import create_namespace, list_local_namespaces
    from minari.storage.datasets_root_dir import get_dataset_path

    check_dataset_id(dataset_id)
    path = get_dataset_path(dataset_id)
    if path.exists():
        raise GatoError(f"there is a Minari dataset {dataset_id!r} already, in {path}")
    namespace = parse_dataset_id(dataset_id)[0]
    if namespace is not None and namespace not in list_local_namespaces():
        create_namespace(namespace)
    return path


def _dataset_metadata(metadata: dict[str, Any], about: dict[str, Any], dataset_id: str) -> dict[str, Any]:
    import minari

    kept = {name: value for name, value in metadata.items() if name not in _SET_BY_MINARI}
    kept = {"minari_version": minari.__version__} | kept | about | {"dataset_id": dataset_id}
    for name in ("author", "author_email"):
        if name in kept:
            kept[name] = {kept[name]} if isinstance(kept[name], str) else set(kept[name])
    return kept


def _episode_metadata(metadata: dict[str, Any], data_format: str) -> dict[str, Any]:
    """Writes metadata as the format stores them: HDF5 has no nested attributes, and JSON has no NumPy numbers."""
    if data_format != "hdf5":
        return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in metadata.items()}
    flat: dict[str, Any] = {}
    for name, value in metadata.items():
        if isinstance(value, dict):
            flat |= {f"{name}/{inner}": item for inner, item in _episode_metadata(value, data_format).items()}
        else:
            flat[name] = value
    return flat


def _as_lists(infos: Any) -> Any:
    """Turns infos of one number a step into lists: Minari can't read back what it writes of arrays to Arrow."""
    if isinstance(infos, dict):
        return {key: _as_lists(value) for key, value in infos.items()}
    return list(infos) if isinstance(infos, np.ndarray) and infos.ndim == 1 else infos
