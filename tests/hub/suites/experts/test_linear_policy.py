# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses
import json

import numpy as np
import pytest

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
