# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato measure`: the scores of random actions and of the experts, kept in `suites/reference_scores.json`.

Scores of agents are put on this scale, so they are measured by us, on the last of the evaluation seeds, where no
evaluation gets to.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..acting.rollout import Rollout, random_policy, run_episode, run_expert
from ..suites import Task, find_task
from ..suites.reference_scores import REFERENCE_FILE, ReferenceScore, TaskReference
from ..system.files import write_text
from ..system.packages import package_versions
from ..system.provenance import git_commit
from ..system.workers import run_in_workers

if TYPE_CHECKING:
    import gymnasium


def measure(
    task_ids: Sequence[str],
    episodes: int,
    *,
    command: str,
    workers: int = 1,
    path: Path = REFERENCE_FILE,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Measures tasks and writes their scores into `path`, task by task; the other tasks in it stay as they are.

    Args:
        episodes: for each policy, on the last `episodes` evaluation seeds of the task.
        command: kept with the scores, together with the commit and the versions.
        progress: called with the id of each finished task.
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, not {episodes}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    commit = git_commit()
    jobs = [(task_id, episodes) for task_id in task_ids]
    # Closed here, also when a score can't be written, so that no task is left at work.
    with contextlib.closing(run_in_workers(_measure_task, jobs, workers)) as measured:
        for number, (random, expert, tokens) in measured:
            task_id = task_ids[number]
            versions = package_versions(find_task(task_id).packages)
            _add(path, task_id, TaskReference(random, expert, tokens, command, commit, versions))
            if progress:
                progress(task_id)


def _add(path: Path, task_id: str, reference: TaskReference) -> None:
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    entries[task_id] = asdict(reference)
    # One task a line: a new measurement is a change of one line.
    lines = (f"{json.dumps(name)}: {json.dumps(entries[name], allow_nan=False)}" for name in sorted(entries))
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _measure_task(job: tuple[str, int]) -> tuple[ReferenceScore, ReferenceScore | None, int]:
    """Scores of one task and its tokens a step, in a worker process."""
    task_id, episodes = job
    task = find_task(task_id)
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
    """Tokens of a timestep that is not the first: observation, separator and action, an instruction not repeated."""
    from tokenization_gato import GatoProcessor

    processor = GatoProcessor(repeat_text_observations=False)
    observation = rollout.observations[0]
    (sequence,) = processor.encode_observations(
        [observation], previous_observations=[observation], observation_space=environment.observation_space
    )
    return len(sequence) + len(processor.action_token_ranges(environment.action_space))
