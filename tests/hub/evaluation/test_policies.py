# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses

import numpy as np
import pytest
import torch

from gato_hub.acting.rollout import EnvironmentFailed
from gato_hub.data.prompts import demonstration
from gato_hub.evaluation.policies import (
    evaluate_agent,
    evaluate_expert,
    evaluate_random,
)
from gato_hub.suites import find_task
from gato_hub.system.errors import GatoError
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


def test_an_environment_that_can_not_be_made_is_told_from_a_bug(untrained):
    def no_display(render_mode=None):
        raise OSError("no display")

    broken = dataclasses.replace(TASK, make_environment=no_display)
    for run in (
        lambda: evaluate_random(broken, SEEDS),
        lambda: evaluate_expert(broken, SEEDS),
        lambda: evaluate_agent(broken, SEEDS, *untrained),
        lambda: demonstration(broken),
    ):
        with pytest.raises(EnvironmentFailed, match="OSError: no display"):
            run()


def test_a_task_without_an_expert_is_told():
    with pytest.raises(GatoError, match="'babyai/go-to-local' has no expert"):
        evaluate_expert(dataclasses.replace(TASK, make_expert=None), SEEDS)


def test_no_seeds_are_refused(untrained):
    with pytest.raises(ValueError, match="number of seeds"):
        evaluate_agent(TASK, [], *untrained)
