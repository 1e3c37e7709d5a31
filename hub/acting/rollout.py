# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""One episode of one policy in one environment."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..suites import ExpertFailed, Policy, Task

if TYPE_CHECKING:
    import gymnasium


@dataclass
class Rollout:
    """An episode of T steps: the observation before each action, the action, the reward after it.

    `actions` are the policy's, `executed_actions` those that the environment was given; they differ under noise.
    """

    seed: int
    observations: list[Any] = field(default_factory=list)
    actions: list[Any] = field(default_factory=list)
    executed_actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    success: bool | None = None  # None where the environment does not tell
    failure: str | None = None  # why the expert could not go on, in an episode that ends so

    @property
    def episode_return(self) -> float:
        return float(sum(self.rewards))

    @property
    def length(self) -> int:
        return len(self.actions)

    def add_step(self, observation: Any, action: Any, reward: float, info: dict, executed: Any = None) -> None:
        """Adds a step. An episode is a success from the first step whose `info["success"]` is true."""
        self.observations.append(observation)
        self.actions.append(action)
        self.executed_actions.append(action if executed is None else executed)
        self.rewards.append(float(reward))
        if "success" in info:
            self.success = bool(self.success) or bool(info["success"])


def random_policy(environment: gymnasium.Env, seed: int) -> Policy:
    """Uniformly random actions of the environment's action space."""
    environment.action_space.seed(seed)
    return lambda observation: environment.action_space.sample()


def run_episode(
    environment: gymnasium.Env,
    seed: int,
    make_policy: Callable[[gymnasium.Env, int], Policy],
    each_frame: Callable[[np.ndarray], None] | None = None,
    *,
    disturb: Callable[[Any], Any] | None = None,
    policy_seconds: float | None = None,
) -> Rollout:
    """Runs one episode to its end, or until the policy raises `ExpertFailed`.

    Args:
        environment: must end its episodes itself, by termination or truncation.
        seed: of `environment.reset`.
        make_policy: `make_policy(environment, seed)` after the reset gives the policy of this episode.
        each_frame: is given `environment.render()` after the reset and after every step.
        disturb: the environment is given `disturb(action)` instead of the policy's action; both are recorded.
        policy_seconds: processor time that making the policy, and each call of it, may take: beyond it the policy has
            failed.
    """
    rollout = Rollout(seed)
    observation, _ = environment.reset(seed=seed)
    if each_frame:
        each_frame(environment.render())
    ended = False
    try:
        with limited_processor_time(policy_seconds):
            policy = make_policy(environment, seed)
        while not ended:
            with limited_processor_time(policy_seconds):
                action = policy(observation)
            executed = action if disturb is None else disturb(action)
            next_observation, reward, terminated, truncated, info = environment.step(executed)
            rollout.add_step(observation, action, reward, info, executed)
            observation, ended = next_observation, terminated or truncated
            if each_frame:
                each_frame(environment.render())
    except ExpertFailed as error:
        rollout.failure = str(error)
    return rollout


def run_expert(task: Task, environment: gymnasium.Env, seed: int, disturb: Callable | None = None) -> Rollout:
    """One episode of the task's expert, each of its calls limited in time."""
    return run_episode(
        environment,
        seed,
        lambda environment, seed: task.make_expert(environment),
        disturb=disturb,
        policy_seconds=task.expert_seconds,
    )


@contextlib.contextmanager
def limited_processor_time(seconds: float | None) -> Iterator[None]:
    """Raises ExpertFailed in a block that takes longer. Only the main thread can have an alarm: elsewhere no limit."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(signal_number, frame):
        raise ExpertFailed(f"planned for over {seconds} s of processor time")

    previous_handler = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous_handler)


def action_noise(action_space: gymnasium.Space, amount: float, seed: int) -> Callable[[Any], Any]:
    """Disturbs actions: to numbers of a Box is added N(0, amount) in halves of its width, and what leaves the Box is
    put on its edge; a discrete value is replaced by a random one with the probability `amount`.

    Raises:
        ValueError: a negative amount, a probability over 1, or a space of another kind.
    """
    from gymnasium import spaces

    if amount < 0.0:
        raise ValueError(f"noise must not be negative, got {amount}")
    random = np.random.default_rng([seed, 1])
    if isinstance(action_space, spaces.Box) and np.issubdtype(action_space.dtype, np.floating):
        low, high = action_space.low, action_space.high
        scale = np.where(np.isfinite(high - low), (high - low) / 2, 1.0) * amount

        def disturb(action):
            disturbed = np.asarray(action) + scale * random.standard_normal(action_space.shape)
            return np.clip(disturbed, low, high).astype(action_space.dtype)

        return disturb
    if not isinstance(action_space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        raise ValueError(f"noise is for actions of numbers, the action space is {action_space}")
    if amount > 1.0:
        raise ValueError(f"noise of discrete actions is a probability, got {amount}")

    def replace_some(action):
        other = _random_values(action_space, random)
        return np.where(random.random(action_space.shape) < amount, other, action).astype(action_space.dtype)[()]

    return replace_some


def _random_values(space: gymnasium.Space, random: np.random.Generator) -> np.ndarray:
    from gymnasium import spaces

    if isinstance(space, spaces.MultiBinary):
        return random.integers(0, 2, space.shape)
    count = space.n if isinstance(space, spaces.Discrete) else space.nvec
    return space.start + random.integers(0, count, space.shape)


def instruction(observation: Any) -> str:
    """The text of an observation, or "" where it has none."""
    values = observation.values() if isinstance(observation, dict) else [observation]
    return next((value for value in values if isinstance(value, str)), "")
