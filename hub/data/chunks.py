# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""One file of a collection: which episodes or documents are in it, and how they are made.

A chunk depends on nothing but its seeds, its settings and the installed packages, so that any process makes the same
file of it.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..acting.noise import action_noise
from ..acting.rollout import Rollout, run_expert
from ..suites import BaseTask, DocumentTask, Task, find_task, registered_task
from ..suites.registry import BUILT_IN_TASK_IDS
from ..system.errors import GatoError
from ..system.packages import package_versions
from .columns import episode_features
from .parquet import write_shard
from .rows import document_features, document_row, episode_row

if TYPE_CHECKING:
    import gymnasium
    import pyarrow

SMALLEST_SCORE = 0.8  # of the expert's score, as in the paper (section 3.1)


@dataclass(frozen=True)
class EpisodeSettings:
    """How the episodes of a collection are made; `collect` describes the fields.

    Raises:
        GatoError: a value is out of range, or two exclude each other.
    """

    noise: float = 0.0
    smallest_score: float = SMALLEST_SCORE
    learner: str | None = None
    learner_digest: str | None = None
    max_steps: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.smallest_score <= 1.0:
            raise GatoError(f"smallest_score must lie in [0, 1], not {self.smallest_score}")
        if not self.noise >= 0.0:
            raise GatoError(f"noise must not be negative, not {self.noise}")
        if self.learner is not None and self.noise:
            raise GatoError(f"noise must be 0 with a learner, which makes mistakes of its own, not {self.noise}")
        if self.max_steps is not None and (self.learner is None or self.max_steps < 1):
            raise GatoError(
                f"max_steps cuts a learner's episodes: it needs a learner and must be at least 1, not {self.max_steps}"
            )


@dataclass(frozen=True)
class Chunk:
    """One file to make: consecutive seeds of a task, and everything else that decides what is in the file."""

    task: BaseTask
    path: Path
    seeds: range
    settings: EpisodeSettings

    @property
    def provenance(self) -> dict[str, Any]:
        """How the file is made, as `read_provenance` reads it."""
        about = {
            "task": self.task.id,
            "first_seed": self.seeds.start,
            "episodes": len(self.seeds),
            "versions": package_versions(("numpy", "pillow", "pyarrow", *self.task.packages)),
        }
        if isinstance(self.task, Task):
            about |= {
                "expert": self.task.expert,
                "noise": self.settings.noise,
                "smallest_score": self.settings.smallest_score,
                "learner": self.settings.learner_digest,
                "max_steps": self.settings.max_steps,
            }
        return about

    def __getstate__(self) -> dict[str, Any]:
        """Replaces a built-in task by its id for another process: its functions can't be pickled."""
        is_built_in = self.task.id in BUILT_IN_TASK_IDS and registered_task(self.task.id) is self.task
        return self.__dict__ | {"task": self.task.id if is_built_in else self.task}

    def __setstate__(self, state: dict[str, Any]) -> None:
        task = state["task"]
        self.__dict__.update(state, task=find_task(task) if isinstance(task, str) else task)


# The rows of a file, their schema, and the number of dropped episodes by the reason.
_Made = tuple[list[dict[str, Any]], "pyarrow.Schema", Counter[str]]


def make_chunk(chunk: Chunk) -> None:
    """Makes the file of a chunk. Worker processes run it."""
    rows, schema, dropped = _documents(chunk) if isinstance(chunk.task, DocumentTask) else _episodes(chunk)
    counts = {"kept": len(rows), "dropped": dict(dropped), "steps": sum(len(row.get("rewards", ())) for row in rows)}
    write_shard(chunk.path, rows, schema, chunk.provenance | counts)


def _documents(chunk: Chunk) -> _Made:
    task = cast(DocumentTask, chunk.task)
    rows = [document_row(row) for row in task.rows("train", chunk.seeds.start, chunk.seeds.stop)]
    return rows, document_features(rows[0]).arrow_schema, Counter()


def _episodes(chunk: Chunk) -> _Made:
    task, settings = cast(Task, chunk.task), chunk.settings
    rows, dropped = [], Counter[str]()
    with contextlib.closing(task.make_environment()) as environment:
        spaces = environment.observation_space, environment.action_space
        if settings.learner is None:
            rollouts = _expert_rollouts(task, chunk.seeds, settings, environment)
        else:
            rollouts = _learner_rollouts(task, chunk.seeds, settings, settings.learner)
        for rollout in rollouts:
            reason = _reason_to_drop(task, rollout, settings)
            if reason:
                dropped[reason] += 1
            else:
                rows.append(episode_row(rollout, *spaces, task=task.id, expert=task.expert, noise=settings.noise))
    return rows, episode_features(*spaces).arrow_schema, dropped


def _expert_rollouts(
    task: Task, seeds: range, settings: EpisodeSettings, environment: gymnasium.Env
) -> Iterable[Rollout]:
    for seed in seeds:
        disturb = action_noise(environment.action_space, settings.noise, seed) if settings.noise else None
        yield run_expert(task, environment, seed, disturb)


def _learner_rollouts(task: Task, seeds: range, settings: EpisodeSettings, learner: str) -> Iterable[Rollout]:
    import torch

    from ..acting.agent_rollouts import run_agent
    from ..checkpoints.loading import load_checkpoint

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the number of threads changes how sums are rounded, and the workers share the processor
    try:
        model, processor = load_checkpoint(learner)
        rollouts = list(
            run_agent(task, seeds, model, processor, ask_expert=True, max_steps=settings.max_steps, seed=seeds.start)
        )
    finally:
        torch.set_num_threads(threads)
    return sorted(rollouts, key=lambda rollout: rollout.seed)


def _reason_to_drop(task: Task, rollout: Rollout, settings: EpisodeSettings) -> str | None:
    """Returns why an episode is not kept, or None if it is kept."""
    if settings.learner is not None:
        return None if rollout.length else rollout.failure
    if rollout.failure:
        return rollout.failure
    if settings.smallest_score == 0.0:
        return None
    if task.score == "success":
        return None if rollout.success else "the expert did not succeed"
    reference = task.reference
    if reference is None or reference.expert is None or not task.counts_in_means:
        return None
    random, expert = reference.random.mean_return, reference.expert.mean_return
    if rollout.episode_return < random + settings.smallest_score * (expert - random):
        return f"below {settings.smallest_score:.0%} of the expert's score"
    return None
