# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
from helpers.sokoban_levels import IN_A_CORNER, level_of

from gato_hub.acting.noise import action_noise
from gato_hub.acting.rollout import random_policy, run_episode, run_expert
from gato_hub.suites import ExpertFailed
from gato_hub.suites.sokoban import HORIZON, TASKS, make_environment, make_expert


def test_there_are_five_sizes():
    assert [task.id for task in TASKS] == [
        "sokoban/7x7-1-box",
        "sokoban/7x7-2-boxes",
        "sokoban/8x8-2-boxes",
        "sokoban/8x8-3-boxes",
        "sokoban/10x10-4-boxes",
    ]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_expert_solves_every_level(task):
    environment = task.make_environment()
    rollouts = [run_expert(task, environment, seed) for seed in task.evaluation_seeds[-8:]]
    assert all(rollout.success and rollout.failure is None for rollout in rollouts)
    for rollout in rollouts:
        assert all(map(environment.observation_space.contains, rollout.observations))
        assert rollout.rewards[-1] == pytest.approx(10.9)


def test_random_actions_solve_little():
    environment = TASKS[1].make_environment()
    rollouts = [run_episode(environment, seed, random_policy) for seed in range(20)]
    assert np.mean([rollout.success for rollout in rollouts]) <= 0.2
    assert max(rollout.length for rollout in rollouts) == HORIZON


@pytest.mark.parametrize("task", TASKS[:4], ids=lambda task: task.id)
def test_expert_goes_on_from_where_noise_took_it(task):
    environment = task.make_environment()
    disturb = action_noise(environment.action_space, 0.1, seed=0)
    rollouts = [run_expert(task, environment, seed, disturb) for seed in range(20)]
    assert any(rollout.actions != rollout.executed_actions for rollout in rollouts)
    assert np.mean([rollout.success for rollout in rollouts]) >= 0.8
    assert all(rollout.success or "can't be solved any more" in rollout.failure for rollout in rollouts)


def test_expert_gives_up_a_level_that_noise_made_unsolvable():
    environment = make_environment(5, 1)
    environment.reset(seed=0)
    environment.level = level_of(IN_A_CORNER)
    expert = make_expert(environment)
    with pytest.raises(ExpertFailed, match="can't be solved"):
        expert(None)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_a_seed_repeats_its_episode_whatever_came_before(task):
    environment, fresh = task.make_environment(), task.make_environment()
    first = run_expert(task, environment, 2**31 - 1)
    run_episode(environment, 3, random_policy)
    environment.reset()
    for replaying in (environment, fresh):
        actions = iter(first.actions)
        again = run_episode(replaying, 2**31 - 1, lambda environment, seed, actions=actions: lambda _: next(actions))
        np.testing.assert_array_equal(again.observations, first.observations)
        assert again.rewards == first.rewards
    other, _ = environment.reset(seed=2**31 - 2)
    assert not np.array_equal(other, first.observations[0])
