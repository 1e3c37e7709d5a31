# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a suite says of each of its tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..packages import require_packages

if TYPE_CHECKING:
    import gymnasium

Policy = Callable[[Any], Any]
"""Takes the observation of the present step, gives the action to take."""


class ExpertFailed(RuntimeError):
    """The expert cannot go on with this episode. The episode is dropped and counted, the run goes on."""


@dataclass(frozen=True)
class ReferenceScore:
    """What a reference policy reached in `episodes` episodes, with seeds `first_seed`, `first_seed + 1`, ..."""

    mean_return: float
    success_rate: float | None
    episodes: int
    first_seed: int


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task: how to make its environment, an expert that solves it, which seeds are for what.

    Attributes:
        id: `suite/task-name`.
        extra: the extra of this distribution that installs what the environment needs.
        packages: the distributions that the environment and the expert run on; data record their versions.
        make_environment: `make_environment(render_mode=None)` gives a gymnasium environment that shows what the agent
            is to see. Where the score is "success", `info["success"]` of every step says whether the task is solved.
        make_expert: `make_expert(environment)`, after a reset, gives the policy for that episode. The policy raises
            `ExpertFailed` when it cannot go on.
        expert: the expert's name, recorded with its demonstrations.
        score: "success" where an episode is solved or not, "return" where only the sum of rewards counts.
        random_score, expert_score: what a uniformly random policy and the expert reach.
        train_seeds, evaluation_seeds: seeds of `environment.reset`; no seed is in both.
    """

    id: str
    extra: str
    packages: tuple[str, ...]
    make_environment: Callable[..., gymnasium.Env]
    make_expert: Callable[[gymnasium.Env], Policy]
    expert: str
    score: Literal["success", "return"]
    random_score: ReferenceScore | None = None
    expert_score: ReferenceScore | None = None
    train_seeds: range = range(0, 2**30)
    evaluation_seeds: range = range(2**30, 2**31)

    def check_installed(self) -> None:
        """Raises ImportError, naming the command that helps, where a package of this task is missing."""
        require_packages(f"The task {self.id!r}", self.packages, self.extra)
