# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""One episode of one policy in one environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .suites import ExpertFailed, Policy

if TYPE_CHECKING:
    import gymnasium


@dataclass
class Rollout:
    """An episode of T steps: the observation before each action, the action, the reward after it."""

    seed: int
    observations: list[Any] = field(default_factory=list)
    actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    success: bool | None = None  # None where the environment does not tell
    failure: str | None = None  # why the expert could not go on, in an episode that ends so

    @property
    def episode_return(self) -> float:
        return float(sum(self.rewards))

    @property
    def length(self) -> int:
        return len(self.actions)

    def add_step(self, observation: Any, action: Any, reward: float, info: dict) -> None:
        """Adds a step. An episode is a success from the first step whose `info["success"]` is true."""
        self.observations.append(observation)
        self.actions.append(action)
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
) -> Rollout:
    """Runs one episode to its end, or until the policy raises `ExpertFailed`.

    Args:
        environment: must end its episodes itself, by termination or truncation.
        seed: of `environment.reset`.
        make_policy: `make_policy(environment, seed)` after the reset gives the policy of this episode.
        each_frame: is given `environment.render()` after the reset and after every step.
    """
    rollout = Rollout(seed)
    observation, _ = environment.reset(seed=seed)
    if each_frame:
        each_frame(environment.render())
    ended = False
    try:
        policy = make_policy(environment, seed)
        while not ended:
            action = policy(observation)
            next_observation, reward, terminated, truncated, info = environment.step(action)
            rollout.add_step(observation, action, reward, info)
            observation, ended = next_observation, terminated or truncated
            if each_frame:
                each_frame(environment.render())
    except ExpertFailed as error:
        rollout.failure = str(error)
    return rollout
