# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
import torch

from gato_hub.evaluation.policies import (
    evaluate_agent,
    evaluate_expert,
    evaluate_random,
)
from gato_hub.suites import find_task
from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

TASK = find_task("babyai/go-to-local")
SEEDS = TASK.evaluation_seeds[:5]


@pytest.fixture(scope="module")
def untrained():
    processor = GatoProcessor(repeat_text_observations=False)
    torch.manual_seed(0)
    config = GatoConfig.nano(**processor.model_kwargs, num_hidden_layers=1, hidden_size=32, intermediate_size=64)
    return GatoForCausalLM(config).eval(), processor


def test_results_are_those_of_the_seeds_in_their_order():
    forward = evaluate_random(TASK, SEEDS)
    assert [result.seed for result in forward] == list(SEEDS)
    assert evaluate_random(TASK, SEEDS[::-1]) == forward[::-1]
    for result in forward:
        assert result.success == (result.episode_return > 0)
        assert 1 <= result.length <= 64


def test_the_expert_succeeds_and_takes_fewer_steps_than_chance():
    expert, chance = evaluate_expert(TASK, SEEDS), evaluate_random(TASK, SEEDS)
    assert all(result.success for result in expert)
    assert np.mean([result.length for result in expert]) < np.mean([result.length for result in chance])


@pytest.mark.parametrize("num_environments", [1, 2, 8])
def test_agent_runs_every_seed_once_however_many_environments(untrained, num_environments):
    model, processor = untrained
    results = evaluate_agent(TASK, SEEDS, model, processor, num_environments=num_environments, seed=0)
    assert [result.seed for result in results] == list(SEEDS)
    again = evaluate_agent(TASK, SEEDS, model, processor, num_environments=num_environments, seed=0)
    assert results == again


def test_likeliest_actions_do_not_depend_on_the_number_of_environments(untrained):
    model, processor = untrained
    one, two, eight = (
        evaluate_agent(TASK, SEEDS, model, processor, num_environments=count, do_sample=False) for count in (1, 2, 8)
    )
    assert one == two == eight


def test_no_seeds_are_refused(untrained):
    with pytest.raises(ValueError, match="number of seeds"):
        evaluate_agent(TASK, [], *untrained)
