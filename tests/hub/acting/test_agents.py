# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest

from gato_hub.acting.agents import make_agent
from gato_hub.checkpoints.loading import load_checkpoint
from gato_hub.data.prompts import demonstration
from gato_hub.suites import find_task
from gato_hub.system.errors import GatoError

TASK = find_task("classic-control/cart-pole")


@pytest.fixture(scope="module")
def environment():
    environment = TASK.make_environment()
    yield environment
    environment.close()


def test_an_agent_knows_its_task_and_its_spaces(checkpoint, environment):
    agent = make_agent(TASK, *load_checkpoint(checkpoint), environment, seed=1)
    assert agent.observation_space == environment.observation_space
    assert agent.action_space == environment.action_space
    observation, _ = environment.reset(seed=0)
    assert environment.action_space.contains(agent.act(observation))


def test_settings_may_change_the_observation_space(checkpoint, environment):
    agent = make_agent(TASK, *load_checkpoint(checkpoint), environment, observation_space=None)
    assert agent.observation_space is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "`temperature` must be above 0"),
        ({"continuous_actions": "median"}, "`continuous_actions` must be one of"),
        ({"prompt": {"task": TASK.id}}, "the prompt of 'classic-control/cart-pole' can't be used: an episode needs"),
    ],
)
def test_what_a_user_can_mend_is_told(checkpoint, environment, settings, message):
    with pytest.raises(GatoError, match=message):
        make_agent(TASK, *load_checkpoint(checkpoint), environment, **settings)


@pytest.mark.parametrize("num_envs", [None, 2])
def test_a_prompt_that_does_not_fit_is_told_before_the_agent_acts(checkpoint, environment, monkeypatch, num_envs):
    model, processor = load_checkpoint(checkpoint)
    prompt = demonstration(TASK)
    make_agent(TASK, model, processor, environment, num_envs=num_envs, prompt=prompt)
    monkeypatch.setattr(model.config, "max_position_embeddings", 8)
    with pytest.raises(GatoError, match="the last timestep has .* tokens, more than the 4 there is room for"):
        make_agent(TASK, model, processor, environment, num_envs=num_envs, prompt=prompt)
