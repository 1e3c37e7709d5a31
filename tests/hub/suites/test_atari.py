# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest

from gato_hub.suites.atari import EXPERTS, TASKS

pytest.importorskip("ale_py", reason="the extra atari is under the GPL: only who wants it installs it")

TASKS_BY_GAME = {task.name: task for task in TASKS}


@pytest.fixture(params=sorted(EXPERTS))
def task(request):
    return TASKS_BY_GAME[request.param]


def play(task, environment, seed, num_steps, actions=None):
    """(observations, actions, rewards) of the first steps, of the expert where no actions are given."""
    observation, _ = environment.reset(seed=seed)
    policy = task.make_expert(environment) if actions is None else None
    observations, taken, rewards = [observation], [], []
    for step in range(num_steps):
        action = policy(observation) if actions is None else actions[step]
        observation, reward, terminated, truncated, _ = environment.step(action)
        observations.append(observation)
        taken.append(action)
        rewards.append(reward)
        if terminated or truncated:
            break
    return np.stack(observations), taken, rewards


def test_the_benchmark_has_57_games_and_six_of_them_an_expert():
    assert len({task.id for task in TASKS}) == 57
    assert sum(task.make_expert is not None for task in TASKS) == 6
    for task in TASKS:
        assert (task.make_expert is None) == (task.expert is None) and task.extra == "atari"


def test_the_package_has_every_game():
    from ale_py import roms

    assert {game.replace("-", "_") for game in TASKS_BY_GAME} <= set(roms.get_all_rom_ids())


def test_what_the_expert_tries_out_leaves_no_trace(task):
    environment, other = task.make_environment(), task.make_environment()
    observations, actions, rewards = play(task, environment, seed=2**31 - 1, num_steps=40)
    play(task, other, seed=3, num_steps=5, actions=[1] * 5)  # an episode before doesn't matter
    again, _, rewards_again = play(task, other, 2**31 - 1, 40, actions)
    np.testing.assert_array_equal(observations, again)
    assert rewards == rewards_again
    assert all(environment.action_space.contains(action) for action in actions)


def test_seeds_differ_by_the_frames_in_which_actions_stick():
    task = TASKS_BY_GAME["breakout"]
    environment = task.make_environment()
    actions = [1] + [2, 3] * 15
    episodes = [play(task, environment, seed, len(actions), actions)[0] for seed in (0, 1)]
    np.testing.assert_array_equal(episodes[0][0], episodes[1][0])
    assert (episodes[0] != episodes[1]).any()


@pytest.mark.parametrize("game", ["breakout", "ms-pacman", "surround"])
def test_observations_are_pictures_of_the_screen(game):
    environment = TASKS_BY_GAME[game].make_environment(render_mode="rgb_array")
    observations, _, _ = play(TASKS_BY_GAME[game], environment, 0, 5, [0] * 5)
    for observation in observations:
        assert environment.observation_space.contains(observation) and observation.max() > 0
    assert environment.render().shape == (210, 160, 3) and environment.render().dtype == np.uint8


def test_rendering_shows_the_game_and_not_what_was_tried_out():
    task = TASKS_BY_GAME["boxing"]
    environment = task.make_environment(render_mode="rgb_array")
    observation, _ = environment.reset(seed=0)
    before = environment.render().copy()
    task.make_expert(environment)(observation)
    np.testing.assert_array_equal(environment.render(), before)


def test_an_action_that_the_game_lacks_is_refused():
    environment = TASKS_BY_GAME["pong"].make_environment()
    environment.reset(seed=0)
    with pytest.raises(ValueError, match="one of 0 to 5"):
        environment.step(6)


def test_an_episode_ends_after_five_minutes():
    task = TASKS_BY_GAME["pong"]
    environment = task.make_environment()
    environment.reset(seed=0)
    environment._num_steps = task.horizon - 1
    *_, terminated, truncated, _ = environment.step(0)
    assert truncated and not terminated


def test_the_expert_of_boxing_wins_by_knockout():
    task = TASKS_BY_GAME["boxing"]
    _, _, rewards = play(task, task.make_environment(), seed=2**31 - 7, num_steps=task.horizon)
    assert sum(rewards) > 90
