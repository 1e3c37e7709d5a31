# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The README of a folder of demonstrations: its tasks, counts, scores, versions and licenses, and how to load it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import metadata
from pathlib import Path

from ..data.collect import Collection, content_hash
from ..data.parquet import SHARD_PATTERN, read_provenance
from ..suites import BaseTask, Task
from ..system.files import write_text

# The folder that the card's example loads; `gato push-dataset` puts the repository's name in its place.
FOLDER_IN_EXAMPLE = "path/to/this/folder"
CARD = """---
license: other
license_name: see-the-table-of-licenses
pretty_name: Episodes and documents for Gato
tags:
- reinforcement-learning
- imitation-learning
- gato
configs:
{configs}---

# Episodes and documents for Gato

Made by `{command}`{commit}. {num_tasks} tasks, {num_rows} rows, {num_steps} timesteps, {num_bytes} bytes.
Content SHA-256: `{content_hash}`.

One row is one episode of T steps: `continuous_observations` (T, n), `discrete_observations` (T, n),
`text_observations` (T), `image_observations` (T), `continuous_actions` (T, m) or `discrete_actions` (T), `rewards`
(T), and `task`, `seed`, `success`, `expert`, `noise`. A task has those of these columns that it needs, as in
`jat-project/jat-dataset`. An image is the bytes of a uint8 array of the row's `image_shape`. Where `noise` is above
0, or a model acted, the environment was given the `executed_..._actions`; the other actions are the expert's.
Rows of documents have `text` and `images`.

```python
from datasets import load_dataset

episodes = load_dataset("{folder}", "{example}", split="train")
```

| task | rows | dropped | timesteps | score | random | expert |
| --- | --- | --- | --- | --- | --- | --- |
{tasks}

| package | version | license |
| --- | --- | --- |
{packages}
"""


def write_dataset_card(
    folder: str | os.PathLike,
    tasks: Mapping[str, BaseTask],
    collections: Mapping[str, Collection],
    command: str,
    git_commit: str | None,
) -> None:
    """Writes `README.md` into a folder of demonstrations, with one configuration for each task.

    Args:
        folder: the folder, with the parquet files of a task in `SUITE/TASK`.
        tasks: the tasks, by id.
        collections: what was collected of each task, by id.
        command: the command that collected.
        git_commit: the commit of this package that collected, if it is known.
    """
    folder = Path(folder)
    configs = "".join(
        f"- config_name: {config_name(task_id)}\n  data_files: {task_id}/{SHARD_PATTERN}\n" for task_id in collections
    )
    versions: dict[str, str] = {}
    for task_id in collections:
        for path in sorted((folder / task_id).glob(SHARD_PATTERN)):
            versions.update(read_provenance(path)["versions"])
    card = CARD.format(
        configs=configs,
        command=command,
        commit=f" at commit {git_commit}" if git_commit else "",
        num_tasks=len(collections),
        num_rows=sum(collection.kept for collection in collections.values()),
        num_steps=sum(collection.steps for collection in collections.values()),
        num_bytes=sum(collection.num_bytes for collection in collections.values()),
        content_hash=content_hash(folder),
        folder=FOLDER_IN_EXAMPLE,
        example=config_name(next(iter(collections))),
        tasks="\n".join(_task_line(tasks[task_id], collection) for task_id, collection in collections.items()),
        packages="\n".join(f"| {name} | {version} | {_license(name)} |" for name, version in sorted(versions.items())),
    )
    write_text(folder / "README.md", card)


def config_name(task_id: str) -> str:
    """Returns the name of a task's configuration. It may hold no slash."""
    return task_id.replace("/", "--")


def _task_line(task: BaseTask, collection: Collection) -> str:
    dropped = sum(collection.dropped.values())
    scores = ["", ""]
    if isinstance(task, Task) and task.reference:
        scores = [f"{task.value(score):.4g}" if score else "" for score in (task.random_score, task.expert_score)]
    cells = [task.id, collection.kept, dropped, collection.steps, task.score, *scores]
    return f"| {' | '.join(map(str, cells))} |"


def _license(package: str) -> str:
    """Returns one line on the license of a package, from its metadata."""
    if package == "python":
        return "PSF-2.0"
    about = metadata(package)
    if "License-Expression" in about:
        return about["License-Expression"]
    classifiers = [line for line in about.get_all("Classifier", ()) if line.startswith("License ::")]
    if classifiers:
        return classifiers[0].rpartition(" :: ")[2]
    lines = (about["License"] or "not stated").strip().splitlines()
    return lines[0][:60].replace("|", "/")
