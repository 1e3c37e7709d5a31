# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""An agent that reads only what is new acts as one that reads everything again at every step, in every suite."""

import pytest
import torch

from gato_hub.suites import Task, find_task, is_installed, registered_task, suite_of, task_ids
from modeling_gato import GatoAgent, GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

# The first task of each suite.
TASKS = list({suite_of(task_id): task_id for task_id in reversed(task_ids(Task))}.values())


@pytest.fixture(scope="module", params=[True, False], ids=["texts-repeated", "texts-once"])
def actor(request):
    processor = GatoProcessor(repeat_text_observations=request.param)
    torch.manual_seed(0)
    config = GatoConfig.nano(**processor.model_kwargs, num_hidden_layers=2, hidden_size=64, intermediate_size=128)
    # Fresh weights hardly tell one token from another: larger ones do.
    config.initializer_range = 0.2
    return GatoForCausalLM(config).eval(), processor


def re_encoded_action(model, processor, observations, actions, observation_space, action_space):
    """The likeliest legal action after all that was seen and done, from nothing."""
    chosen = []
    ranges = processor.action_token_ranges(action_space)
    inputs = processor(
        observations=observations,
        actions=actions,
        observation_space=observation_space,
        action_space=action_space,
        return_tensors="pt",
    )
    for low, high in ranges:
        with torch.no_grad():
            logits = model(**inputs, use_cache=False).logits[0, -1, low:high]
        chosen.append(int(logits.argmax()) + low)
        token = torch.tensor([[chosen[-1]]])
        inputs["input_ids"] = torch.cat([inputs["input_ids"], token], 1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        place = torch.full_like(token, model.config.num_local_positions)
        inputs["local_position_ids"] = torch.cat([inputs["local_position_ids"], place], 1)
    return processor.decode_action(torch.tensor(chosen), action_space), chosen


@pytest.mark.parametrize("task_id", TASKS)
def test_the_agent_acts_as_if_it_read_everything_again(actor, task_id):
    model, processor = actor
    if not is_installed(registered_task(task_id)):
        pytest.skip(f"the packages of {task_id} are not installed")
    task = find_task(task_id)
    environment = task.make_environment()
    spaces = environment.observation_space, environment.action_space
    agent = GatoAgent(model, processor, spaces[1], do_sample=False, observation_space=spaces[0])
    observation, _ = environment.reset(seed=task.evaluation_seeds[0])
    observations, actions = [], []
    for _ in range(5):
        observations.append(observation)
        action = agent.act(observation)
        _, expected = re_encoded_action(model, processor, observations, actions, *spaces)
        assert processor.encode_action(action, spaces[1]).tolist() == expected
        actions.append(action)
        observation, _, terminated, truncated, _ = environment.step(action)
        if terminated or truncated:
            break
    assert len(actions) >= 2
    environment.close()
