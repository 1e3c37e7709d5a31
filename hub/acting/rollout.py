# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""One episode of one policy in one environment, and what to do when the environment or the expert fails."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, SupportsFloat

from ..suites import ExpertFailed, Policy, Task
from ..system.errors import GatoError

if TYPE_CHECKING:
    import gymnasium


class EnvironmentFailed(RuntimeError):
    """An environment raised an error. The message names the error."""


@contextlib.contextmanager
def calling_environment() -> Iterator[None]:
    """Turns whatever an environment raises in this block into `EnvironmentFailed`.

    Environments are other people's code. Their errors may end an episode, but must not be mistaken for ours.
    """
    try:
        yield
    except Exception as error:  # of any kind: nothing but calls of an environment stands in the block
        raise EnvironmentFailed(f"{type(error).__name__}: {error}") from error


@dataclass
class Rollout:
    """An episode of T steps.

    Attributes:
        seed: Seed of `environment.reset`.
        observations: T observations, each seen before the action of its step.
        actions: T actions of the policy.
        executed_actions: T actions that the environment was given. They differ from `actions` under noise, or where
            an agent acts and `actions` are an expert's advice.
        rewards: T rewards, each given after the action of its step.
        success: Whether the task was solved, None if the environment does not tell.
        failure: Why the episode ended early, None if it did not.
    """

    seed: int
    observations: list[Any] = field(default_factory=list)
    actions: list[Any] = field(default_factory=list)
    executed_actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    success: bool | None = None
    failure: str | None = None

    @property
    def episode_return(self) -> float:
        """The sum of all rewards."""
        return float(sum(self.rewards))

    @property
    def length(self) -> int:
        """The number of steps."""
        return len(self.actions)

    def add_step(
        self, observation: Any, action: Any, reward: SupportsFloat, info: Mapping[str, Any], executed: Any = None
    ) -> None:
        """Appends a step. The episode is a success from the first step whose `info["success"]` is true."""
        self.observations.append(observation)
        self.actions.append(action)
        self.executed_actions.append(action if executed is None else executed)
        self.rewards.append(float(reward))
        if "success" in info:
            self.success = bool(self.success) or bool(info["success"])


def random_policy(environment: gymnasium.Env, seed: int) -> Policy:
    """Returns a policy that draws uniformly random actions from the environment's action space."""
    environment.action_space.seed(seed)
    return lambda observation: environment.action_space.sample()


def run_episode(
    environment: gymnasium.Env,
    seed: int,
    make_policy: Callable[[gymnasium.Env, int], Policy],
    *,
    disturb: Callable[[Any], Any] | None = None,
    policy_seconds: float | None = None,
) -> Rollout:
    """Runs one episode until it ends or the policy raises `ExpertFailed`.

    Args:
        environment: An environment that ends its episodes itself, by termination or truncation.
        seed: Seed of `environment.reset`.
        make_policy: Called as `make_policy(environment, seed)` after the reset; returns the policy of this episode.
        disturb: Changes each action before the environment gets it; the rollout has both actions.
        policy_seconds: Processor time that `make_policy` and each call of the policy may take. A policy that takes
            longer has failed.

    Raises:
        EnvironmentFailed: The environment raised an error.
    """
    rollout = Rollout(seed)
    with calling_environment():
        observation, _ = environment.reset(seed=seed)
    ended = False
    try:
        with limited_processor_time(policy_seconds):
            policy = make_policy(environment, seed)
        while not ended:
            with limited_processor_time(policy_seconds):
                action = policy(observation)
            executed = action if disturb is None else disturb(action)
            with calling_environment():
                next_observation, reward, terminated, truncated, info = environment.step(executed)
            rollout.add_step(observation, action, reward, info, executed)
            observation, ended = next_observation, terminated or truncated
    except ExpertFailed as error:
        rollout.failure = str(error)
    return rollout


def run_expert(
    task: Task, environment: gymnasium.Env, seed: int, disturb: Callable[[Any], Any] | None = None
) -> Rollout:
    """Runs one episode of the task's expert; each of its calls may take `task.expert_seconds`. See `run_episode`.

    Raises:
        GatoError: The task has no expert.
    """
    make_expert = task.make_expert
    if make_expert is None:
        raise GatoError(f"the task {task.id!r} has no expert")
    return run_episode(
        environment,
        seed,
        lambda environment, seed: make_expert(environment),
        disturb=disturb,
        policy_seconds=task.expert_seconds,
    )


@contextlib.contextmanager
def limited_processor_time(seconds: float | None) -> Iterator[None]:
    """Raises `ExpertFailed` in a block that takes longer than `seconds` of processor time.

    Only the main thread can set an alarm: in other threads, and with None, there is no limit.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(signal_number: int, frame: FrameType | None) -> None:
        raise ExpertFailed(f"planned for over {seconds} s of processor time")

    previous_handler = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous_handler)
