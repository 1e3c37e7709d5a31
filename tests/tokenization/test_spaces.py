# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from helpers.random_spaces import nested_spaces
from hypothesis import given
from hypothesis import strategies as st

from tokenization_gato import GatoProcessor
from tokenization_gato.values_gato import mu_law, values_to_bins

PROCESSOR = GatoProcessor()
VOCABULARY = PROCESSOR.vocabulary


def assert_close(space, action, decoded):
    """The decoded action is the action, up to half a bin where it is continuous."""
    if isinstance(space, spaces.Dict):
        for key in space.spaces:
            assert_close(space[key], action[key], decoded[key])
    elif isinstance(space, spaces.Tuple):
        for item, left, right in zip(space.spaces, action, decoded, strict=True):
            assert_close(item, left, right)
    elif isinstance(space, spaces.Box) and space.dtype.kind == "f":
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        bounded = np.isfinite(low) & np.isfinite(high)
        half_bin = np.where(bounded, np.where(bounded, high - low, 0) / 2048, np.inf)
        difference = np.abs(np.asarray(action, np.float64) - np.asarray(decoded, np.float64))
        assert (difference <= half_bin * 1.01 + 1e-6 * np.abs(action)).all()
    else:
        assert np.array_equal(action, decoded)


@given(space=nested_spaces(), seed=st.integers(0, 2**31), own_range=st.booleans())
def test_actions_of_every_space_survive(space, seed, own_range, own_range_processor):
    processor = own_range_processor if own_range else PROCESSOR
    space.seed(seed)
    action = space.sample()
    ids = processor.encode_action(action, space)
    ranges = processor.action_token_ranges(space)
    assert ids.shape == (len(ranges),)
    assert all(first <= index < past_last for index, (first, past_last) in zip(ids, ranges, strict=True))
    decoded = processor.decode_action(ids, space)
    assert space.contains(decoded)
    assert_close(space, action, decoded)
    assert (processor.encode_action(decoded, space) == ids).all()


@given(space=nested_spaces(), seed=st.integers(0, 2**31))
def test_any_legal_ids_are_an_action_of_the_space(space, seed):
    ranges = np.array(PROCESSOR.action_token_ranges(space))
    random = np.random.default_rng(seed)
    for ids in (ranges[:, 0], ranges[:, 1] - 1, random.integers(ranges[:, 0], ranges[:, 1])):
        assert space.contains(PROCESSOR.decode_action(ids, space))


@given(space=nested_spaces(), seed=st.integers(0, 2**31), slot=st.integers(0), above=st.booleans())
def test_an_illegal_id_is_named(space, seed, slot, above):
    ranges = np.array(PROCESSOR.action_token_ranges(space))
    slot %= len(ranges)
    ids = np.random.default_rng(seed).integers(ranges[:, 0], ranges[:, 1])
    ids[slot] = ranges[slot, 1] if above else ranges[slot, 0] - 1
    with pytest.raises(ValueError, match=rf"action token {slot} .* id {ids[slot]}"):
        PROCESSOR.decode_action(ids, space)


@given(space=nested_spaces(), seed=st.integers(0, 2**31))
def test_observations_of_every_space_can_be_encoded(space, seed):
    space.seed(seed)
    observation = space.sample()
    sequence = PROCESSOR.encode_observation(observation, space)
    kinds = VOCABULARY.kind(sequence.input_ids)
    assert kinds[-1] == "separator" and (kinds[:-1] != "separator").all()
    assert (sequence.local_position_ids == [*range(len(sequence) - 1), 512]).all()
    num_numbers = sum(np.size(leaf) for leaf in leaves(observation) if not isinstance(leaf, str))
    num_text_ids = sum(len(PROCESSOR.tokenizer(leaf)["input_ids"]) for leaf in leaves(observation) if is_text(leaf))
    assert len(sequence) == num_numbers + num_text_ids + 1


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def is_text(value) -> bool:
    return isinstance(value, str)


def observed_ids(observation, space=None):
    return PROCESSOR.encode_observation(observation, space).input_ids[:-1].tolist()


def test_observed_floats_are_companded_unless_their_box_lies_within_the_unit():
    continuous = VOCABULARY.continuous
    companded, plain = values_to_bins(mu_law(0.5)), values_to_bins(0.5)
    assert observed_ids(np.array([0.5])) == [continuous[companded]]
    assert observed_ids(np.array([0.5]), spaces.Box(-2, 2, (1,))) == [continuous[companded]]
    assert observed_ids(np.array([0.5]), spaces.Box(-np.inf, np.inf, (1,))) == [continuous[companded]]
    assert observed_ids(np.array([0.5]), spaces.Box(-1, 1, (1,))) == [continuous[plain]]
    assert observed_ids(np.array([0.5]), spaces.Box(0, 0.75, (1,))) == [continuous[plain]]


def test_observed_integers_count_from_the_lowest():
    assert observed_ids(3) == [3]
    assert observed_ids(np.array([[1, 2], [3, 4]])) == [1, 2, 3, 4]
    assert observed_ids(np.array([True, False])) == [1, 0]
    assert observed_ids(-5, spaces.Discrete(10, start=-7)) == [2]
    assert observed_ids(np.array([5, 9]), spaces.MultiDiscrete([9, 9], start=[5, 1])) == [0, 8]
    assert observed_ids(np.array([-3], np.int8), spaces.Box(-4, 4, (1,), np.int8)) == [1]
    assert observed_ids(np.array([2**62 + 5]), spaces.Box(2**62, 2**62 + 9, (1,), np.int64)) == [5]


def test_an_observed_uint8_box_is_an_image_where_it_looks_like_one():
    image = VOCABULARY.image_token_id
    frame = np.zeros((16, 32, 3), np.uint8)
    assert observed_ids(frame) == observed_ids(frame, spaces.Box(0, 255, frame.shape, np.uint8)) == [image] * 2
    grey = frame[..., 0]
    assert observed_ids(grey, spaces.Box(0, 255, grey.shape, np.uint8)) == [image] * 2
    assert observed_ids(grey[..., None], spaces.Box(0, 255, (16, 32, 1), np.uint8)) == [image] * 2
    board = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert observed_ids(board, spaces.Box(0, 255, (2, 3), np.uint8)) == [0, 1, 2, 3, 4, 5]


def test_text_images_tensors_in_the_order_of_their_keys():
    observation = {
        "a": np.array([7]),
        "b": {"z": np.zeros((16, 16, 3), np.uint8), "y": "go"},
        "c": np.array([0.0]),
        "d": ("left", 8),
    }
    go, left = (PROCESSOR.tokenizer(word)["input_ids"] for word in ("go", "left"))
    expected = [*go, *left, VOCABULARY.image_token_id, 7, VOCABULARY.continuous[512], 8]
    assert observed_ids(observation) == expected
    shuffled = dict(reversed(observation.items()))
    assert observed_ids(shuffled) == expected


def test_continuous_actions_use_the_bounds_of_their_box():
    box = spaces.Box(np.array([-2, 0], np.float32), np.array([2, 10], np.float32))
    ids = PROCESSOR.encode_action(np.array([0.0, 10.0], np.float32), box)
    assert (ids - VOCABULARY.continuous.start).tolist() == [512, 1023]
    decoded = PROCESSOR.decode_action(ids, box)
    assert decoded.dtype == np.float32
    assert decoded == pytest.approx([4 / 2048, 10 - 10 / 2048])


def test_an_unbounded_action_is_companded_and_kept_within_its_bounds():
    half = spaces.Box(np.array([0.0]), np.array([np.inf]), dtype=np.float64)
    assert (PROCESSOR.encode_action(np.array([1.0]), half) - VOCABULARY.continuous.start).tolist() == [744]
    # Bins of negative values stand for the bound.
    assert PROCESSOR.decode_action([VOCABULARY.continuous[0]], half).tolist() == [0.0]


def test_an_action_outside_of_its_space_is_an_error_beyond_rounding():
    box = spaces.Box(-2, 2, (1,), np.float64)
    assert PROCESSOR.encode_action(np.array([2.0 + 1e-6]), box) == [VOCABULARY.continuous[1023]]
    with pytest.raises(ValueError, match=r"element 0 is 2.1, its bounds are \[-2, 2\]"):
        PROCESSOR.encode_action(np.array([2.1]), box)
    assert PROCESSOR.encode_action(np.array([1.0 + 1e-6])) == [VOCABULARY.continuous[1023]]
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        PROCESSOR.encode_action(np.array([1.5]))
    with pytest.raises(ValueError, match="element 0 is 7, its bounds"):
        PROCESSOR.encode_action(7, spaces.Discrete(7))


def test_text_actions_end_with_a_symbol():
    space = spaces.Text(min_length=2, max_length=4, charset="cab")
    assert PROCESSOR.encode_action("ab", space).tolist() == [0, 1, 3, 3]
    assert PROCESSOR.action_token_ranges(space) == [(0, 3), (0, 3), (0, 4), (0, 4)]
    assert PROCESSOR.decode_action([2, 1, 3, 0], space) == "cb"
    assert PROCESSOR.decode_action([2, 1, 0, 0], space) == "cbaa"


def test_a_dimension_with_one_value():
    space = spaces.Box(np.array([3.0, 0.0]), np.array([3.0, 1.0]), dtype=np.float64)
    ids = PROCESSOR.encode_action(np.array([3.0, 1.0]), space)
    assert PROCESSOR.decode_action(ids, space)[0] == 3.0


def test_actions_of_registered_environments():
    for name in ("CartPole-v1", "Pendulum-v1", "MountainCarContinuous-v0", "Taxi-v4", "Blackjack-v1"):
        if name not in gymnasium.registry:
            continue
        environment = gymnasium.make(name)
        environment.action_space.seed(0)
        observation, _ = environment.reset(seed=0)
        PROCESSOR(observations=observation, observation_space=environment.observation_space)
        action = environment.action_space.sample()
        ids = PROCESSOR.encode_action(action, environment.action_space)
        environment.step(PROCESSOR.decode_action(ids, environment.action_space))


def test_a_space_of_a_stranger_has_the_rule_of_its_base():
    class Angle(spaces.Box):
        pass

    class Discrete:
        """Has the name of a space, but is none."""

    assert observed_ids(np.array([0.5]), Angle(-2, 2, (1,))) == observed_ids(np.array([0.5]), spaces.Box(-2, 2, (1,)))
    with pytest.raises(TypeError, match="expected a gymnasium space"):
        observed_ids(0, Discrete())
