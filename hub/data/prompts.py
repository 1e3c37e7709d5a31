# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Demonstrations as prompts: an episode that a model is shown before it acts (paper, section 2.1)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from ..acting.rollout import calling_environment, run_expert
from ..suites import Task
from ..system.errors import GatoError
from .files import parquet_files
from .rows import episode_row
from .source import EpisodeSource

# The expert's prompts take the last training seeds, because collections take the first ones.
SEEDS_FROM_THE_END = 100


def demonstration(task: Task, data: str | None = None) -> dict[str, Any]:
    """Returns an episode of a task for `GatoAgent(prompt=...)`, as a row of the episode schema.

    Args:
        data: where to take the first episode of the task from: a folder that `gato collect` filled, or anything that
            `parquet_files` finds. By default the task's expert makes an episode, from a seed that neither training
            nor evaluation uses first.

    Raises:
        EnvironmentFailed: the task's environment raised an error.
        GatoError: the task has no expert, the expert succeeds in none of its episodes, or `data` has no episode of the
            task.
    """
    return _by_the_expert(task) if data is None else _from_data(task, data)


def _by_the_expert(task: Task) -> dict[str, Any]:
    if task.make_expert is None:
        raise GatoError(f"the task {task.id!r} has no expert to show it in a prompt")
    with calling_environment():
        environment = task.make_environment()
    with contextlib.closing(environment):
        for seed in task.train_seeds[-SEEDS_FROM_THE_END:]:
            rollout = run_expert(task, environment, seed)
            if rollout.failure is None and rollout.success is not False:
                spaces = environment.observation_space, environment.action_space
                return episode_row(rollout, *spaces, task=task.id, expert=task.expert)
    raise GatoError(f"the expert of {task.id!r} has no success to show in a prompt")


def _from_data(task: Task, data: str) -> dict[str, Any]:
    collected = Path(data) / task.id
    source = EpisodeSource(parquet_files(str(collected) if collected.is_dir() else data), streaming=True)
    others = set()
    for number in range(len(source)):
        row = source[number]
        if row.get("task") in (None, task.id):
            return row
        others.add(row["task"])
    raise GatoError(f"{data} holds no episode of {task.id!r} for a prompt, only of {', '.join(sorted(others))}")
