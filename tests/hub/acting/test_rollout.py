# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses

import gymnasium
import pytest

from gato_hub.acting.play import play
from gato_hub.acting.rollout import (
    EnvironmentFailed,
    calling_environment,
    limited_processor_time,
    random_policy,
    run_episode,
    run_expert,
)
from gato_hub.checkpoints.loading import load_checkpoint
from gato_hub.suites import ExpertFailed, find_task

TASK = find_task("classic-control/cart-pole")


class FailsAtTheThirdStep(gymnasium.Wrapper):
    def reset(self, **options):
        self.steps = 0
        return super().reset(**options)

    def step(self, action):
        self.steps += 1
        if self.steps == 3:
            raise KeyError("robot")
        return super().step(action)

    def render(self):
        raise OSError("no OpenGL")


UNRELIABLE = dataclasses.replace(
    TASK, make_environment=lambda render_mode=None: FailsAtTheThirdStep(TASK.make_environment())
)


def test_an_error_of_an_environment_is_told_from_ours():
    with pytest.raises(EnvironmentFailed, match="KeyError: 'robot'") as caught, calling_environment():
        raise KeyError("robot")
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(EnvironmentFailed, match="KeyError: 'robot'"):
        run_episode(UNRELIABLE.make_environment(), 0, random_policy)


def test_an_error_of_a_policy_is_not_the_environment_s():
    def broken_policy(observation):
        raise KeyError("weights")

    with pytest.raises(KeyError, match="weights"):
        run_episode(TASK.make_environment(), 0, lambda environment, seed: broken_policy)


def test_an_expert_that_fails_ends_its_episode():
    def make_expert(environment):
        def policy(observation):
            raise ExpertFailed("no way out")

        return policy

    rollout = run_expert(dataclasses.replace(TASK, make_expert=make_expert), TASK.make_environment(), 0)
    assert rollout.failure == "no way out" and rollout.length == 0


def test_playing_goes_on_without_pictures_and_ends_with_the_environment_s_error(checkpoint):
    steps = play(UNRELIABLE, 0, *load_checkpoint(checkpoint), seed=0)
    shown = [next(steps), next(steps)]
    assert [step.frame for step in shown] == [None, None]
    with pytest.raises(EnvironmentFailed, match="robot"):
        next(steps)


def test_endless_planning_is_given_up():
    with pytest.raises(ExpertFailed, match="processor time"), limited_processor_time(0.01):
        for _ in range(10**9):
            pass
