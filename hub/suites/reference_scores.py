# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What random actions and the experts reach at each task, as `gato measure` left it in reference_scores.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REFERENCE_FILE = Path(__file__).with_name("reference_scores.json")


@dataclass(frozen=True)
class ReferenceScore:
    """What a policy reached in `episodes` episodes, with the seeds `first_seed`, `first_seed + 1`, ...

    Attributes:
        std_return: standard deviation of the episodes' returns.
        success_rate: None where the task's score is its return.
        mean_length: steps of an episode.
        failures: episodes that the expert could not go on with; they count as they ended.
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
    """What was measured of a task.

    Attributes:
        tokens_a_step: tokens of a timestep, observation, separator and action; instructions are counted once an
            episode, so not here.
        command, git_commit, versions: what made the scores.
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
    """What was measured of a task, None where nothing was."""
    return _references().get(task_id)
