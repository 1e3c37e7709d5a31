# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json

import numpy as np
import pytest
from helpers.results import finished
from hypothesis import given
from hypothesis import strategies as st

from gato_hub.evaluation.statistics import (
    bootstrap_interval,
    interquartile_mean,
    interval,
    resampled_means,
    score,
    wilson_interval,
)
from gato_hub.system.errors import GatoError


@pytest.mark.parametrize(
    ("successes", "episodes", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (29, 29, 0.8830, 1.0)],
)
def test_wilson_interval_agrees_with_published_values(successes, episodes, low, high):
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert wilson_interval(successes, episodes) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "episodes"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_interval_refuses_impossible_counts(successes, episodes):
    with pytest.raises(ValueError, match="have no rate"):
        wilson_interval(successes, episodes)


def test_bootstrap_interval_is_that_of_the_mean():
    values = np.random.default_rng(3).normal(2.0, 3.0, size=400)
    low, high = bootstrap_interval(values)
    half_width = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half_width, abs=0.05)
    assert high == pytest.approx(values.mean() + half_width, abs=0.05)
    assert bootstrap_interval(values) == (low, high)
    assert bootstrap_interval([4.0, 4.0]) == (4.0, 4.0)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_bootstrap_interval_refuses_what_has_no_mean(values):
    with pytest.raises(ValueError, match="undefined"):
        bootstrap_interval(values)


def test_score_sums_up_the_episodes():
    entry = score("suite/task", "agent", finished([True, False, True, True], [1.0, 0.0, 0.5, 0.9]))
    assert entry.success_rate == 0.75 and entry.success_interval == wilson_interval(3, 4)
    assert entry.mean_return == pytest.approx(0.6)
    assert entry.headline == (0.75, wilson_interval(3, 4))
    document = json.loads(json.dumps(entry.as_json()))
    assert document["seeds"] == [100, 101, 102, 103]
    assert document["successes"] == [True, False, True, True]
    assert document["returns"] == [1.0, 0.0, 0.5, 0.9]
    assert document["mean_length"] == 6.5


def test_a_task_without_success_is_scored_by_its_return():
    entry = score("suite/task", "agent", finished([None, None], [10.0, 20.0]))
    assert entry.success_rate is None
    assert entry.headline == (15.0, entry.return_interval)


def test_no_episodes_no_score():
    with pytest.raises(GatoError, match="agent has no episodes of suite/task: there is nothing to score"):
        score("suite/task", "agent", [])


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
def test_interquartile_mean_lies_between_the_quartiles_and_knows_no_order(values):
    mean = float(interquartile_mean(np.array(values)))
    ordered = sorted(values)
    assert ordered[len(values) // 4] - 1e-6 <= mean <= ordered[-(len(values) // 4) - 1] + 1e-6
    assert float(interquartile_mean(np.array(values[::-1]))) == pytest.approx(mean)


def test_interquartile_mean_leaves_the_outer_quarters_out():
    assert interquartile_mean(np.array([-1e9, 1.0, 2.0, 1e9])) == pytest.approx(1.5)
    assert interquartile_mean(np.array([1.0, 2.0, 3.0, 100.0, -100.0, 4.0])) == pytest.approx((2 + 3 + 0.5 + 2) / 3)


def test_an_interval_holds_the_true_mean_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        low, high = interval(resampled_means(random.normal(size=50), seed=trial))
        held += low <= 0 <= high
    assert 0.89 <= held / 200 <= 0.99
