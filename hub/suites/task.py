# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a task is: an id, what it needs installed, and how to make its environment and its expert.

`Task` has episodes in an environment; `document_task.DocumentTask` has documents. `BaseTask` is what both share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..system.packages import require_packages
from .reference_scores import ReferenceScore, TaskReference, reference_of

if TYPE_CHECKING:
    import gymnasium

Policy = Callable[[Any], Any]
"""Takes the observation of the current step and returns the action to take."""


class ExpertFailed(RuntimeError):
    """The expert cannot continue this episode. The episode is dropped and counted; the run continues."""


def suite_of(task_id: str) -> str:
    """Returns the suite of a task id: the part before the slash."""
    return task_id.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class BaseTask:
    """What every task has.

    Attributes:
        id: `suite/task-name`.
        extra: The extra of this distribution that installs what the task needs; "" if it needs nothing.
        packages: The distributions that the task runs on. Recorded data name their versions.
        score: How the task is scored.
    """

    id: str
    extra: str
    packages: tuple[str, ...]
    score: str

    @property
    def suite(self) -> str:
        """The part of the id before the slash."""
        return suite_of(self.id)

    @property
    def name(self) -> str:
        """The part of the id after the slash."""
        return self.id.partition("/")[2]

    def check_installed(self) -> None:
        """Raises MissingPackageError, with the command that installs it, if a package of this task is missing."""
        require_packages(f"The task {self.id!r}", self.packages, self.extra)


@dataclass(frozen=True, kw_only=True)
class Task(BaseTask):
    """A task with an environment: how to make it, an expert that solves it, and which seeds are for what.

    Attributes:
        make_environment: `make_environment(render_mode=None)` returns a gymnasium environment that shows only what
            the agent may see and that ends its own episodes. `reset(seed=...)` and the actions decide the whole
            episode. If the score is "success", `info["success"]` of every step says whether the task is solved.
        make_expert: `make_expert(environment)`, called after a reset, returns the policy for that episode; None if
            the task has no expert. The policy acts on the true state, whichever actions were executed before, and
            raises `ExpertFailed` if it cannot continue.
        expert: Name of the expert, recorded with its demonstrations.
        score: "success" if an episode is solved or not, "return" if only the sum of its rewards counts.
        horizon: The most steps an episode can have; None if it differs between episodes.
        expert_seconds: Processor time in seconds that one call of the expert may take before the episode is given up.
        train_seeds, evaluation_seeds: Seeds for `environment.reset`. No seed is in both.
    """

    make_environment: Callable[..., gymnasium.Env]
    make_expert: Callable[[gymnasium.Env], Policy] | None
    expert: str | None
    score: Literal["success", "return"]
    horizon: int | None = None
    expert_seconds: float = 1.0
    train_seeds: range = range(0, 2**30)
    evaluation_seeds: range = range(2**30, 2**31)

    @property
    def reference(self) -> TaskReference | None:
        """The measured scores of the task; None if it was never measured."""
        return reference_of(self.id)

    @property
    def random_score(self) -> ReferenceScore | None:
        """The score of uniformly random actions; None if it was never measured."""
        return self.reference.random if self.reference else None

    @property
    def expert_score(self) -> ReferenceScore | None:
        """The score of the expert; None if it was never measured."""
        return self.reference.expert if self.reference else None

    def value(self, score: ReferenceScore) -> float:
        """Returns the number of a score that counts for this task: its success rate or its mean return."""
        if self.score == "return":
            return score.mean_return
        assert score.success_rate is not None  # every score of a task that can be solved has one
        return score.success_rate

    @property
    def counts_in_means(self) -> bool:
        """Whether the expert's score is above the random one, so that other scores can be placed between them."""
        reference = self.reference
        if reference is None or reference.expert is None:
            return False
        return self.value(reference.expert) > self.value(reference.random)
