# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
import torch
from gymnasium import spaces
from helpers.inputs import random_image

from modeling_gato import GatoConfig, GatoForCausalLM


@pytest.fixture(scope="module")
def model(processor):
    torch.manual_seed(0)
    config = GatoConfig(
        **processor.model_kwargs,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        patch_embed_channels=32,
        initializer_range=0.5,
    )
    return GatoForCausalLM(config).eval()


ACTION_SPACES = [
    spaces.Discrete(7),
    spaces.Discrete(1),
    spaces.Box(-2, 2, (3,)),
    spaces.Dict(a=spaces.MultiDiscrete([2, 3]), b=spaces.Box(0, 1, ()), c=spaces.Text(3, charset="ab")),
]


@pytest.mark.parametrize("space", ACTION_SPACES, ids=str)
@pytest.mark.parametrize(
    "how", [{}, {"do_sample": True, "top_k": 5}, {"num_beams": 3}, {"do_sample": True, "num_beams": 2}], ids=str
)
def test_generation_writes_one_legal_action_a_row(processor, model, space, how):
    constraints = processor.action_constraints(space)
    num_tokens = len(processor.action_token_ranges(space))
    torch.manual_seed(0)
    # The same arguments serve for calls of any batch and length.
    for observations in ([[1, 2], [3]], [[4]]):
        actions = [[processor.decode_action(_first_legal(processor, space), space)], []][: len(observations)]
        if len(observations) == 1:
            actions = [[]]
        inputs = processor(observations=observations, actions=actions, action_space=space, return_tensors="pt")
        ids = model.generate(**inputs, **constraints, **how)
        assert ids.shape == (len(observations), inputs["input_ids"].shape[1] + num_tokens)
        decoded = processor.decode_action(ids, space)
        for action in decoded if len(observations) > 1 else [decoded]:
            assert space.contains(action)


def _first_legal(processor, space):
    return [first for first, _ in processor.action_token_ranges(space)]


@pytest.mark.parametrize("how", [{}, {"do_sample": True}, {"num_beams": 2}], ids=str)
def test_an_end_token_among_the_legal_ids_does_not_end_an_action(processor, model, how):
    space = spaces.MultiDiscrete([9, 9, 9])
    model.generation_config.eos_token_id = list(range(9))
    try:
        inputs = processor(observations=[[1], [2]], return_tensors="pt")
        ids = model.generate(**inputs, **processor.action_constraints(space), **how)
    finally:
        model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    assert ids.shape[1] == inputs["input_ids"].shape[1] + 3
    assert len(processor.decode_action(ids, space)) == 2


def test_every_legal_action_can_be_sampled(processor, model):
    inputs = processor(observations=[[1]] * 200, return_tensors="pt")
    torch.manual_seed(0)
    constraints = processor.action_constraints(spaces.Discrete(4, start=10))
    ids = model.generate(**inputs, **constraints, do_sample=True, temperature=100.0)
    assert set(processor.decode_action(ids, spaces.Discrete(4, start=10))) == {10, 11, 12, 13}


def test_an_action_needs_an_observation_before_it(processor, model):
    constraints = processor.action_constraints(spaces.Discrete(4))
    with pytest.raises(ValueError, match="separator"):
        model.generate(**processor(text="go", return_tensors="pt"), **constraints)
    inputs = processor(observations=[1], actions=[2], return_tensors="pt")
    with pytest.raises(ValueError, match="1 tokens after"):
        model.generate(**inputs, **constraints)


def test_decoding_one_action_or_several(processor):
    space = spaces.Discrete(7)
    assert processor.decode_action([99, 3], space) == 3
    assert processor.decode_action(torch.tensor([[99, 3]]), space) == 3
    assert processor.decode_action(np.array([[99, 3], [99, 4]]), space) == [3, 4]


def test_model_and_processor_fit(processor, model):
    inputs = processor(observations=[{"image": random_image(), "mission": "go"}] * 2, actions=[1], return_tensors="pt")
    assert model(**inputs).logits.shape == (1, inputs["input_ids"].shape[1], processor.vocabulary.size)
    inputs = processor(images=random_image(), text="", return_tensors="pt")
    text = processor.decode(model.generate(**inputs, max_new_tokens=3, do_sample=False)[0], skip_special_tokens=True)
    assert isinstance(text, str)
