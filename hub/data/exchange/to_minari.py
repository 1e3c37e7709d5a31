# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Our episodes as datasets of Minari; see `from_minari`."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...suites import Task, find_task
from ...system.files import new_folder
from ...system.packages import package_versions, require_packages
from ..columns import leaves_of, nested, values_of
from ..parquet import read_episodes
from .minari_format import array_of_entry, check_dataset_id, space_from_json
from .replay import replay_episode

if TYPE_CHECKING:
    import datasets
    import gymnasium
    import minari


# Metadata that Minari counts or sets itself when a dataset is written.
_COUNTED = ("total_episodes", "total_steps", "dataset_size", "data_format", "jpeg_encoding")
_SPACES = ("observation_space", "action_space")
_COUNTED_OF_EPISODE = ("id", "total_steps")


def to_minari(
    episodes: datasets.Dataset | Iterable[Mapping[str, Any]],
    dataset_id: str | None = None,
    *,
    data_format: str | None = None,
    **about: Any,
) -> minari.MinariDataset:
    """Writes episodes as a Minari dataset, to Minari's folder (`MINARI_DATASETS_PATH`).

    Episodes that came from Minari become what they were. Of others, those of a task of ours, Minari wants more than
    they hold: the observation after the last action, and whether that ended the episode or cut it off. So each is
    replayed in its environment, from its seed, with the actions that were executed, and must show the same
    observations again. Minari's actions are the executed ones.

    Args:
        episodes: of one dataset of Minari, or of one task of ours.
        dataset_id: like "namespace/name-v0"; by default that of the dataset the episodes came from.
        data_format: "hdf5", "arrow" or "parquet"; by default that of the dataset, "hdf5" for others.
        about: metadata of the dataset: author, author_email, algorithm_name, code_permalink, description, and
            requirements.

    Raises:
        ValueError: no episodes, or episodes of several datasets or tasks; an id that is taken or malformed; or, naming
            the row, an episode that can't be replayed, or shows other observations than it did.
        ImportError: minari is not installed, or what the task needs.
    """
    require_packages("A Minari dataset", ("minari",), "minari")
    rows = iter(episodes)
    first = next(rows, None)
    if first is None:
        raise ValueError("there are no episodes to write")
    numbered = enumerate(itertools.chain((first,), rows))
    if first.get("minari_dataset") is not None:
        metadata = json.loads(first["minari_dataset"])
        spaces = _spaces_of(metadata)
        written = (_kept_episode(row, number, first["minari_dataset"], *spaces) for number, row in numbered)
        return _write(metadata, spaces, written, dataset_id or metadata["dataset_id"], data_format, about)

    task = _task_of(first)
    if dataset_id is None:
        raise ValueError("episodes that did not come from Minari need a dataset_id, like 'namespace/name-v0'")
    versions = package_versions(task.packages)
    metadata = {
        "algorithm_name": first.get("expert") or task.expert or "unknown",
        "description": f"Episodes of the task {task.id}",
        "requirements": [f"{name}=={versions[name]}" for name in task.packages],
    }
    environment = task.make_environment()
    try:
        spaces = environment.observation_space, environment.action_space
        written = (_replayed_episode(row, number, task, environment) for number, row in numbered)
        return _write(metadata, spaces, written, dataset_id, data_format, about)
    finally:
        environment.close()


def export_minari(
    folder: str | os.PathLike, dataset_id: str | None = None, *, data_format: str | None = None, **about: Any
) -> minari.MinariDataset:
    """Writes the episodes of a folder, as `read_episodes` reads them, as a Minari dataset; see `to_minari`."""
    return to_minari(read_episodes(folder), dataset_id, data_format=data_format, **about)


def _spaces_of(metadata: Mapping[str, Any]) -> tuple[gymnasium.Space, gymnasium.Space]:
    return tuple(space_from_json(metadata[name]) for name in _SPACES)


def _task_of(row: Mapping[str, Any]) -> Task:
    try:
        task = find_task(row.get("task"))
    except ValueError as error:
        raise ValueError(
            "only episodes that came from Minari, or of a task that can be replayed, can be written for Minari: "
            f"{error}"
        ) from error
    if not isinstance(task, Task):
        raise ValueError(f"{task.id} has documents, not episodes")
    return task


def _kept_episode(
    row: Mapping[str, Any],
    number: int,
    dataset: str,
    observation_space: gymnasium.Space,
    action_space: gymnasium.Space,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An episode that came from Minari and what Minari says of it."""
    if row.get("minari_dataset") != dataset:
        raise ValueError(f"row {number} is not of the Minari dataset that row 0 came from: write each on its own")
    kept = {tuple(json.loads(entry["place"])): array_of_entry(entry) for entry in row["minari_arrays"]}
    episode: dict[str, Any] = {}
    for role, space in (("observations", observation_space), ("actions", action_space)):
        values = {}
        leaves = leaves_of(space, role)
        given_back = values_of(leaves, row, role)
        for path in (leaf.path for leaf in leaves):
            if (role, *path) in kept:
                values[path] = kept[role, *path]
            elif role == "actions":
                values[path] = given_back[path]
            elif isinstance(given_back[path], list):
                values[path] = given_back[path] + kept["final_observation", *path]
            else:
                values[path] = np.concatenate([given_back[path], kept["final_observation", *path]])
        episode[role] = nested(space, values)
    episode["rewards"] = kept.get(("rewards",), np.asarray(row["rewards"], np.float64))
    for name in ("terminations", "truncations"):
        episode[name] = kept[name,]
    for tree in ("infos", "metadata"):
        episode[tree] = kept[tree,]
        for place, values in kept.items():
            if place[0] == tree and len(place) > 1:
                _put(episode[tree], place[1:], values)
    return episode, episode.pop("metadata")


def _put(tree: dict[str, Any], place: tuple, value: Any) -> None:
    for key in place[:-1]:
        tree = tree[key]
    tree[place[-1]] = value


def _replayed_episode(
    row: Mapping[str, Any], number: int, task: Task, environment: gymnasium.Env
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An episode of a task of ours as Minari has it, and what is known of it."""
    where = f"row {number}"
    if row.get("task") != task.id:
        raise ValueError(f"{where} is of the task {row.get('task')!r}, row 0 of {task.id!r}: write each on its own")
    about = {name: row.get(name) for name in ("seed", "task", "expert", "success", "noise")}
    episode = replay_episode(row, environment, where) | {"infos": {}}
    return episode, {name: value for name, value in about.items() if value is not None}


def _write(
    metadata: dict[str, Any],
    spaces: tuple[gymnasium.Space, gymnasium.Space],
    episodes: Iterator[tuple[dict[str, Any], dict[str, Any]]],
    dataset_id: str,
    data_format: str | None,
    about: dict[str, Any],
) -> minari.MinariDataset:
    import minari
    from minari.data_collector import EpisodeBuffer
    from minari.dataset.minari_dataset import parse_dataset_id
    from minari.dataset.minari_storage import MinariStorage, is_image_space
    from minari.namespace import create_namespace, list_local_namespaces
    from minari.storage.datasets_root_dir import get_dataset_path

    check_dataset_id(dataset_id)
    path = get_dataset_path(dataset_id)
    if path.exists():
        raise ValueError(f"there is a Minari dataset {dataset_id!r} already, in {path}")
    namespace = parse_dataset_id(dataset_id)[0]
    if namespace is not None and namespace not in list_local_namespaces():
        create_namespace(namespace)

    has_images = any(
        is_image_space(leaf.space)
        for space, role in zip(spaces, ("observations", "actions"), strict=True)
        for leaf in leaves_of(space, role)
    )
    data_format = data_format or metadata.get("data_format", "hdf5")
    # Minari passes over hidden folders: a dataset that could not be written whole is never seen.
    with new_folder(path) as temporary:
        storage = MinariStorage.new(
            temporary / "data",
            *spaces,
            data_format=data_format,
            jpeg_encoding=not has_images and metadata.get("jpeg_encoding", True),
        )
        kept = {name: value for name, value in metadata.items() if name not in (*_COUNTED, *_SPACES)}
        kept = {"minari_version": minari.__version__} | kept | about | {"dataset_id": dataset_id}
        for name in ("author", "author_email"):
            if name in kept:
                kept[name] = {kept[name]} if isinstance(kept[name], str) else set(kept[name])
        storage.update_metadata(kept)
        for number, (episode, of_episode) in enumerate(episodes):
            if data_format != "hdf5":
                episode["infos"] = _listed(episode["infos"])
            storage.update_episodes([EpisodeBuffer(**episode)])
            rest = {name: value for name, value in of_episode.items() if name not in _COUNTED_OF_EPISODE}
            storage.update_episode_metadata([_attributes(rest, data_format)], [number])
    return minari.load_dataset(dataset_id)


def _listed(infos: Any) -> Any:
    """Infos of one number a step as lists: Minari writes arrays of them to arrow in a way that it can't read."""
    if isinstance(infos, dict):
        return {key: _listed(value) for key, value in infos.items()}
    return list(infos) if isinstance(infos, np.ndarray) and infos.ndim == 1 else infos


def _attributes(metadata: dict[str, Any], data_format: str) -> dict[str, Any]:
    """Metadata of an episode as its format stores them: HDF5 has no nested attributes, JSON no numbers of numpy."""
    if data_format != "hdf5":
        return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in metadata.items()}
    flat: dict[str, Any] = {}
    for name, value in metadata.items():
        if isinstance(value, dict):
            flat |= {f"{name}/{inner}": item for inner, item in _attributes(value, data_format).items()}
        else:
            flat[name] = value
    return flat
