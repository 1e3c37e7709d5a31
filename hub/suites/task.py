# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a suite says of each of its tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..system.packages import require_packages
from .reference_scores import ReferenceScore, TaskReference, reference_of

if TYPE_CHECKING:
    import gymnasium

Policy = Callable[[Any], Any]
"""Takes the observation of the present step, gives the action to take."""


class ExpertFailed(RuntimeError):
    """The expert cannot go on with this episode. The episode is dropped and counted, the run goes on."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task: how to make its environment, an expert that solves it, which seeds are for what.

    Attributes:
        id: `suite/task-name`.
        extra: the extra of this distribution that installs what the environment needs.
        packages: the distributions that the environment and the expert run on; data record their versions.
        make_environment: `make_environment(render_mode=None)` gives a gymnasium environment that shows what the agent
            is to see and ends its episodes itself. `reset(seed=...)` decides the whole episode, given the actions.
            Where the score is "success", `info["success"]` of every step says whether the task is solved.
        make_expert: `make_expert(environment)`, after a reset, gives the policy for that episode; None where the task
            has no expert. The policy acts on the true state, whatever was executed before, and raises `ExpertFailed`
            when it cannot go on.
        expert: the expert's name, recorded with its demonstrations.
        score: "success" where an episode is solved or not, "return" where only the sum of rewards counts.
        horizon: most steps that an episode can have, None where it differs between episodes.
        expert_seconds: processor time that one call of the expert may take before the episode is given up.
        train_seeds, evaluation_seeds: seeds of `environment.reset`; no seed is in both.
    """

    id: str
    extra: str
    packages: tuple[str, ...]
    make_environment: Callable[..., gymnasium.Env]
    make_expert: Callable[[gymnasium.Env], Policy] | None
    expert: str | None
    score: Literal["success", "return"]
    horizon: int | None = None
    expert_seconds: float = 1.0
    train_seeds: range = range(0, 2**30)
    evaluation_seeds: range = range(2**30, 2**31)

    @property
    def suite(self) -> str:
        return self.id.partition("/")[0]

    @property
    def reference(self) -> TaskReference | None:
        """What was measured of the task, None where nothing was yet."""
        return reference_of(self.id)

    @property
    def random_score(self) -> ReferenceScore | None:
        """What uniformly random actions reach."""
        return self.reference.random if self.reference else None

    @property
    def expert_score(self) -> ReferenceScore | None:
        """What the expert reaches."""
        return self.reference.expert if self.reference else None

    def value(self, score: ReferenceScore) -> float:
        """The number that counts of a score: its success rate or its mean return."""
        return score.success_rate if self.score == "success" else score.mean_return

    @property
    def counts_in_means(self) -> bool:
        """Whether random and expert are known and apart, so that a score can be put on their scale."""
        reference = self.reference
        if reference is None or reference.expert is None:
            return False
        return self.value(reference.expert) > self.value(reference.random)

    def check_installed(self) -> None:
        """Raises ImportError, naming the command that helps, where a package of this task is missing."""
        require_packages(f"The task {self.id!r}", self.packages, self.extra)
