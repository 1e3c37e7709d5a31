# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a forward pass finds out for its layers, what it leaves behind, and what the two kinds of attention share."""

import copy

import pytest
import torch
from helpers.tiny_gato import WINDOW, random_inputs, tiny_config, tiny_model
from transformers import DynamicCache, StaticCache
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from modeling_gato import GatoMemory
from modeling_gato.attention_context_gato import BLOCKWISE, attention_context
from modeling_gato.blockwise_attention_gato import BLOCK
from modeling_gato.memory_gato import GatoDynamicCache

LENGTH = 12


def contents(value):
    """A copy of all that an object holds, with tensors as lists, so that it can be compared."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: contents(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [contents(item) for item in value]
    return contents(vars(value)) if hasattr(value, "__dict__") else copy.copy(value)


def packed(length=LENGTH):
    return torch.cat([torch.arange(5), torch.arange(length - 5)]).expand(2, -1).clone()


CACHES = {
    "none": lambda model: None,
    "dynamic": lambda model: model(random_inputs(length=7, patches=0)["input_ids"], use_cache=True).past_key_values,
    "a caller's": lambda model: (
        model(
            random_inputs(length=7, patches=0)["input_ids"], past_key_values=DynamicCache(config=model.config)
        ).past_key_values
    ),
    "static": lambda model: StaticCache(config=model.config, max_cache_len=30),
    "memory": lambda model: GatoMemory(WINDOW, 2),
    "memory in use": lambda model: (
        model(
            random_inputs(length=WINDOW + 3, patches=0)["input_ids"], past_key_values=GatoMemory(WINDOW, 2)
        ).past_key_values
    ),
}


@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("cache", CACHES)
@torch.no_grad()
def test_the_context_changes_none_of_its_arguments(model, cache, padding):
    arguments = {
        "inputs_embeds": torch.randn(2, LENGTH, 32),
        "attention_mask": (torch.arange(LENGTH) >= torch.tensor([[0], [3]])).long() if padding else None,
        "position_ids": packed() if cache == "none" else None,
        "past_key_values": CACHES[cache](model),
    }
    if padding and "memory" not in cache and cache != "none":
        num_past = 0 if cache == "static" else 7
        arguments["attention_mask"] = torch.cat([torch.ones(2, num_past).long(), arguments["attention_mask"]], dim=1)
    config, before = copy.deepcopy(model.config.to_dict()), contents(arguments)
    first, second = (attention_context(model.config, **arguments) for _ in range(2))
    assert contents(arguments) == before
    assert model.config.to_dict() == config
    assert contents(first) == contents(second), "it depends on its arguments alone"


@pytest.mark.parametrize("cache", ["a caller's", "static"])
def test_nothing_of_ours_is_left_on_a_callers_cache(model, cache):
    past_key_values = CACHES[cache](model)
    untouched = StaticCache(model.config, max_cache_len=30) if cache == "static" else DynamicCache(config=model.config)
    with torch.no_grad():
        model(random_inputs(length=4, patches=0)["input_ids"], past_key_values=past_key_values)
    assert vars(past_key_values).keys() == vars(untouched).keys()


def test_a_cache_that_is_reset_serves_changed_weights():
    model = tiny_model(position_embedding_type="transformer_xl")
    ids = random_inputs(length=6, patches=0)["input_ids"]
    static, memory = StaticCache(config=model.config, max_cache_len=30), GatoMemory(WINDOW, 2)
    own = GatoDynamicCache(config=model.config)
    with torch.no_grad():
        for cache in (static, memory, own):
            model(ids, past_key_values=cache)
        for parameter in model.parameters():
            parameter.mul_(-1.1)
        expected = model(ids).logits
        static.reset()
        assert own.relative_keys
        own.reset()  # the length of a dynamic cache after that depends on the version of transformers
        assert not own.relative_keys
        memory.clear(torch.ones(2, dtype=torch.bool))
        for cache in (static, memory):
            torch.testing.assert_close(model(ids, past_key_values=cache).logits, expected, atol=1e-5, rtol=0)


def test_generate_projects_distances_seldom_and_writes_the_same_tokens_as_without_a_cache():
    model = tiny_model(position_embedding_type="transformer_xl")
    ids, calls = random_inputs(length=6, patches=0)["input_ids"], []
    model.model.layers[0].self_attn.relative_proj.register_forward_pre_hook(lambda *_: calls.append(None))
    written = model.generate(ids, max_new_tokens=15, min_new_tokens=15, do_sample=False)
    assert len(calls) <= 3, "for 8, 16 and 32 distances"
    again = model.generate(ids, max_new_tokens=15, min_new_tokens=15, do_sample=False, use_cache=False)
    assert written.tolist() == again.tolist()
    beams = {"num_beams": 3, "max_new_tokens": 8, "do_sample": False}
    assert model.generate(ids, **beams).tolist() == model.generate(ids, **beams, use_cache=False).tolist()


def test_an_acting_step_projects_no_distances_again(monkeypatch):
    model = tiny_model(position_embedding_type="transformer_xl")
    memory, num_projected = GatoMemory(WINDOW, 2), []
    hook = lambda module, arguments: num_projected.append(len(arguments[0]))  # noqa: E731
    model.model.layers[0].self_attn.relative_proj.register_forward_pre_hook(hook)
    with torch.no_grad():
        for ids in random_inputs(length=40, patches=0)["input_ids"].split(2, dim=1):
            model(ids, past_key_values=memory)
    assert num_projected == [2, 4, 8, 16, 32]


def test_both_kinds_of_attention_share_the_names_of_their_weights():
    rotary, relative = (
        set(tiny_model(position_embedding_type=kind).state_dict()) for kind in ("rotary", "transformer_xl")
    )
    own = {"relative_proj.weight", "content_bias", "relative_bias"}
    layers = range(tiny_config().num_hidden_layers)
    assert rotary < relative
    assert relative - rotary == {f"model.layers.{layer}.self_attn.{name}" for layer in layers for name in own}


def test_blockwise_attention_is_known_to_this_model_alone():
    assert BLOCKWISE not in ALL_ATTENTION_FUNCTIONS
    config = tiny_config(max_position_embeddings=4 * BLOCK)
    config._attn_implementation = "sdpa"
    positions = torch.arange(8).repeat(BLOCK // 2)[None]
    context = attention_context(config, torch.zeros(1, 4 * BLOCK, 32), position_ids=positions)
    assert context.attention_function == BLOCKWISE
    assert attention_context(config, torch.zeros(1, 4 * BLOCK, 32), use_cache=True).attention_function == "sdpa"


def test_a_kernel_without_masks_gives_way_to_sdpa_and_says_so(caplog, monkeypatch):
    from modeling_gato import attention_context_gato

    said = []
    monkeypatch.setattr(attention_context_gato.logger, "warning_once", said.append)
    config = tiny_config()
    config._attn_implementation = "flex_attention"
    context = attention_context(config, torch.zeros(2, 3, 32), past_key_values=GatoMemory(WINDOW, 2))
    assert context.attention_function == "sdpa"
    assert "`flex_attention` can't take a mask of each query and key" in said[0]


def test_fewer_layers_than_there_are_may_be_asked_for(model):
    """As transformers does for a moment in early-exit generation."""
    ids = random_inputs(patches=0)["input_ids"]
    model.config.num_hidden_layers = 1
    expected = model(ids).logits
    model.config.num_hidden_layers = 2
    del model.model.layers[1]
    model.config.num_hidden_layers = 1
    torch.testing.assert_close(model(ids).logits, expected)
    assert model.generate(ids, max_new_tokens=2, do_sample=False).shape == (2, 22)


def test_an_agent_is_made_by_its_model():
    from gymnasium import spaces

    from modeling_gato import GatoAgent, GatoConfig, GatoForCausalLM
    from tokenization_gato import GatoProcessor

    processor = GatoProcessor()
    model = GatoForCausalLM(GatoConfig.nano(num_hidden_layers=1, **processor.model_kwargs))
    agent = model.make_agent(processor, spaces.Discrete(3), do_sample=False)
    assert isinstance(agent, GatoAgent) and agent.model is model and not agent.do_sample
