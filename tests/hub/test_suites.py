# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from gato_hub.rollout import random_policy, run_episode
from gato_hub.suites import ExpertFailed, find_task, task_ids
from gato_hub.suites.babyai import _limited_processor_time, draw_view


@pytest.fixture(params=task_ids())
def task(request):
    return find_task(request.param)


def test_ids_name_suite_and_task_and_find_that_task():
    assert {"babyai/go-to-red-ball-grey", "babyai/go-to-local"} <= set(task_ids())
    for task_id in task_ids():
        assert find_task(task_id).id == task_id


def test_unknown_task_is_refused_with_the_nearest_names():
    with pytest.raises(ValueError, match="babyai/go-to-locla.*babyai/go-to-local"):
        find_task("babyai/go-to-locla")


def test_missing_package_names_the_command_that_installs_it(task):
    crippled = dataclasses.replace(task, packages=("no-such-package-anywhere",))
    with pytest.raises(ImportError, match=r"pip install 'gato-transformers\[babyai\]'"):
        crippled.check_installed()


def test_training_and_evaluation_seeds_do_not_meet(task):
    assert not set(task.train_seeds[:: 2**20]) & set(task.evaluation_seeds[:: 2**20])
    assert task.train_seeds[-1] < task.evaluation_seeds[0]


def test_environment_keeps_to_its_spaces(task):
    environment = task.make_environment()
    rollout = run_episode(environment, 3, random_policy)
    assert rollout.length > 0
    for observation in rollout.observations:
        assert environment.observation_space.contains(observation)
    environment.close()


def test_the_same_seed_gives_the_same_episode(task):
    environment = task.make_environment()
    first, second, other = (
        run_episode(environment, seed, lambda environment, seed: task.make_expert(environment)) for seed in (5, 5, 6)
    )
    environment.close()
    assert first.actions == second.actions
    for one, another in zip(first.observations, second.observations, strict=True):
        assert one["mission"] == another["mission"]
        np.testing.assert_array_equal(one["image"], another["image"])
    assert any(
        not np.array_equal(one["image"], another["image"])
        for one, another in zip(first.observations, other.observations, strict=False)
    )


def test_expert_solves_fresh_episodes(task):
    environment = task.make_environment()
    seeds = task.evaluation_seeds[:20]
    rollouts = [run_episode(environment, seed, lambda environment, _: task.make_expert(environment)) for seed in seeds]
    environment.close()
    assert all(rollout.success and rollout.failure is None for rollout in rollouts)
    mean_return = np.mean([rollout.episode_return for rollout in rollouts])
    assert mean_return == pytest.approx(task.expert_score.mean_return, abs=0.05)


def test_view_is_drawn_row_by_row_at_four_pixels_a_cell():
    grid = np.zeros((7, 7, 3), dtype=np.uint8)
    grid[2, 5] = (10, 5, 2)  # column 2, row 5
    grid[0, 0] = (6, 0, 1)
    view = draw_view(grid)
    assert view.shape == (28, 28, 3) and view.dtype == np.uint8
    assert (view[20:24, 8:12] == 255).all()
    assert view.sum() == 16 * (3 * 255 + 153 + 128)
    assert (view[:4, :4] == (153, 0, 128)).all()


def test_every_cell_value_has_its_own_colour():
    kinds = np.arange(11)
    grid = np.zeros((11, 1, 3), dtype=np.uint8)
    grid[:, 0, 0] = kinds
    assert len(np.unique(draw_view(grid)[0, ::4, 0])) == 11


def test_view_refuses_values_that_have_no_colour():
    grid = np.zeros((7, 7, 3), dtype=np.uint8)
    grid[0, 0, 1] = 6
    with pytest.raises(ValueError, match="largest values"):
        draw_view(grid)
    with pytest.raises(ValueError, match="shape"):
        draw_view(np.zeros((7, 7)))


def test_endless_planning_is_given_up():
    with pytest.raises(ExpertFailed, match="processor time"):
        with _limited_processor_time(0.01):
            for _ in range(10**9):
                pass


def test_an_expert_that_fails_ends_the_episode(task):
    environment = task.make_environment()

    def make_policy(environment, seed):
        def policy(observation):
            if environment.unwrapped.step_count == 2:
                raise ExpertFailed("lost")
            return 0

        return policy

    rollout = run_episode(environment, 0, make_policy)
    environment.close()
    assert rollout.failure == "lost" and rollout.length == 2 and not rollout.success


def test_suites_and_collection_load_without_torch():
    code = (
        "import sys; from gato_hub.suites import find_task; import gato_hub.collect;"
        "find_task('babyai/go-to-local').make_environment(); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
