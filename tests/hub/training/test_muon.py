# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Muon and AdamW as one optimizer."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gato_hub.recipes.errors import RecipeError
from gato_hub.recipes.reading import check_recipe
from gato_hub.training.muon import MuonWithAdamW, muon_with_adamw, orthogonalized
from modeling_gato import GatoConfig, GatoForCausalLM


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), scale=st.sampled_from([1e-6, 1.0, 1e6]))
def test_singular_values_come_near_one_and_singular_vectors_stay(rows, columns, scale):
    torch.manual_seed(rows * 41 + columns)
    left, _ = torch.linalg.qr(torch.randn(rows, min(rows, columns)))
    right, _ = torch.linalg.qr(torch.randn(columns, min(rows, columns)))
    values = torch.linspace(1.0, 0.2, min(rows, columns))
    result = orthogonalized((scale * left * values @ right.T)[None])[0]
    found = torch.linalg.svdvals(result)
    assert found.min() > 0.6 and found.max() < 1.3
    inner = left.T @ result @ right
    torch.testing.assert_close(inner, torch.diag(inner.diagonal()), atol=1e-4, rtol=0)


def test_matrices_of_one_shape_are_as_each_alone():
    matrices = torch.randn(5, 12, 30, generator=torch.Generator().manual_seed(0))
    for number, one in enumerate(orthogonalized(matrices)):
        torch.testing.assert_close(one, orthogonalized(matrices[number : number + 1])[0])


def test_what_is_no_matrix_of_a_block_takes_the_steps_of_adamw():
    torch.manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(7, 5))
    theirs = torch.nn.Parameter(ours.detach().clone())
    options = {"lr": 1e-2, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
    optimizers = MuonWithAdamW([ours], **options), torch.optim.AdamW([theirs], **options)
    for _ in range(20):
        gradient = torch.randn(7, 5)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(ours, theirs)


def test_a_step_of_a_matrix_is_as_large_as_one_of_adamw():
    matrix = torch.nn.Parameter(torch.randn(64, 256, generator=torch.Generator().manual_seed(0)))
    before = matrix.detach().clone()
    matrix.grad = torch.randn(64, 256, generator=torch.Generator().manual_seed(1)) * 1e-4
    MuonWithAdamW([{"params": [matrix], "muon": True}], lr=1e-2, weight_decay=0.0).step()
    size = (matrix - before).square().mean().sqrt().item() / 1e-2
    assert 0.1 < size < 0.3


def test_of_a_model_the_blocks_matrices_are_muon_s_and_norms_do_not_decay():
    model = GatoForCausalLM(GatoConfig.nano())
    decayed = [name for name, one in model.named_parameters() if one.ndim >= 2]
    optimizer = muon_with_adamw(model, decayed, matrix_ratio=2.0, lr=1e-3)
    matrices, others, undecayed = optimizer.param_groups
    assert (matrices["lr"], others["lr"]) == (2e-3, 1e-3)
    found = {id(one) for one in matrices["params"]}
    names = {name for name, one in model.named_parameters() if id(one) in found}
    assert {name.split(".")[-2] for name in names} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"
    }  # fmt: skip
    assert any(one is model.get_input_embeddings().weight for one in others["params"])
    assert undecayed["weight_decay"] == 0.0 and all(one.ndim < 2 for one in undecayed["params"])
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    assert count == len(list(model.parameters()))


def test_what_is_no_matrix_is_refused():
    with pytest.raises(ValueError, match=r"must be matrices, got one of shape \(3,\)"):
        MuonWithAdamW([{"params": [torch.nn.Parameter(torch.ones(3))], "muon": True}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimization": {"matrix_learning_rate_ratio": 2.0}}, "matrix_learning_rate_ratio is Muon's"),
        ({"optimization": {"optimizer": "muon"}, "fsdp": True}, "fsdp and optimization.optimizer muon"),
        ({"optimization": {"optimizer": "muon"}, "lora": {"rank": 4}}, "lora and optimization.optimizer muon"),
    ],
)
def test_recipes_that_it_can_not_serve_are_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        check_recipe({"model": {"size": "nano"}, "data": [{"tasks": "babyai/go-to-obj"}]} | change, "a recipe")
