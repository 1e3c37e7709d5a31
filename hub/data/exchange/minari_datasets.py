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

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...suites import Task, find_task
from ...system.files import new_folder
from ...system.packages import package_versions, require_packages
from ..checks import check_episode
from ..columns import Leaf, columns_of, episode_features, leaves_of, nested, unnested, values_of
from ..rows import read_episodes
from ..shards import write_shards
from .replay import replay_episode

if TYPE_CHECKING:
    import datasets
    import gymnasium
    import minari

# Metadata that Minari counts or sets itself when a dataset is written.
_COUNTED = ("total_episodes", "total_steps", "dataset_size", "data_format", "jpeg_encoding")
_SPACES = ("observation_space", "action_space")
_COUNTED_OF_EPISODE = ("id", "total_steps")


# ---------------------------------------------------------------------------------------------------------------------
# From Minari
# ---------------------------------------------------------------------------------------------------------------------


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
    _check_id(dataset)
    return minari.load_dataset(dataset, download=download)


def _check_id(dataset_id: str) -> None:
    from minari.dataset.minari_dataset import parse_dataset_id

    try:
        parse_dataset_id(dataset_id)
    except (TypeError, ValueError):  # without a version it fails to make a number of None
        raise ValueError(f"{dataset_id!r} is no id of a Minari dataset: it must be like 'namespace/name-v0'") from None


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
                    f"{where} has {len(values)} observations {_name(path)} and {len(rewards)} steps: there must be "
                    "one more, the last"
                )
        columns = columns_of(
            observation_leaves, {path: values[:-1] for path, values in observations.items()}, "observations"
        )
        columns |= columns_of(action_leaves, actions, "actions")
        with np.errstate(over="ignore"):
            columns["rewards"] = rewards.astype(np.float32)
        check_episode(columns, where)
        kept = _Arrays()
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


def _name(path: tuple) -> str:
    return "/".join(map(str, path))


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
    kept: _Arrays, leaves: list[Leaf], columns: Mapping[str, Any], observations: Mapping[tuple, Any]
) -> None:
    """Of observations that the columns give back only the last, of the others all."""
    given_back = values_of(leaves, columns, "observations")
    for path, values in observations.items():
        if _same(given_back[path], values[:-1]):
            kept.add(("final_observation", *path), values[-1:])
        else:
            kept.add(("observations", *path), values)


def _keep_what_differs(
    kept: _Arrays, leaves: list[Leaf], columns: Mapping[str, Any], values: Mapping[tuple, Any], role: str
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


class _Arrays:
    """The entries of `minari_arrays`."""

    def __init__(self):
        self.entries: list[dict[str, Any]] = []

    def add(self, place: tuple, values: Any) -> None:
        array = values if isinstance(values, np.ndarray | np.generic) else np.asarray(values)
        if array.dtype.kind in "OSUV" or isinstance(values, list):
            dtype, stored = "json", _to_json(values, place)
        else:
            dtype, stored = array.dtype.str, np.ascontiguousarray(array).tobytes()
        self.entries.append({"place": json.dumps(place), "dtype": dtype, "shape": list(array.shape), "values": stored})

    def add_tree(self, place: str, tree: Any) -> None:
        """Nested dicts: their numpy arrays one by one, the rest as one JSON."""
        rest = self._without_arrays((place,), tree)
        self.add_json((place,), rest)

    def add_json(self, place: tuple, value: Any) -> None:
        self.entries.append(
            {"place": json.dumps(place), "dtype": "json", "shape": [], "values": _to_json(value, place)}
        )

    def _without_arrays(self, place: tuple, value: Any) -> Any:
        if isinstance(value, dict):
            inner = {key: self._without_arrays((*place, key), item) for key, item in value.items()}
            return {key: item for key, item in inner.items() if item is not _ELSEWHERE}
        if isinstance(value, np.ndarray):
            self.add(place, value)
            return _ELSEWHERE
        if isinstance(value, np.generic) and not isinstance(value, np.float64 | np.int64 | np.bool_):
            self.add(place, value)
            return _ELSEWHERE
        return value


_ELSEWHERE = object()


def _to_json(value: Any, place: tuple) -> bytes:
    def plain(item: Any) -> Any:
        if isinstance(item, np.ndarray | np.generic):
            return item.tolist()
        if isinstance(item, bytes):
            return item.decode()
        raise ValueError(f"{_name(place)} of a Minari episode holds a {type(item).__name__}, which can't be kept")

    return json.dumps(value, default=plain).encode()


def _from_entry(entry: Mapping[str, Any]) -> Any:
    if entry["dtype"] == "json":
        return json.loads(entry["values"])
    return np.frombuffer(entry["values"], np.dtype(entry["dtype"])).reshape(entry["shape"]).copy()[()]


def _dataset_metadata(dataset: minari.MinariDataset) -> dict[str, Any]:
    from minari.dataset.minari_storage import MinariStorage

    metadata = MinariStorage.read_raw_metadata(dataset.storage.data_path)
    spaces = {"observation_space": dataset.observation_space, "action_space": dataset.action_space}
    return metadata | {name: _compact(_space_as_json(space)) for name, space in spaces.items()}


def _space_as_json(space: gymnasium.Space) -> dict[str, Any]:
    from minari.serialization import serialize_space

    return json.loads(serialize_space(space))


def _compact(space: Any) -> Any:
    """Minari's JSON of a space, the bounds of a Box as one number where all are equal: an image has thousands."""
    if isinstance(space, list):
        return [_compact(item) for item in space]
    if not isinstance(space, dict):
        return space
    compact = {key: _compact(value) for key, value in space.items()}
    if space.get("type") == "Box":
        for bound in ("low", "high"):
            values = np.ravel(space[bound])
            if values.size and (values == values[0]).all():
                compact[bound] = values[0].item()
    return compact


def _expand(space: Any) -> Any:
    """The inverse of `_compact`."""
    if isinstance(space, list):
        return [_expand(item) for item in space]
    if not isinstance(space, dict):
        return space
    expanded = {key: _expand(value) for key, value in space.items()}
    if space.get("type") == "Box":
        for bound in ("low", "high"):
            if not isinstance(space[bound], list):
                expanded[bound] = np.full(space["shape"], space[bound], space["dtype"]).tolist()
    return expanded


# ---------------------------------------------------------------------------------------------------------------------
# To Minari
# ---------------------------------------------------------------------------------------------------------------------


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
    from minari.serialization import deserialize_space

    return tuple(deserialize_space(_expand(metadata[name])) for name in _SPACES)


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
    kept = {tuple(json.loads(entry["place"])): _from_entry(entry) for entry in row["minari_arrays"]}
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

    _check_id(dataset_id)
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
