# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import gymnasium
import numpy as np
import pytest

from gato_hub.acting.noise import action_noise


def test_noise_of_a_box_is_in_halves_of_its_width_and_stays_inside():
    space = gymnasium.spaces.Box(np.float32([-1, 0]), np.float32([1, 10]), dtype=np.float32)
    disturb = action_noise(space, 0.1, seed=0)
    disturbed = np.array([disturb(np.float32([0, 5])) for _ in range(4000)])
    np.testing.assert_allclose(disturbed.std(axis=0), [0.1, 0.5], rtol=0.1)
    np.testing.assert_allclose(disturbed.mean(axis=0), [0, 5], atol=0.05)
    edge = [disturb(np.float32([1, 10])) for _ in range(100)]
    assert all(space.contains(action) for action in edge)
    again = action_noise(space, 0.1, seed=0)
    np.testing.assert_array_equal(disturbed[:10], [again(np.float32([0, 5])) for _ in range(10)])


@pytest.mark.parametrize(
    "space",
    [
        gymnasium.spaces.Discrete(5, start=2),
        gymnasium.spaces.MultiDiscrete([5, 5], start=[2, 2]),
        gymnasium.spaces.MultiBinary(2),
    ],
)
def test_noise_of_discrete_actions_is_a_probability(space):
    disturb = action_noise(space, 0.5, seed=0)
    space.seed(0)
    action = space.sample()
    disturbed = [disturb(action) for _ in range(1000)]
    assert all(space.contains(value) for value in disturbed)
    values = 2 if isinstance(space, gymnasium.spaces.MultiBinary) else 5
    assert np.mean(np.array(disturbed) == action) == pytest.approx(0.5 + 0.5 / values, abs=0.05)


@pytest.mark.parametrize(
    ("space", "amount", "message"),
    [
        (gymnasium.spaces.Discrete(2), -0.1, "noise must not be negative"),
        (gymnasium.spaces.Discrete(2), 1.1, "a probability, got 1.1"),
        (gymnasium.spaces.Text(3), 0.1, "noise is for actions of numbers"),
    ],
)
def test_impossible_noise_is_refused(space, amount, message):
    with pytest.raises(ValueError, match=message):
        action_noise(space, amount, seed=0)
