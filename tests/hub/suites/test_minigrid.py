# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest
from helpers.grid_levels import (
    assert_actions_repeat_an_episode_in_another_environment,
    assert_expert_solves_disturbed_episodes,
)

from gato_hub.acting.rollout import run_expert
from gato_hub.suites import find_task
from gato_hub.suites.experts.grid_planner import TOGGLE
from gato_hub.suites.minigrid import TASKS

# One of each kind of level.
SOME_LEVELS = (
    "minigrid/lava-crossing-s9n2",
    "minigrid/door-key-6x6",
    "minigrid/multi-room-n4-s5",
    "minigrid/blocked-unlock-pickup",
    "minigrid/key-corridor-s3r1",
    "minigrid/obstructed-maze-1dlhb",
    "minigrid/fetch-8x8-n3",
    "minigrid/put-near-8x8-n3",
    "minigrid/unlock",
    "minigrid/red-blue-doors-6x6",
    "minigrid/memory-s9",
)
# In these a random action can end the episode.
LEVELS_THAT_FORGIVE_LITTLE = (
    "minigrid/dynamic-obstacles-6x6",
    "minigrid/go-to-door-6x6",
    "minigrid/go-to-object-6x6-n2",
)


def test_ids_are_unique():
    ids = [task.id for task in TASKS]
    assert len(ids) == len(set(ids)) >= 40


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_level_begins_and_has_the_horizon_it_says(task):
    environment = task.make_environment()
    observation, _ = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    assert task.make_expert(environment)(observation) in environment.action_space
    assert task.horizon == environment.unwrapped.max_steps
    environment.close()


@pytest.mark.parametrize("task_id", SOME_LEVELS + LEVELS_THAT_FORGIVE_LITTLE)
def test_expert_solves_the_level(task_id):
    task = find_task(task_id)
    environment = task.make_environment()
    for seed in task.evaluation_seeds[:4]:
        rollout = run_expert(task, environment, seed)
        assert rollout.success and rollout.failure is None and rollout.rewards[-1] > 0
        assert all(map(environment.observation_space.contains, rollout.observations))
    environment.close()


@pytest.mark.parametrize("task_id", SOME_LEVELS + LEVELS_THAT_FORGIVE_LITTLE)
def test_actions_repeat_an_episode_in_another_environment(task_id):
    assert_actions_repeat_an_episode_in_another_environment(find_task(task_id))


@pytest.mark.parametrize(
    ("task_id", "solved"),
    [(task_id, 9) for task_id in SOME_LEVELS] + [(task_id, 6) for task_id in LEVELS_THAT_FORGIVE_LITTLE],
)
def test_expert_still_solves_episodes_where_a_tenth_of_the_actions_are_random(task_id, solved):
    assert_expert_solves_disturbed_episodes(find_task(task_id), solved)


def test_no_ball_is_walked_into_where_balls_move():
    task = find_task("minigrid/dynamic-obstacles-random-5x5")
    environment = task.make_environment()
    rollouts = [run_expert(task, environment, seed) for seed in range(10)]
    environment.close()
    assert all(reward >= 0 for rollout in rollouts for reward in rollout.rewards)


def test_blue_door_is_opened_after_the_red_one():
    task = find_task("minigrid/red-blue-doors-6x6")
    environment = task.make_environment()
    environment.reset(seed=1)
    rollout = run_expert(task, environment, 1)
    environment.close()
    assert rollout.actions.count(TOGGLE) == 2
