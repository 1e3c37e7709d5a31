# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest
from helpers.grid_levels import (
    assert_actions_repeat_an_episode_in_another_environment,
    assert_expert_solves_disturbed_episodes,
)

from gato_hub.acting.rollout import run_expert
from gato_hub.suites import ExpertFailed, find_task
from gato_hub.suites.babyai import JAT_LEVELS, TASKS

# One of each kind: walking, doors, picking up, putting next, unlocking, sequences; the last two have the planner.
SOME_LEVELS = (
    "babyai/go-to-red-ball-grey",
    "babyai/open-door-color",
    "babyai/pickup-loc",
    "babyai/put-next-s5n2",
    "babyai/blocked-unlock-pickup",
    "babyai/go-to-seq-s5r2",
    "babyai/unlock-to-unlock",
    "babyai/key-in-box",
)


def test_ids_are_unique_and_jats_levels_are_among_them():
    ids = [task.id for task in TASKS]
    assert len(ids) == len(set(ids)) >= 86
    assert len(JAT_LEVELS) == 39 and set(JAT_LEVELS) <= set(ids)
    assert all(0.75 < mean_return < 1 for mean_return in JAT_LEVELS.values())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_level_begins(task):
    environment = task.make_environment()
    observation, _ = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    assert task.make_expert(environment)(observation) in environment.action_space
    environment.close()


@pytest.mark.parametrize("task_id", SOME_LEVELS)
def test_expert_solves_the_level(task_id):
    task = find_task(task_id)
    environment = task.make_environment()
    for seed in task.evaluation_seeds[:4]:
        rollout = run_expert(task, environment, seed)
        assert rollout.success and rollout.failure is None
        assert all(map(environment.observation_space.contains, rollout.observations))
    environment.close()


@pytest.mark.parametrize("task_id", SOME_LEVELS)
def test_actions_repeat_an_episode_in_another_environment(task_id):
    assert_actions_repeat_an_episode_in_another_environment(find_task(task_id))


@pytest.mark.parametrize("task_id", SOME_LEVELS)
def test_expert_still_solves_most_episodes_where_a_tenth_of_the_actions_are_random(task_id):
    assert_expert_solves_disturbed_episodes(find_task(task_id), 7)


def test_bot_that_cannot_go_on_says_so():
    task = find_task("babyai/pickup-loc")
    environment = task.make_environment()
    environment.reset(seed=0)
    bot = task.make_expert(environment)
    level = environment.unwrapped
    level.instrs.desc.obj_set = []  # what it looks for is gone
    with pytest.raises(ExpertFailed, match="AssertionError"):
        bot(None)
    environment.close()
