# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses
import json
import math

import gymnasium
import numpy as np
import pytest
from typer.testing import CliRunner

from gato_hub.suites import find_task
from gato_hub.suites.experts.linear_policy import (
    TRAINED_POLICIES,
    LinearPolicy,
    linearize,
    mujoco_transition,
    solve_regulator,
    trained_policy,
    trained_policy_path,
)
from gato_hub.suites.experts.two_link_arm import reach_angles
from gato_hub.suites.train_linear_policy import ObservationStatistics, Search, app, search_policy

QUICK = Search(directions=2, best=1, step_size=0.2, noise=0.3, check_every=2, check_episodes=1)


def random_policy(random):
    return LinearPolicy(random.standard_normal((2, 3)), random.standard_normal(3), np.array([1.0, 2.0, 0.5]))


def test_linearizes_a_pendulum():
    import mujoco

    model = mujoco.MjModel.from_xml_string(
        """<mujoco><option timestep="0.001" gravity="0 0 -9.81"/>
        <worldbody><body><joint name="hinge" type="hinge" axis="0 1 0"/>
        <geom type="sphere" pos="0 0 2" size="0.001" mass="3"/></body></worldbody>
        <actuator><motor joint="hinge"/></actuator></mujoco>"""
    )
    by_state, by_control = linearize(mujoco_transition(model, 1), np.zeros(2), np.zeros(1))
    # Upright: acceleration = gravity / length * angle + torque / (mass * length^2).
    step, push, answer = 0.001, 9.81 / 2, 1 / (3 * 2**2)
    np.testing.assert_allclose(by_state, [[1 + step**2 * push, step], [step * push, 1]], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(by_control, [[step**2 * answer], [step * answer]], rtol=1e-4)


def test_refuses_to_linearize_quaternions():
    import mujoco

    model = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body><freejoint/><geom size="1"/></body></worldbody></mujoco>'
    )
    with pytest.raises(ValueError, match="quaternions"):
        mujoco_transition(model, 1)


def test_regulator_pays_what_its_cost_matrix_says_and_no_gains_pay_less():
    by_state, by_control = np.array([[1.0, 0.1], [0.2, 1.1]]), np.array([[0.0], [0.5]])
    gains, cost = solve_regulator(by_state, by_control, np.array([1.0, 2.0]), np.array([0.5]))

    def paid(gains):
        state, total = np.array([1.0, -0.5]), 0.0
        for _ in range(2000):
            control = -gains @ state
            total += state @ np.diag([1.0, 2.0]) @ state + 0.5 * control @ control
            state = by_state @ state + by_control @ control
        return total

    least = np.array([1.0, -0.5]) @ cost @ np.array([1.0, -0.5])
    assert paid(gains) == pytest.approx(least)
    for shift in (np.array([[0.1, 0.0]]), np.array([[0.0, -0.1]])):
        assert paid(gains + shift) > least and paid(gains - shift) > least


def test_regulator_refuses_a_system_that_can_not_be_controlled():
    with pytest.raises(ValueError, match="does not settle"):
        solve_regulator(np.array([[2.0]]), np.array([[0.0]]), np.ones(1), np.ones(1), steps=200)


@pytest.mark.parametrize("target", [(0.15, 0.05), (-0.1, 0.1), (0.02, -0.05)])
def test_arm_reaches_its_target_by_the_nearer_of_two_ways(target):
    for angles in (np.array([0.3, 1.0]), np.array([-2.0, -1.5])):
        shoulder, elbow = reach_angles(np.array(target), 0.1, 0.11, angles)
        tip = 0.1 * np.array([math.cos(shoulder), math.sin(shoulder)])
        tip += 0.11 * np.array([math.cos(shoulder + elbow), math.sin(shoulder + elbow)])
        np.testing.assert_allclose(tip, target, atol=1e-9)
        assert abs(shoulder - angles[0]) <= math.pi + 1e-9
    left, right = (reach_angles(np.array([0.1, 0.1]), 0.1, 0.11, np.array([0.8, elbow])) for elbow in (1.0, -1.0))
    assert left[1] > 0 > right[1]


def test_arm_stretches_towards_a_target_out_of_reach():
    shoulder, elbow = reach_angles(np.array([0.0, 5.0]), 0.1, 0.11, np.zeros(2))
    assert (shoulder, elbow) == (pytest.approx(math.pi / 2), 0.0)


def test_policy_is_the_same_after_saving(tmp_path):
    policy = random_policy(np.random.default_rng(0))
    policy.save(tmp_path / "policy.json", task="suite/name", seed=3)
    loaded = LinearPolicy.load(tmp_path / "policy.json")
    for field in dataclasses.fields(LinearPolicy):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(policy, field.name))
    assert json.loads((tmp_path / "policy.json").read_text())["seed"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["policy.json"]


def test_policy_acts_inside_the_bounds():
    policy = LinearPolicy(np.array([[10.0, 0.0], [0.0, 1.0]]), np.array([1.0, 0.0]), np.array([1.0, 2.0]))
    action = policy.action(np.array([3.0, 1.0]), np.full(2, -1.0), np.full(2, 1.0))
    np.testing.assert_array_equal(action, np.array([1.0, 0.5], dtype=np.float32))
    assert action.dtype == np.float32


def test_policy_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"mean and a std of shape \(3,\)"):
        LinearPolicy(np.zeros((2, 3)), np.zeros(2), np.ones(3))
    with pytest.raises(ValueError, match="two axes"):
        LinearPolicy(np.zeros(3), np.zeros(3), np.ones(3))


def test_trained_policies_are_small_and_fit_their_tasks():
    paths = sorted(TRAINED_POLICIES.glob("*.json"))
    assert len(paths) >= 3
    for path in paths:
        facts = json.loads(path.read_text())
        assert path.stat().st_size < 10_000
        assert path == trained_policy_path(facts["task"])
        assert facts["task"] in facts["command"] and f"--seed={facts['seed']}" in facts["command"]
        environment = find_task(facts["task"]).make_environment()
        actions, observations = environment.action_space.shape[0], environment.observation_space["state"].shape[0]
        assert trained_policy(facts["task"]).matrix.shape == (actions, observations)
        environment.close()


def test_a_task_without_a_trained_policy_is_refused():
    with pytest.raises(FileNotFoundError):
        trained_policy("mujoco/no-such-task")


def test_statistics_are_those_of_all_observations():
    random = np.random.default_rng(0)
    parts = [random.normal(5, (1, 2, 0), (length, 3)) for length in (1, 7, 40)]
    statistics = ObservationStatistics(3)
    for part in parts:
        statistics.add(part)
    observations = np.concatenate(parts)
    np.testing.assert_allclose(statistics.mean, observations.mean(axis=0))
    np.testing.assert_allclose(statistics.std[:2], observations.std(axis=0)[:2])
    assert statistics.std[2] == 1.0  # never changed


class Steering(gymnasium.Env):
    """Ten steps; the reward is high where the action is the observation."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._next(), {}

    def step(self, action):
        self.steps += 1
        reward = -float(np.abs(action - self.shown).sum())
        return self._next(), reward, False, self.steps == 10, {}

    def _next(self):
        self.shown = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.shown


def test_search_learns():
    search = Search(directions=4, best=2, step_size=0.05, noise=0.05, check_every=5, check_episodes=3)
    told = []
    policy, steps = search_policy(
        Steering(), search, iter(range(10**6)), 20_000, advance=lambda steps, note: told.append(steps)
    )
    observation = np.array([0.3, -0.5])
    np.testing.assert_allclose(policy.action(observation, np.full(2, -1), np.full(2, 1)), observation, atol=0.15)
    assert steps == sum(told) >= 20_000


def test_search_ends_at_its_target():
    _, steps = search_policy(Steering(), QUICK, iter(range(10**6)), 10**6, target=-1000)
    assert steps == QUICK.check_every * 2 * QUICK.directions * 10 + 10


def test_search_is_decided_by_its_seed():
    one, again, other = (
        search_policy(Steering(), QUICK, iter(range(10**6)), 500, seed=seed)[0].matrix for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "wrong", [{"best": 9}, {"best": 0}, {"step_size": 0.0}, {"noise": -1.0}, {"check_every": 0}], ids=str
)
def test_search_refuses_settings_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Search(**wrong)
    with pytest.raises(ValueError, match="environment_steps"):
        search_policy(Steering(), QUICK, iter(range(10)), 0)


def test_command_writes_a_policy_that_loads(tmp_path):
    options = ["--steps=200", "--directions=2", "--best=1", "--seed=5"]
    for name in ("one.json", "again.json"):
        result = CliRunner().invoke(app, ["mujoco/reacher", *options, f"--output={tmp_path / name}"])
        assert result.exit_code == 0, result.output
    assert (tmp_path / "one.json").read_text() == (tmp_path / "again.json").read_text()
    assert LinearPolicy.load(tmp_path / "one.json").matrix.shape == (2, 10)
    facts = json.loads((tmp_path / "one.json").read_text())
    assert facts["command"].startswith("python -m gato_hub.suites.train_linear_policy mujoco/reacher")
    assert facts["versions"]["mujoco"] and facts["environment_steps"] >= 200


@pytest.mark.parametrize(
    "wrong",
    [["no/such-task"], ["classic-control/cart-pole"], ["mujoco/reacher", "--best=9"], ["mujoco/reacher", "--noise=0"]],
)
def test_command_refuses_bad_input(wrong, tmp_path):
    result = CliRunner().invoke(app, [*wrong, f"--output={tmp_path / 'policy.json'}"])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())
