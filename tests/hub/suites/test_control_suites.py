# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Classic control, Box2D, Gymnasium's MuJoCo tasks and the DeepMind Control Suite: environments and experts."""

import numpy as np
import pytest

from gato_hub.acting.noise import action_noise
from gato_hub.acting.rollout import random_policy, run_episode, run_expert
from gato_hub.suites import box2d, classic_control, dm_control, gymnasium_mujoco

TASKS = {task.id: task for suite in (classic_control, box2d, gymnasium_mujoco, dm_control) for task in suite.TASKS}

# What random actions stay under and the expert stays over, in each of the few episodes here.
BETWEEN_RANDOM_AND_EXPERT = {
    "classic-control/cart-pole": 450,
    "classic-control/acrobot": -300,
    "classic-control/mountain-car": -150,
    "classic-control/mountain-car-continuous": 90,
    "classic-control/pendulum": -500,
    "box2d/lunar-lander": 150,
    "box2d/lunar-lander-continuous": 150,
    "mujoco/inverted-pendulum": 900,
    "mujoco/inverted-double-pendulum": 9000,
    "mujoco/reacher": -15,
    "mujoco/swimmer": 300,
    "mujoco/hopper": 2000,
    "mujoco/half-cheetah": 1500,
    "dm-control/cartpole-balance": 900,
    "dm-control/cartpole-balance-sparse": 900,
    "dm-control/cartpole-swingup": 700,
    "dm-control/cartpole-swingup-sparse": 600,
    "dm-control/pendulum-swingup": 500,
    "dm-control/point-mass-easy": 700,
    "dm-control/point-mass-hard": 700,
    "dm-control/reacher-easy": 800,
    "dm-control/reacher-hard": 800,
    "dm-control/ball-in-cup-catch": 250,
}


@pytest.fixture(params=TASKS)
def task(request):
    return TASKS[request.param]


def play_steps(environment, seed, choose_action, most_steps=150):
    """The first steps of an episode: observations, actions, rewards."""
    observation, _ = environment.reset(seed=seed)
    observations, actions, rewards = [observation], [], []
    for step in range(most_steps):
        actions.append(choose_action(step, observation))
        observation, reward, terminated, truncated, _ = environment.step(actions[-1])
        observations.append(observation)
        rewards.append(reward)
        if terminated or truncated:
            break
    return observations, actions, rewards


def test_expert_is_far_above_random_actions(task):
    environment = task.make_environment()
    bound = BETWEEN_RANDOM_AND_EXPERT[task.id]
    for seed in task.evaluation_seeds[-1 if task.horizon == 1000 else -3 :]:
        expert = run_expert(task, environment, seed)
        assert expert.failure is None
        assert expert.length <= task.horizon
        assert all(map(environment.action_space.contains, expert.actions))
        assert all(map(environment.observation_space.contains, expert.observations))
        assert run_episode(environment, seed, random_policy).episode_return < bound < expert.episode_return
    environment.close()


def test_actions_give_the_same_episode_after_another_one_and_in_another_environment(task):
    environment, other = task.make_environment(), task.make_environment()
    policies = {}

    def disturbed_expert(step, observation):
        if step == 0:
            policies["expert"] = task.make_expert(environment)
        return disturb(policies["expert"](observation))

    disturb = action_noise(environment.action_space, 0.1, seed=0)
    seed = task.evaluation_seeds[-1]
    observations, actions, rewards = play_steps(environment, seed, disturbed_expert)
    played_between, _, _ = play_steps(environment, seed - 1, disturbed_expert)
    assert not np.array_equal(played_between[0]["state"], observations[0]["state"])
    for replaying in (environment, other):
        again, _, rewards_again = play_steps(replaying, seed, lambda step, _: actions[step], len(actions))
        assert [step["instruction"] for step in again] == [step["instruction"] for step in observations]
        np.testing.assert_array_equal([step["state"] for step in again], [step["state"] for step in observations])
        assert rewards_again == rewards
        replaying.close()


@pytest.mark.parametrize("task_id", ["mujoco/inverted-pendulum", "dm-control/point-mass-hard", "box2d/lunar-lander"])
def test_expert_answers_to_what_was_executed(task_id):
    task = TASKS[task_id]
    environment = task.make_environment()
    disturb = action_noise(environment.action_space, 0.05, seed=0)
    rollout = run_expert(task, environment, task.evaluation_seeds[-1], disturb)
    assert rollout.episode_return > BETWEEN_RANDOM_AND_EXPERT[task_id]
    environment.close()


def test_mountain_car_goes_on_as_the_environment_does():
    environment = classic_control.make_environment("MountainCar-v0")
    (position, velocity), _ = environment.reset(seed=0)
    environment.action_space.seed(0)
    for _ in range(150):
        push = environment.action_space.sample()
        expected = classic_control._move_car(position, velocity, push)
        (position, velocity), *_ = environment.step(push)
        np.testing.assert_allclose((position, velocity), expected, atol=1e-6)
    environment.close()


def test_look_alikes_are_told_apart_by_their_names():
    shown = {}
    for task_id in ("classic-control/pendulum", "dm-control/pendulum-swingup"):
        environment = TASKS[task_id].make_environment()
        shown[task_id], _ = environment.reset(seed=0)
        assert environment.observation_space.contains(shown[task_id])
        environment.close()
    one, other = shown.values()
    assert one["state"].shape == other["state"].shape == (3,)
    assert one["instruction"] == "pendulum" and other["instruction"] == "pendulum swingup"


def test_control_suite_shows_the_entries_of_the_observation_in_their_order():
    environment = dm_control.make_environment("reacher", "easy")
    shown, _ = environment.reset(seed=4)
    physics = environment.unwrapped.physics
    angles = physics.position()
    entries = [np.cos(angles), np.sin(angles), physics.finger_to_target(), physics.velocity()]
    np.testing.assert_array_equal(shown, np.concatenate(entries).astype(np.float32))
    environment.close()
    environment = dm_control.make_environment("point_mass", "easy")
    shown, _ = environment.reset(seed=4)
    physics = environment.unwrapped.physics
    entries = [physics.position(), physics.velocity()]
    np.testing.assert_array_equal(shown, np.concatenate(entries).astype(np.float32))
    environment.close()


def test_control_suite_ends_by_truncation_and_unseeded_episodes_differ():
    environment = dm_control.make_environment("point_mass", "easy")
    first, _ = environment.reset(seed=1)
    second, _ = environment.reset()
    assert not np.array_equal(first, second)
    still = np.zeros(2, dtype=np.float32)
    ends = [environment.step(still)[2:4] for _ in range(1000)]
    assert ends == [(False, False)] * 999 + [(False, True)]
    environment.close()


def test_control_suite_refuses_other_render_modes():
    with pytest.raises(ValueError, match="rgb_array"):
        dm_control.make_environment("point_mass", "easy", render_mode="human")


@pytest.mark.parametrize("task_id", ["classic-control/acrobot", "box2d/lunar-lander"])
def test_renders_without_a_display(task_id):
    environment = TASKS[task_id].make_environment(render_mode="rgb_array")
    environment.reset(seed=0)
    frame = environment.render()
    assert frame.ndim == 3 and frame.shape[2] == 3 and frame.dtype == np.uint8
    environment.close()
