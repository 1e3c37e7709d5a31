# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato measure`: the scores of random actions and of the experts, kept in `suites/reference_scores.json`.

Scores of agents are put on this scale, so they are measured by us, on the last of the evaluation seeds, where no
evaluation gets to.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .collect import end_with_parent, without_interrupts
from .files import write_text
from .packages import git_commit, package_versions
from .rollout import Rollout, random_policy, run_episode, run_expert
from .suites import Task, find_task
from .suites.reference_scores import REFERENCE_FILE, ReferenceScore, TaskReference

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
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=end_with_parent) as executor:
        with without_interrupts():
            futures = {executor.submit(_measure_task, task_id, episodes): task_id for task_id in task_ids}
        try:
            for future in as_completed(futures):
                task_id = futures[future]
                random, expert, tokens_a_step = future.result()
                versions = package_versions(find_task(task_id).packages)
                _add(path, task_id, TaskReference(random, expert, tokens_a_step, command, commit, versions))
                if progress:
                    progress(task_id)
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def _add(path: Path, task_id: str, reference: TaskReference) -> None:
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    entries[task_id] = asdict(reference)
    # One task a line: a new measurement is a change of one line.
    lines = (f"{json.dumps(name)}: {json.dumps(entries[name], allow_nan=False)}" for name in sorted(entries))
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _measure_task(task_id: str, episodes: int) -> tuple[ReferenceScore, ReferenceScore | None, int]:
    """Scores of one task and its tokens a step, in a worker process."""
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
