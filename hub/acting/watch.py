# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Watching a model act: one task in a window or a file, or several side by side in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..suites import Task, find_task
from ..system.errors import GatoError
from .pictures import draw_side_by_side, draw_step, write_episode
from .play import PlayedStep, play

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor


def acting_tasks(names: Sequence[str], out: Path | None) -> list[Task]:
    """Returns the tasks with these ids, each once.

    Args:
        names: Ids of tasks.
        out: See `watch`.

    Raises:
        GatoError: A task is unknown, has no environment to act in, or several would share a window.
    """
    tasks = []
    for name in dict.fromkeys(names):
        task = find_task(name)
        if not isinstance(task, Task):
            raise GatoError(f"{name} is no task to act in: see gato caption and gato chat")
        tasks.append(task)
    if len(tasks) > 1 and out is None:
        raise GatoError("a window shows one task: give --out for several")
    return tasks


def watch(
    tasks: Sequence[Task],
    model: GatoForCausalLM,
    processor: GatoProcessor,
    out: Path | None,
    *,
    prompts: Mapping[str, Mapping[str, Any]],
    episode: int = 0,
    max_steps: int | None = None,
    frames_a_second: float = 4.0,
    seed: int = 0,
    tell: Callable[[str], None] = print,
) -> None:
    """Shows one episode of each task, and tells its length, reward and success.

    Args:
        tasks: Tasks, see `acting_tasks`.
        out: A .gif or .mp4 file; None opens a window and tells the tokens of each step.
        prompts: Demonstrations to begin with, by task id.
        episode: Index of the episode's seed among the evaluation seeds of its task.
        max_steps: Number of steps after which an episode is left, None for no limit.
        frames_a_second: Speed of the file.
        seed: Seed of the sampling of actions.
        tell: Called with each line of text.

    Raises:
        GatoError: A task has no such evaluation seed, a prompt does not fit, or the file has another ending or can't
            be written.
        EnvironmentFailed: An environment raised an error.
    """

    for task in tasks:
        if episode >= len(task.evaluation_seeds):
            raise GatoError(f"{task.id} has {len(task.evaluation_seeds)} evaluation seeds, there is no {episode}")

    def steps_of(task: Task) -> Iterator[PlayedStep]:
        options = {"prompt": prompts[task.id]} if task.id in prompts else {}
        shown = play(task, task.evaluation_seeds[episode], model, processor, human=out is None, seed=seed, **options)
        with contextlib.closing(shown):
            for step in islice(shown, max_steps):
                yield step
                if out is None:
                    tell(f"{step.number}: {' '.join(map(str, step.read))} -> {' '.join(map(str, step.written))}")
        ending = "" if step.success is None else ", a success" if step.success else ", no success"
        title = f"{task.id}: " if len(tasks) > 1 else ""
        tell(f"{title}{step.number + 1} steps, reward {step.total_reward:.3f}{ending}")

    if out is None:
        for task in tasks:
            for _ in steps_of(task):
                pass
    elif len(tasks) > 1:
        episodes = {task.id: list(steps_of(task)) for task in tasks}
        write_episode(out, draw_side_by_side(episodes), frames_a_second=frames_a_second)
    else:
        pictures = (draw_step(step, tasks[0].id) for step in steps_of(tasks[0]))
        write_episode(out, pictures, frames_a_second=frames_a_second)
