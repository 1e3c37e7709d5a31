# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Scores of random actions and of the experts in every task, read from the file that `gato measure` writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REFERENCE_FILE = Path(__file__).with_name("reference_scores.json")


@dataclass(frozen=True)
class ReferenceScore:
    """The score of a policy in `episodes` episodes, with the seeds `first_seed`, `first_seed + 1`, ...

    Attributes:
        mean_return: Mean over the episodes of the sum of rewards.
        std_return: Standard deviation of the same.
        success_rate: Share of solved episodes, in [0, 1]; None if the task is scored by its return.
        mean_length: Mean number of steps in an episode.
        episodes: Number of episodes.
        failures: Number of episodes that the expert could not continue. They count as they ended.
        first_seed: Seed of the first episode.
    """

    mean_return: float
    std_return: float
    success_rate: float | None
    mean_length: float
    episodes: int
    failures: int
    first_seed: int


@dataclass(frozen=True)
class TaskReference:
    """The measured scores of a task.

    Attributes:
        random: Score of uniformly random actions.
        expert: Score of the expert; None if the task has none.
        tokens_a_step: Number of tokens in one timestep: observation, separator and action. The tokens of an
            instruction are left out, because they come once an episode.
        command: The command that measured the scores.
        git_commit: The commit it ran at; None outside a checkout.
        versions: Version of each package it ran with.
    """

    random: ReferenceScore
    expert: ReferenceScore | None
    tokens_a_step: int
    command: str
    git_commit: str | None
    versions: dict[str, str]


@cache
def _references() -> dict[str, TaskReference]:
    if not REFERENCE_FILE.exists():
        return {}
    references = {}
    for task_id, entry in json.loads(REFERENCE_FILE.read_text(encoding="utf-8")).items():
        scores = {
            policy: ReferenceScore(**entry[policy]) if entry[policy] else None for policy in ("random", "expert")
        }
        references[task_id] = TaskReference(**(entry | scores))
    return references


def reference_of(task_id: str) -> TaskReference | None:
    """Returns the measured scores of a task; None if it was never measured."""
    return _references().get(task_id)
