# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A folder of demonstrations with its card: what `gato collect` makes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ..data.collect import collect, content_hash, seeds_of
from ..suites import find_task, matching_task_ids
from ..system.progress import WorkProgress
from ..system.provenance import command_line, git_commit
from .dataset_card import write_dataset_card


@dataclass(frozen=True)
class Dataset:
    """What a folder of demonstrations came to.

    Attributes:
        tasks: number of tasks.
        rows: number of episodes and documents.
        steps: number of timesteps; documents have none.
        num_bytes: size of the parquet files.
        dropped: task, reason and number of the episodes that are not kept.
        seconds: time that it took.
        content_hash: SHA-256 of the content, see `data.collect.content_hash`.
    """

    tasks: int
    rows: int
    steps: int
    num_bytes: int
    dropped: tuple[tuple[str, str, int], ...]
    seconds: float
    content_hash: str


def make_dataset(
    names: Iterable[str],
    folder: Path,
    episodes: int,
    *,
    console: Console | None = None,
    first_seed: int | None = None,
    **settings: Any,
) -> Dataset:
    """Collects demonstrations of tasks and writes the folder's card. A collection that was stopped goes on.

    Args:
        names: tasks, suites or patterns.
        folder: the parquet files of a task go to `folder/SUITE/TASK`.
        episodes: number of episodes to try, or of documents, of each task.
        console: shows the progress; none by default.
        first_seed: the first of the consecutive seeds.
        settings: other arguments of `data.collect.collect`.

    Raises:
        GatoError: a task is unknown, its package is missing, or a setting is out of range.
    """
    started = time.monotonic()
    tasks = {task_id: find_task(task_id) for task_id in matching_task_ids(names)}
    wanted = {task_id: len(seeds_of(task, episodes, first_seed)) for task_id, task in tasks.items()}
    tried = dict.fromkeys(tasks, 0)
    with WorkProgress(console or Console(quiet=True), "collecting", sum(wanted.values())) as progress:

        def advance(task_id: str, count: int) -> None:
            tried[task_id] += count
            finished = sum(tried[name] >= number for name, number in wanted.items())
            progress.advance(count, f"{finished} of {len(tasks)} tasks, {task_id}")

        collections = collect(tasks, folder, episodes, first_seed=first_seed, progress=advance, **settings)
    write_dataset_card(folder, tasks, collections, command_line(), git_commit())
    return Dataset(
        tasks=len(collections),
        rows=sum(collection.kept for collection in collections.values()),
        steps=sum(collection.steps for collection in collections.values()),
        num_bytes=sum(collection.num_bytes for collection in collections.values()),
        dropped=tuple(
            (task_id, reason, number)
            for task_id, collection in collections.items()
            for reason, number in collection.dropped.items()
        ),
        seconds=time.monotonic() - started,
        content_hash=content_hash(folder),
    )
