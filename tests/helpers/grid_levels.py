# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What is asked of the levels of BabyAI and of MiniGrid alike."""

import numpy as np

from gato_hub.acting.noise import action_noise
from gato_hub.acting.rollout import random_policy, run_episode, run_expert
from gato_hub.suites import Task


def assert_actions_repeat_an_episode_in_another_environment(task: Task) -> None:
    environment, another = task.make_environment(), task.make_environment()
    run_episode(another, 3, random_policy)
    rollout = run_expert(task, environment, 7)
    actions = iter(rollout.actions)
    again = run_episode(another, 7, lambda environment, seed: lambda observation: next(actions))
    environment.close()
    another.close()
    assert again.rewards == rollout.rewards
    for one, other in zip(rollout.observations, again.observations, strict=True):
        assert one["mission"] == other["mission"] and one["direction"] == other["direction"]
        np.testing.assert_array_equal(one["image"], other["image"])


def assert_expert_solves_disturbed_episodes(task: Task, solved: int) -> None:
    """At least `solved` of ten episodes in which a tenth of the actions are random."""
    environment = task.make_environment()
    rollouts = [
        run_expert(task, environment, seed, action_noise(environment.action_space, 0.1, seed)) for seed in range(10)
    ]
    environment.close()
    assert any(rollout.executed_actions != rollout.actions for rollout in rollouts)
    assert sum(bool(rollout.success) for rollout in rollouts) >= solved
