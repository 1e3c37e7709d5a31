# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenization_gato.scaling_gato import AlreadyScaled, ByBounds, MuLaw
from tokenization_gato.values_gato import ValueScales, bins_to_values, inverse_mu_law, mu_law, values_to_bins


def test_mu_law_of_the_paper():
    for value in (-256.0, -3.7, -1.0, 0.0, 0.01, 1.0, 42.0, 256.0):
        expected = np.sign(value) * np.log(1 + 100 * abs(value)) / np.log(1 + 256 * 100)
        assert mu_law(value) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-1e30, 0), (-257, 0), (-256, 0), (-1, 279), (0, 512), (1, 744), (256, 1023), (257, 1023), (1e30, 1023)],
)
def test_bins_of_observations(value, expected):
    assert values_to_bins(mu_law(value)) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_an_error(value, processor):
    with pytest.raises(ValueError, match="finite"):
        mu_law([0.0, value])
    with pytest.raises(ValueError, match="finite"):
        values_to_bins([0.0, value])
    with pytest.raises(ValueError, match="speed must be finite"):
        processor(observations={"speed": np.array([0.0, value])})


def test_every_bin_survives_decoding():
    bins = np.arange(1024)
    values = bins_to_values(bins)
    assert (values_to_bins(values) == bins).all()
    assert values[0] == 1 / 1024 - 1 and values[-1] == 1 - 1 / 1024
    companded = inverse_mu_law(values)
    assert (values_to_bins(mu_law(companded)) == bins).all()
    assert (values_to_bins(mu_law(companded.astype(np.float32))) == bins).all()


def test_the_top_edge_belongs_to_the_last_bin():
    assert values_to_bins([-1.0, 1.0]).tolist() == [0, 1023]


@given(st.floats(-1, 1), st.integers(1, 5000))
def test_a_value_is_within_half_a_bin_of_its_center(value, num_bins):
    decoded = bins_to_values(values_to_bins(value, num_bins), num_bins)
    assert abs(decoded - value) <= (1 + 1e-9) / num_bins


@pytest.mark.parametrize(
    "scaling",
    [AlreadyScaled("as all do"), MuLaw(), ByBounds(np.array([-1.0, -np.inf]), np.array([1.0, np.inf]))],
    ids=lambda scaling: type(scaling).__name__,
)
@given(values=st.lists(st.floats(-1, 1), min_size=2, max_size=2))
def test_every_scaling_has_an_inverse(scaling, values):
    unit = scaling.to_unit(np.array([values]), ValueScales(), "values")
    assert np.abs(unit).max() <= 1
    assert scaling.from_unit(unit, ValueScales())[0] == pytest.approx(values, abs=1e-12)
