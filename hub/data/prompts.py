# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""An episode to show before a model acts: the prompt of the paper (section 2.1), by the expert or from a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..suites import Task

# The last training seeds: demonstrations to train on are made from the first ones on.
SEEDS_FROM_THE_END = 100


def demonstration(task: Task, data: str | None = None) -> dict[str, Any]:
    """A row of an episode dataset, for `GatoAgent(prompt=...)`.

    Args:
        data: where to take it from, its first episode of the task: a folder that `gato collect` left, or what
            `files.parquet_files` knows of: a folder of parquet files, a pattern, a dataset on the Hub. By
            default the task's expert makes one, from a seed that neither training nor evaluation begins with.

    Raises:
        ValueError: the task has no expert, none of its episodes is good, or the data has none of the task.
    """
    return demonstration_by_the_expert(task) if data is None else demonstration_from(data, task)


def demonstration_by_the_expert(task: Task) -> dict[str, Any]:
    from ..acting.rollout import run_expert
    from .rows import episode_row

    if task.make_expert is None:
        raise ValueError(f"the task {task.id!r} has no expert to show it in a prompt")
    environment = task.make_environment()
    try:
        for seed in task.train_seeds[-SEEDS_FROM_THE_END:]:
            rollout = run_expert(task, environment, seed)
            if rollout.failure is None and rollout.success is not False:
                spaces = environment.observation_space, environment.action_space
                return episode_row(rollout, *spaces, task=task.id, expert=task.expert)
    finally:
        environment.close()
    raise ValueError(f"the expert of {task.id!r} has no success to show in a prompt")


def demonstration_from(data: str, task: Task) -> dict[str, Any]:
    from .files import parquet_files
    from .source import EpisodeSource

    collected = Path(data) / task.id
    source = EpisodeSource(parquet_files(str(collected) if collected.is_dir() else data), streaming=True)
    others = set()
    for number in range(len(source)):
        row = source[number]
        if row.get("task") in (None, task.id):
            return row
        others.add(row["task"])
    raise ValueError(f"{data} holds no episode of {task.id!r} for a prompt, only of {', '.join(sorted(others))}")
