# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato measure`: the scores of random actions and of experts, kept in `suites/reference_scores.json`.

They are the 0 and the 100 of normalized scores. They are measured on the last evaluation seeds of each task, which no
evaluation uses.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..acting.rollout import Rollout, calling_environment, random_policy, run_episode, run_expert
from ..suites import Task, find_task
from ..suites.reference_scores import REFERENCE_FILE, ReferenceScore, TaskReference
from ..system.errors import GatoError
from ..system.files import write_text
from ..system.packages import package_versions
from ..system.provenance import stamp
from ..system.workers import run_in_workers

if TYPE_CHECKING:
    import gymnasium


def measure(
    task_ids: Sequence[str],
    episodes: int,
    *,
    workers: int = 1,
    path: Path = REFERENCE_FILE,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Measures tasks and writes their scores into a file, task by task. Other tasks in the file stay as they are.

    Args:
        task_ids: Ids of control tasks.
        episodes: Number of episodes of each policy, on the last evaluation seeds of the task.
        workers: Number of processes; 0 works in this process.
        path: The file of reference scores.
        progress: Called with the id of each finished task.

    Raises:
        GatoError: `episodes` is less than 1, or `workers` less than 0.
    """
    if episodes < 1:
        raise GatoError(f"episodes must be at least 1, not {episodes}")
    if workers < 0:
        raise GatoError(f"workers must be at least 0, not {workers}")
    made_by = stamp()  # once: the file that is written may be part of the checkout, which then has changes
    jobs = [(task_id, episodes) for task_id in task_ids]
    # Closed even if a score can't be written, so that no worker is left running.
    with contextlib.closing(run_in_workers(_measure_task, jobs, workers)) as measured:
        for number, (random, expert, tokens) in measured:
            task_id = task_ids[number]
            versions = package_versions(find_task(task_id).packages)
            reference = TaskReference(random, expert, tokens, made_by["command"], made_by["git_commit"], versions)
            _add(path, task_id, reference)
            if progress:
                progress(task_id)


def _add(path: Path, task_id: str, reference: TaskReference) -> None:
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    entries[task_id] = asdict(reference)
    # One task a line: a new measurement is a change of one line.
    lines = (f"{json.dumps(name)}: {json.dumps(entries[name], allow_nan=False)}" for name in sorted(entries))
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _measure_task(job: tuple[str, int]) -> tuple[ReferenceScore, ReferenceScore | None, int]:
    """Measures one task; returns the scores of random and expert, and the tokens of a step."""
    task_id, episodes = job
    task = find_task(task_id)
    if not isinstance(task, Task):
        raise GatoError(f"{task_id} has no environment to act in")
    with calling_environment():
        environment = task.make_environment()
    seeds = task.evaluation_seeds[-episodes:]
    random = [run_episode(environment, seed, random_policy) for seed in seeds]
    expert = [run_expert(task, environment, seed) for seed in seeds] if task.make_expert else []
    tokens = tokens_a_step(environment, random[0])
    environment.close()
    return _score(task, random), _score(task, expert) if expert else None, tokens


def _score(task: Task, rollouts: Sequence[Rollout]) -> ReferenceScore:
    returns = np.array([rollout.episode_return for rollout in rollouts])
    has_success = task.score == "success"
    return ReferenceScore(
        mean_return=round(float(returns.mean()), 4),
        std_return=round(float(returns.std(ddof=1)), 4) if len(returns) > 1 else 0.0,
        success_rate=float(np.mean([bool(rollout.success) for rollout in rollouts])) if has_success else None,
        mean_length=float(np.mean([rollout.length for rollout in rollouts])),
        episodes=len(rollouts),
        failures=sum(rollout.failure is not None for rollout in rollouts),
        first_seed=rollouts[0].seed,
    )


def tokens_a_step(environment: gymnasium.Env, rollout: Rollout) -> int:
    """Returns the tokens of a timestep after the first: observation without instruction, separator and action."""
    from tokenization_gato import GatoProcessor

    processor = GatoProcessor(repeat_text_observations=False)
    observation = rollout.observations[0]
    (sequence,) = processor.encode_observations(
        [observation], previous_observations=[observation], observation_space=environment.observation_space
    )
    return len(sequence) + len(processor.action_token_ranges(environment.action_space))
