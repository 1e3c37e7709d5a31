# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import hashlib
import subprocess
import sys

import numpy as np
import pytest

from gato_hub.acting.noise import action_noise
from gato_hub.acting.rollout import random_policy, run_episode, run_expert
from gato_hub.suites import find_task
from gato_hub.suites.metaworld import HORIZON, MIDDLE, NAMES, REACH, TASKS, TASKS_OF_TWO_OBJECTS

# With and without an object, goals in the air and on the table, a handle, a wall.
SOME_TASKS = ("reach", "push", "button-press-topdown", "window-close", "push-wall")

# Prints a digest of the observations and rewards of an expert's episode.
EPISODE_DIGEST = """
import hashlib, sys
from gato_hub.acting.rollout import run_expert
from gato_hub.suites import find_task
task = find_task(sys.argv[1])
rollout = run_expert(task, task.make_environment(), int(sys.argv[2]))
digest = hashlib.sha256(b"".join(observation["state"].tobytes() for observation in rollout.observations))
digest.update(repr(rollout.rewards).encode())
sys.stdout.write(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def environments():
    """Environments by task, each made once."""
    made = {}

    def environment(name):
        if name not in made:
            made[name] = find_task(f"metaworld/{name}").make_environment()
        return made[name]

    yield environment
    for environment in made.values():
        environment.close()


def test_the_tasks_are_the_packages():
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    assert len(NAMES) == len(TASKS) == 50
    assert {f"{name}-v3" for name in NAMES} == set(ALL_V3_ENVIRONMENTS)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_the_present_and_the_goal_are_shown(task):
    environment = task.make_environment()
    observation, _ = environment.reset(seed=2**31 - 1)
    policy = task.make_expert(environment)
    simulation = environment.unwrapped
    for _ in range(3):
        assert environment.observation_space.contains(observation)
        state = observation["state"]
        assert len(state) == (13 if task.name in TASKS_OF_TWO_OBJECTS else 10)
        shown = np.delete(state, 3).reshape(-1, 3) * REACH + MIDDLE
        full = environment.get_wrapper_attr("full_observation")
        np.testing.assert_allclose(shown[0], simulation.get_endeff_pos(), atol=1e-6)
        np.testing.assert_allclose(shown[1], full[4:7], atol=1e-6)
        np.testing.assert_allclose(shown[-1], simulation._target_pos, atol=1e-6)
        np.testing.assert_allclose((state[3] + 1) / 2, full[3], atol=1e-6)
        # Of a second object there is nothing to see where there is none.
        assert full[11:14].any() == (len(shown) == 4)
        if len(shown) == 4:
            np.testing.assert_allclose(shown[2], full[11:14], atol=1e-6)
        assert observation["instruction"] == task.name.replace("-", " ")
        action = policy(observation)
        assert environment.action_space.contains(action)
        observation, reward, *_, info = environment.step(action)
        assert type(info["success"]) is bool and np.isfinite(reward)
    assert task.horizon == HORIZON == simulation.max_path_length
    environment.close()


def test_there_is_nothing_else_in_the_full_observation(environments):
    environment = environments("push")
    environment.reset(seed=0)
    before = environment.get_wrapper_attr("full_observation")
    environment.step(np.ones(4))
    np.testing.assert_array_equal(environment.get_wrapper_attr("full_observation")[18:36], before[:18])
    assert not np.array_equal(before[:18], environment.get_wrapper_attr("full_observation")[:18])


@pytest.mark.parametrize("name", SOME_TASKS)
def test_the_scripted_policy_solves_the_task_and_the_episode_ends_there(environments, name):
    for seed in find_task(f"metaworld/{name}").evaluation_seeds[-2:]:
        rollout = run_expert(find_task(f"metaworld/{name}"), environments(name), seed)
        assert rollout.success and rollout.failure is None and rollout.length < 150


@pytest.mark.parametrize("name", SOME_TASKS)
def test_the_scripted_policy_goes_on_from_where_noise_took_it(environments, name):
    environment = environments(name)
    disturb = action_noise(environment.action_space, 0.3, seed=0)
    rollouts = [run_expert(find_task(f"metaworld/{name}"), environment, seed, disturb) for seed in range(2)]
    for rollout in rollouts:
        assert rollout.success and rollout.failure is None
        assert not np.array_equal(rollout.actions, rollout.executed_actions)
        assert all(map(environment.action_space.contains, rollout.actions))


def test_random_actions_solve_nothing_and_are_cut_at_the_horizon(environments):
    rollout = run_episode(environments("push"), 0, random_policy)
    assert rollout.length == HORIZON and rollout.success is False


@pytest.mark.parametrize("name", SOME_TASKS)
def test_a_seed_repeats_its_episode_whatever_came_before(environments, name):
    task, environment = find_task(f"metaworld/{name}"), environments(name)
    first = run_expert(task, environment, 5)
    run_expert(task, environment, 6)
    environment.reset()
    fresh = task.make_environment()
    for replaying in (environment, fresh):
        actions = iter(first.actions)
        again = run_episode(replaying, 5, lambda environment, seed, actions=actions: lambda _: next(actions))
        for one, other in zip(again.observations, first.observations, strict=True):
            np.testing.assert_array_equal(one["state"], other["state"])
        assert again.rewards == first.rewards
    fresh.close()


@pytest.mark.subprocess
def test_a_seed_gives_the_same_episode_in_another_process(environments):
    rollout = run_expert(find_task("metaworld/reach"), environments("reach"), 7)
    digest = hashlib.sha256(b"".join(observation["state"].tobytes() for observation in rollout.observations))
    digest.update(repr(rollout.rewards).encode())
    command = [sys.executable, "-c", EPISODE_DIGEST, "metaworld/reach", "7"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == digest.hexdigest()


def test_seeds_place_goal_and_object_anew(environments):
    environment = environments("push")
    starts = np.array([environment.reset(seed=seed)[0]["state"] for seed in range(60)])
    assert len(np.unique(starts[:, 7:9], axis=0)) == 60  # goals: more than the 50 of the package's benchmarks
    assert len(np.unique(starts[:, 4:6], axis=0)) == 60  # where the object is
    unseeded = np.array([environment.reset()[0]["state"] for _ in range(2)])
    assert not np.array_equal(unseeded[0], unseeded[1])


@pytest.mark.parametrize("action", [np.zeros(3), np.zeros((1, 4)), [0.0, 0.0, 0.0, 1.1], np.full(4, np.nan), 1.0])
def test_other_actions_are_refused(environments, action):
    environment = environments("reach")
    environment.reset(seed=0)
    with pytest.raises(ValueError, match="An action is four numbers"):
        environment.step(action)
