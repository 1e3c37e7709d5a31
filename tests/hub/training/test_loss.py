# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gato_hub.training.loss import token_losses

CONTINUOUS = range(20, 52)


@pytest.fixture(scope="module")
def logits():
    return torch.randn(40, 60, generator=torch.Generator().manual_seed(0))


def test_without_soft_bins_it_is_the_cross_entropy(logits):
    targets = torch.arange(40)
    expected = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    assert token_losses(logits, targets, CONTINUOUS).equal(expected)


@given(target=st.sampled_from(CONTINUOUS), soft_bins=st.floats(0.3, 8.0))
def test_soft_bins_are_a_gaussian_over_the_bins_that_are_there(target, soft_bins):
    row = torch.randn(1, 60, generator=torch.Generator().manual_seed(target)).double()
    bins = torch.arange(CONTINUOUS.start, CONTINUOUS.stop)
    near = (bins - target).abs() <= -(-3 * soft_bins // 1)
    shares = torch.exp(-0.5 * ((bins - target) / soft_bins) ** 2) * near
    expected = -(shares / shares.sum() * row.log_softmax(-1)[0, bins]).sum()
    loss = token_losses(row, torch.tensor([target]), CONTINUOUS, soft_bins)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_soft_bins_leave_other_ids_alone(logits):
    targets = torch.tensor([0, 19, 52, 59])
    soft = token_losses(logits[:4], targets, CONTINUOUS, 3.0)
    torch.testing.assert_close(soft, token_losses(logits[:4], targets))


def test_a_likely_neighbor_costs_less_with_soft_bins():
    logits = torch.zeros(2, 60)
    logits[0, 31], logits[1, 45] = 5.0, 5.0
    near, far = token_losses(logits, torch.tensor([30, 30]), CONTINUOUS, 1.0)
    assert near < far
