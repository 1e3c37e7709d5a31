# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
from gymnasium import spaces
from helpers.random_spaces import byte_boxes, nested_spaces, simple_spaces
from hypothesis import given

from gato_hub.data.checks import check_episode
from gato_hub.data.columns import columns_of, episode_features, iterate_leaves, leaves_of, nested, unnested, values_of
from gato_hub.system.errors import GatoError
from tokenization_gato import GatoProcessor
from tokenization_gato.spaces_gato import fields_of

OBSERVATION_SPACE = spaces.Dict(
    {
        "body": spaces.Dict({"z": spaces.Box(-5, 5, (2, 2), np.float64), "a": spaces.Discrete(7, start=2)}),
        "board": spaces.Box(0, 3, (4, 4), np.uint8),
        "eye": spaces.Box(0, 255, (20, 18), np.uint8),
        "parts": spaces.Tuple([spaces.MultiBinary(2)] * 11 + [spaces.Box(-1, 1, (), np.float32)]),
        "said": spaces.Text(5),
    }
)
ACTION_SPACES = [
    spaces.Discrete(4, start=1),
    spaces.MultiDiscrete([3, 4]),
    spaces.Box(-2, 2, (3,), np.float32),
    spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 1, (2,), np.float64), spaces.MultiBinary(2)]),
]
STEPS = 3


def samples(space):
    space.seed(1)
    steps = [space.sample() for _ in range(STEPS)]
    by_step = [unnested(space, step) for step in steps]
    is_text = {leaf.path: leaf.kind == "text" for leaf in leaves_of(space, "observations")}
    stacked = {
        path: [values[path] for values in by_step] if is_text[path] else np.stack([values[path] for values in by_step])
        for path in is_text
    }
    return steps, stacked


def episode_of(action_space):
    observations, observed = samples(OBSERVATION_SPACE)
    actions, acted = samples(action_space)
    row = columns_of(leaves_of(OBSERVATION_SPACE, "observations"), observed, "observations")
    row |= columns_of(leaves_of(action_space, "actions"), acted, "actions")
    return row | {"rewards": [0.0] * STEPS}, observations, actions, acted


@pytest.mark.parametrize("action_space", ACTION_SPACES, ids=str)
def test_the_processor_takes_the_leaves_out_as_they_were_put_in(action_space):
    row, observations, actions, _ = episode_of(action_space)
    check_episode(row, "the row")
    processor = GatoProcessor()
    spaces_ = {"observation_space": OBSERVATION_SPACE, "action_space": action_space}
    sequence = processor.encode_episode(row, **spaces_)
    whole = processor(observations=observations, actions=actions, **spaces_)
    np.testing.assert_array_equal(sequence.input_ids, np.asarray(whole["input_ids"]).ravel())


@given(space=nested_spaces(simple_spaces() | byte_boxes()))
def test_the_processor_has_the_same_rules_for_observations(space):
    fields, leaves = fields_of(space, "observation"), list(iterate_leaves(space))
    for kind in ("text", "image", "continuous", "discrete"):
        paths = [leaf.path for leaf in leaves if leaf.kind == kind]
        assert paths == [field.path for field in fields if field.kind == kind]
    assert len(fields) == len(leaves)
    sizes = {field.path: field.size for field in fields if field.kind != "text"}
    assert sizes == {leaf.path: leaf.size for leaf in leaves if leaf.kind != "text"}


@given(space=nested_spaces(simple_spaces() | byte_boxes()))
def test_the_processor_has_the_same_rules_for_actions(space):
    leaves = list(iterate_leaves(space))
    if any(leaf.kind in ("text", "image") for leaf in leaves):
        with pytest.raises(GatoError, match="an action must be of numbers"):
            leaves_of(space, "actions")
        return
    fields = fields_of(space, "action")
    assert leaves_of(space, "actions") == leaves
    assert [(leaf.path, leaf.kind, leaf.size) for leaf in leaves] == [
        (field.path, field.kind, field.size) for field in fields
    ]


@pytest.mark.parametrize("action_space", ACTION_SPACES, ids=str)
def test_values_come_back(action_space):
    row, _, _, acted = episode_of(action_space)
    back = values_of(leaves_of(action_space, "actions"), row, "actions")
    assert back.keys() == acted.keys()
    for path, values in acted.items():
        np.testing.assert_array_equal(np.float32(back[path]), np.float32(values))
    observed = samples(OBSERVATION_SPACE)[1]
    back = values_of(leaves_of(OBSERVATION_SPACE, "observations"), row, "observations")
    for path in observed:
        if path == ("said",):
            assert back[path] == observed[path]
        else:
            assert back[path].dtype == observed[path].dtype
            np.testing.assert_array_equal(np.float32(back[path]), np.float32(observed[path]))
    step = {path: values[0] if path == ("said",) else np.asarray(values[0]) for path, values in observed.items()}
    assert OBSERVATION_SPACE.contains(nested(OBSERVATION_SPACE, step))


def test_columns_are_those_of_the_features():
    for action_space in ACTION_SPACES:
        row = episode_of(action_space)[0]
        features = episode_features(OBSERVATION_SPACE, action_space)
        assert row.keys() <= features.keys()
        assert {
            name for name in features if name.endswith(("_actions", "_observations")) and "executed" not in name
        } == {name for name in row if name.endswith(("_actions", "_observations"))}
    assert row["image_shape"] == [20, 18, 1]
    assert row["discrete_observations"].shape == (STEPS, 16 + 1 + 22)


@pytest.mark.parametrize(
    ("space", "role", "message"),
    [
        (spaces.Dict({"a": spaces.Text(3), "b": spaces.Tuple([spaces.Text(3)])}), "observations", r"one text.*'b/0'"),
        (spaces.Sequence(spaces.Discrete(3)), "observations", "can't hold values of a Sequence"),
        (spaces.Text(3), "actions", "must be of numbers"),
        (spaces.Dict({}), "observations", "nothing in the space"),
    ],
)
def test_spaces_that_an_episode_cannot_hold(space, role, message):
    with pytest.raises(GatoError, match=message):
        leaves_of(space, role)


def test_values_that_do_not_fit_the_space():
    row = episode_of(ACTION_SPACES[0])[0]
    with pytest.raises(GatoError, match="needs the column continuous_actions"):
        values_of(leaves_of(ACTION_SPACES[2], "actions"), row, "actions")
    with pytest.raises(GatoError, match="discrete_actions has 1 values a step, the space has 2"):
        values_of(leaves_of(ACTION_SPACES[1], "actions"), row, "actions")
    with pytest.raises(GatoError, match="body/z of the space"):
        unnested(OBSERVATION_SPACE, OBSERVATION_SPACE.sample() | {"body": {"a": 3}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text_observations": ["a", None, "b"]}, "the row: text_observations of step 1 is NoneType, not text"),
        ({"image_observations": [b"123"] * STEPS}, r"image_observations of step 0 has 3 bytes.*\[20, 18, 1\]"),
        ({"image_shape": None}, "image_observations of step 0 has 360 bytes, its image_shape is None"),
        ({"rewards": [0.0, 1e300, 0.0]}, "rewards of step 1 holds a number that is not finite: 1e[+]300"),
        ({"executed_discrete_actions": [1, 1]}, "one length.*'executed_discrete_actions': 2"),
        ({"discrete_actions": [1, None, 2]}, "discrete_actions of step 1 holds a number that is not finite: nan"),
    ],
)
def test_what_is_wrong_in_an_episode_is_named(change, message):
    with pytest.raises(GatoError, match=message):
        check_episode(episode_of(ACTION_SPACES[0])[0] | change, "the row")
