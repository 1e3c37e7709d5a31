# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from gato_hub.acting.noise import action_noise
from gato_hub.acting.rollout import random_policy, run_episode, run_expert
from gato_hub.suites import (
    BaseTask,
    DocumentTask,
    UnknownTaskError,
    find_task,
    matching_task_ids,
    register_task,
    registered_task,
    registry,
    suite_of,
    task_ids,
)
from gato_hub.suites.babyai import JAT_LEVELS
from gato_hub.system.errors import GatoError, MissingPackageError

TASKS = [registered_task(task_id) for task_id in task_ids()]
OPTIONAL_SUITES = {"atari"}
SUITES = {task.suite for task in TASKS}

# One task that is quick to play of every suite that the tests install.
REPRESENTATIVES = (
    "babyai/go-to-local",
    "box2d/lunar-lander",
    "classic-control/pendulum",
    "dm-control/point-mass-easy",
    "metaworld/reach",
    "minigrid/door-key-5x5",
    "mujoco/reacher",
    "sokoban/7x7-1-box",
)


@pytest.fixture(params=REPRESENTATIVES)
def task(request):
    return find_task(request.param)


def assert_same(one, other):
    """Observations are equal to the last bit."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    else:
        np.testing.assert_array_equal(one, other)


# ---------------------------------------------------------------------------------------------------------------
# The list of tasks
# ---------------------------------------------------------------------------------------------------------------


def test_every_suite_has_a_representative_here():
    assert set(map(suite_of, REPRESENTATIVES)) == SUITES - OPTIONAL_SUITES


def test_over_two_hundred_tasks_of_seven_suites_have_measured_scores():
    measured = [task for task in TASKS if task.counts_in_means]
    assert len(measured) >= 200
    assert len({task.suite for task in measured}) >= 7
    for task in measured:
        for score in (task.random_score, task.expert_score):
            assert score.episodes >= 20 and score.std_return >= 0.0
            assert score.first_seed in task.evaluation_seeds
            assert (score.success_rate is None) == (task.score == "return")
        assert task.reference.tokens_a_step > 2 and task.reference.command.startswith("gato measure")


def test_metaworlds_experts_solve_it_and_the_bot_is_as_good_as_published():
    rates = [task.expert_score.success_rate for task in TASKS if task.suite == "metaworld"]
    assert len(rates) == 50 and np.mean(rates) >= 0.98
    differences = [
        registered_task(name).expert_score.mean_return - published for name, published in JAT_LEVELS.items()
    ]
    assert len(differences) == 39 and abs(np.mean(differences)) <= 0.02


def test_ids_name_suite_and_task_and_find_that_task():
    ids = task_ids() + task_ids(DocumentTask)
    assert len(set(ids)) == len(ids)
    for task_id in ids:
        assert registered_task(task_id).id == task_id and task_id == task_id.lower()
        assert task_id.count("/") == 1 and "_" not in task_id


def test_names_mean_tasks_suites_and_patterns():
    assert matching_task_ids(["babyai/go-to-local", "sokoban/7x7-1-box"]) == (
        "babyai/go-to-local",
        "sokoban/7x7-1-box",
    )
    assert len(matching_task_ids(["metaworld"])) == 50
    assert set(matching_task_ids(["classic-control/mountain-car*"])) == {
        "classic-control/mountain-car",
        "classic-control/mountain-car-continuous",
    }
    assert matching_task_ids(["!sokoban/8x8-*", "sokoban", "!sokoban/10x10-4-boxes"]) == (
        "sokoban/7x7-1-box",
        "sokoban/7x7-2-boxes",
    )
    everything = matching_task_ids(["all"])
    assert {"captions/shapes", *REPRESENTATIVES} <= set(everything)
    assert all(isinstance(task, DocumentTask) or task.make_expert for task in map(find_task, everything))


@pytest.mark.parametrize("name", ["babyai/go-to-locla", "metawolrd", "babyai/no-such-*"])
def test_unknown_names_are_refused_with_the_nearest_ones(name):
    nearest = {"babyai/go-to-locla": "babyai/go-to-local", "metawolrd": "metaworld", "babyai/no-such-*": "babyai"}
    with pytest.raises(UnknownTaskError, match=f"There is no task .*{nearest[name]}"):
        matching_task_ids([name])
    with pytest.raises(UnknownTaskError, match="There is no task"):
        find_task(name)


def test_a_missing_package_names_the_command_that_installs_it(task):
    crippled = dataclasses.replace(task, packages=("no-such-package-anywhere",))
    with pytest.raises(MissingPackageError, match=rf"pip install 'gato-transformers\[{task.extra}\]'"):
        crippled.check_installed()


@pytest.fixture
def registered(monkeypatch):
    """Tasks that a test registers are forgotten after it."""
    monkeypatch.setattr(registry, "_TASKS", dict(registry._TASKS))


def test_a_registered_task_is_found_like_any_other(registered):
    task = dataclasses.replace(registered_task("sokoban/7x7-1-box"), id="warehouse/night-shift-2")
    register_task(task)
    assert find_task("warehouse/night-shift-2") is task
    assert (task.suite, task.name) == ("warehouse", "night-shift-2")
    assert matching_task_ids(["warehouse", "sokoban/7x7-1-box"]) == ("sokoban/7x7-1-box", "warehouse/night-shift-2")
    assert task_ids()[-1] == "warehouse/night-shift-2"
    assert "warehouse/night-shift-2" not in registry.BUILT_IN_TASK_IDS


@pytest.mark.parametrize(
    "task_id", ["warehouse", "warehouse/", "a/b/c", "Warehouse/x", "ware house/x", "w/night_shift", ""]
)
def test_a_malformed_id_is_not_registered(task_id, registered):
    task = dataclasses.replace(registered_task("sokoban/7x7-1-box"), id=task_id)
    with pytest.raises(GatoError, match="is not `suite/task-name`"):
        register_task(task)
    assert task_id not in task_ids(BaseTask)


def test_an_id_is_registered_once(registered):
    with pytest.raises(GatoError, match="already a task 'sokoban/7x7-1-box'"):
        register_task(registered_task("sokoban/7x7-1-box"))


def test_training_and_evaluation_seeds_do_not_meet():
    for task in TASKS:
        assert task.train_seeds[-1] < task.evaluation_seeds[0]


@pytest.mark.subprocess
def test_suites_and_collection_load_without_torch_or_environments():
    code = (
        "import sys; import gato_hub.suites, gato_hub.data.collect;"
        "loaded = {'torch', 'gymnasium', 'minigrid', 'metaworld', 'mujoco', 'dm_control'} & set(sys.modules);"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------------------------------------------------------
# Environments and experts
# ---------------------------------------------------------------------------------------------------------------


def test_random_actions_keep_to_the_spaces_until_the_episode_ends(task):
    environment = task.make_environment()
    rollout = run_episode(environment, 2**31 - 1, random_policy)
    environment.close()
    assert 0 < rollout.length <= (task.horizon or 10_000)
    assert all(environment.observation_space.contains(observation) for observation in rollout.observations)
    assert (rollout.success is not None) == (task.score == "success")


def test_a_disturbed_expert_episode_replays_from_its_seed(task):
    environment = task.make_environment()
    recorded = run_expert(task, environment, 5, action_noise(environment.action_space, 0.1, 5))
    other = run_expert(task, environment, 6)
    actions = iter(recorded.executed_actions)
    replayed = run_episode(environment, 5, lambda *_: lambda observation: next(actions))
    environment.close()

    fresh = task.make_environment()
    actions = iter(recorded.executed_actions)
    replayed_afresh = run_episode(fresh, 5, lambda *_: lambda observation: next(actions))
    fresh.close()
    for again in (replayed, replayed_afresh):
        assert again.rewards == recorded.rewards and again.success == recorded.success
        for one, another in zip(recorded.observations, again.observations, strict=True):
            assert_same(one, another)
    with pytest.raises(AssertionError):
        for one, another in zip(recorded.observations, other.observations, strict=False):
            assert_same(one, another)


def test_the_expert_is_better_than_chance_and_acts_within_the_space(task):
    environment = task.make_environment()
    seeds = task.evaluation_seeds[:3]
    expert = [run_expert(task, environment, seed) for seed in seeds]
    chance = [run_episode(environment, seed, random_policy) for seed in seeds]
    environment.close()
    assert all(rollout.failure is None for rollout in expert)
    for action in expert[0].actions:
        assert environment.action_space.contains(np.asarray(action, environment.action_space.dtype)[()])

    def mean_score(rollouts):
        # Where success ends the episode, its return may be below that of an episode that goes on without it.
        return np.mean([one.success if task.score == "success" else one.episode_return for one in rollouts])

    assert mean_score(expert) > mean_score(chance)
