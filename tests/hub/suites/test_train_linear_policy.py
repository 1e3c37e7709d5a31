# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json

import gymnasium
import numpy as np
import pytest
from typer.testing import CliRunner

from gato_hub.suites.experts.linear_policy import LinearPolicy
from gato_hub.suites.train_linear_policy import ObservationStatistics, Search, app, search_policy
from gato_hub.system.errors import GatoError

QUICK = Search(directions=2, best=1, step_size=0.2, noise=0.3, check_every=2, check_episodes=1)


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
    with pytest.raises(GatoError, match=next(iter(wrong))):
        Search(**wrong)
    with pytest.raises(GatoError, match="environment_steps"):
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
    [
        ["no/such-task"],
        ["captions/shapes"],
        ["classic-control/cart-pole"],
        ["mujoco/reacher", "--best=9"],
        ["mujoco/reacher", "--noise=0"],
    ],
)
def test_command_refuses_bad_input(wrong, tmp_path):
    result = CliRunner().invoke(app, [*wrong, f"--output={tmp_path / 'policy.json'}"])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())
