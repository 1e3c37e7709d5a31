# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Attention in blocks of queries gives what attention with one square of scores gives, forward and backward."""

import pytest
import torch
from helpers.tiny_gato import VOCAB_SIZE, tiny_model
from hypothesis import given
from hypothesis import strategies as st

import modeling_gato.attention_context_gato
from modeling_gato.blockwise_attention_gato import (
    BLOCK,
    query_blocks,
    shift_from_distances,
    shift_to_distances,
    worthwhile_blocks,
)

LENGTH = 2 * BLOCK + 37


def packed_positions(lengths):
    return torch.cat([torch.arange(length) for length in lengths])[None]


INPUTS = {
    "causal": lambda: {},
    "packed": lambda: {"position_ids": packed_positions([20, 90, 3, 70, LENGTH - 183]).repeat(2, 1)},
    "packed unalike": lambda: {
        "position_ids": torch.cat([packed_positions([200, LENGTH - 200]), packed_positions([5, LENGTH - 5])])
    },
    "padded": lambda: {
        "attention_mask": torch.cat([torch.ones(1, LENGTH), (torch.arange(LENGTH) < 150)[None]]).long()
    },
}


@pytest.mark.parametrize("window", [LENGTH, 100])
@pytest.mark.parametrize("inputs", INPUTS)
def test_blocks_give_the_same_states_and_gradients(position_type, inputs, window, monkeypatch):
    used = []
    monkeypatch.setattr(
        modeling_gato.attention_context_gato, "worthwhile_blocks", lambda *a: used.append(a) or query_blocks(*a[:2])
    )
    ids = torch.randint(5, VOCAB_SIZE, (2, LENGTH), generator=torch.Generator().manual_seed(0))
    inputs = {"input_ids": ids, **INPUTS[inputs]()}
    counts = inputs.get("attention_mask", torch.ones(2, LENGTH))[..., None]
    found = {}
    for implementation in ("eager", "sdpa"):
        model = tiny_model(position_embedding_type=position_type, max_position_embeddings=window, num_hidden_layers=3)
        model.set_attn_implementation(implementation)
        for name, parameter in model.named_parameters():
            if name.endswith("_bias"):  # zero at first, which would hide them
                torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(len(name)))
        states = model.model(**inputs, use_cache=False).last_hidden_state
        (states * counts).sin().sum().backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        found[implementation] = (states * counts).detach(), gradients
    (expected, expected_gradients), (states, gradients) = found["eager"], found["sdpa"]
    torch.testing.assert_close(states, expected, rtol=1e-4, atol=1e-5)
    assert len(used) == 1
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        scale = expected_gradients[name].abs().max()
        torch.testing.assert_close(gradient / scale, expected_gradients[name] / scale, rtol=0, atol=1e-5, msg=name)


def test_blocks_are_used_where_they_save_enough():
    episodes = packed_positions([50] * 12)[0]
    first = torch.arange(600) - episodes
    keys = torch.arange(600)
    packed = ((keys <= keys[:, None]) & (keys >= first[:, None]))[None, None]
    causal = (keys <= keys[:, None])[None, None]
    assert worthwhile_blocks(packed, 600, is_relative=False) == query_blocks(packed, 600)
    assert worthwhile_blocks(causal, 600, is_relative=False) is None
    assert worthwhile_blocks(None, 600, is_relative=False) is None
    assert worthwhile_blocks(None, 600, is_relative=True) == query_blocks(None, 600)
    assert worthwhile_blocks(None, 200, is_relative=True) is None


def test_blocks_leave_out_keys_that_none_of_their_queries_sees():
    length = 3 * BLOCK
    starts = torch.tensor([0, 100, BLOCK + 10])
    first = starts[(torch.arange(length)[:, None] >= starts).sum(1) - 1]
    keys = torch.arange(length)
    mask = (keys <= keys[:, None]) & (keys >= first[:, None])
    assert query_blocks(mask[None, None], length) == [
        (0, BLOCK, 0),
        (BLOCK, 2 * BLOCK, 100),
        (2 * BLOCK, 3 * BLOCK, BLOCK + 10),
    ]
    assert query_blocks(None, BLOCK + 1) == [(0, BLOCK, 0), (BLOCK, BLOCK + 1, 0)]


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 1000))
def test_the_gradient_of_shifting_is_its_transpose(queries, more_keys, seed):
    generator = torch.Generator().manual_seed(seed)
    scores, gradients = torch.randn(2, 1, 2, queries, queries + more_keys, generator=generator)
    # What enters from the next row is hidden by the mask and has no gradient.
    gradients = gradients.tril(more_keys)
    there, back = shift_to_distances(scores), shift_from_distances(gradients)
    torch.testing.assert_close((there * gradients).sum(), (scores * back).sum())
