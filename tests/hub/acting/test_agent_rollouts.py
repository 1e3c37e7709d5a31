# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Episodes of an untrained model in environments that fail."""

import gymnasium
import numpy as np
import pytest

from gato_hub.acting.agent_rollouts import run_agent
from gato_hub.checkpoints.loading import load_checkpoint
from gato_hub.evaluation.policies import evaluate_agent
from gato_hub.suites.task import Task
from gato_hub.system.errors import GatoError


class Unreliable(gymnasium.Env):
    """Three steps an episode; fails as the seed says."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.seed, self.steps = seed % 10, 0
        if self.seed == 1:
            raise RuntimeError("no start")
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        if self.seed == 2 and self.steps == 2:
            raise RuntimeError("lost the robot")
        value = np.nan if self.seed == 3 and self.steps == 2 else 0.0
        reward = np.inf if self.seed == 4 else 1.0
        return np.full(2, value, np.float32), reward, self.steps == 3, False, {}


UNRELIABLE = Task(
    id="classic-control/unreliable",
    extra="",
    packages=(),
    make_environment=lambda render_mode=None: Unreliable(),
    make_expert=None,
    expert=None,
    score="return",
)


@pytest.mark.parametrize("num_environments", [1, 2, 6])
def test_an_episode_that_fails_tells_why_and_the_others_go_on(checkpoint, num_environments):
    model, processor = load_checkpoint(checkpoint)
    results = evaluate_agent(UNRELIABLE, range(6), model, processor, num_environments=num_environments, seed=0)
    assert [result.seed for result in results] == list(range(6))
    whole = [result for result in results if result.error is None]
    assert [result.seed for result in whole] == [0, 5]
    assert all(result.episode_return == 3 and result.length == 3 for result in whole)
    errors = {result.seed: result.error for result in results if result.error}
    assert errors[1] == "step 0: RuntimeError: no start"
    assert errors[2] == "step 1: RuntimeError: lost the robot"
    assert "observation that is not finite" in errors[3] and "reward inf" in errors[4]


def test_all_episodes_may_fail(checkpoint):
    model, processor = load_checkpoint(checkpoint)
    (result,) = evaluate_agent(UNRELIABLE, [1], model, processor)
    assert result.error


def test_what_a_user_can_mend_is_told(checkpoint):
    model, processor = load_checkpoint(checkpoint)
    with pytest.raises(GatoError, match=r"num_environments \(32\) and the number of seeds \(0\)"):
        list(run_agent(UNRELIABLE, [], model, processor))
    with pytest.raises(GatoError, match="'classic-control/unreliable' has no expert to ask"):
        list(run_agent(UNRELIABLE, [1], model, processor, ask_expert=True))


def test_an_error_of_the_model_is_no_failed_episode(checkpoint, monkeypatch):
    model, processor = load_checkpoint(checkpoint)

    def broken(*arguments, **options):
        raise TypeError("a bug")

    monkeypatch.setattr(model.model, "forward", broken)
    with pytest.raises(TypeError, match="a bug"):
        list(run_agent(UNRELIABLE, [0], model, processor))
