# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Hypothesis strategies for gymnasium spaces."""

import collections
import string

import numpy as np
from gymnasium import spaces
from hypothesis import strategies as st


@st.composite
def float_boxes(draw):
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    size = int(np.prod(shape))
    low, high = [], []
    for _ in range(size):
        start, width = draw(st.floats(-100, 100, width=32)), draw(st.floats(0.5, 50, width=32))
        low.append(draw(st.sampled_from([start, -np.inf])))
        high.append(draw(st.sampled_from([start + width, np.inf])))
    low, high = (np.array(bound).reshape(shape).astype(dtype) for bound in (low, high))
    return spaces.Box(low, high, shape, dtype)


@st.composite
def integer_boxes(draw):
    dtype = draw(st.sampled_from([np.uint8, np.int8, np.int32, np.int64]))
    info = np.iinfo(dtype)
    low = draw(st.integers(int(info.min), int(info.max)))
    high = draw(st.integers(low, min(low + 1023, int(info.max))))
    box = spaces.Box(low, high, draw(st.sampled_from([(), (2,), (2, 3)])), dtype)
    # Box.sample draws integers through float64, which overflows at the ends of int64.
    box.sample = lambda *_, **__: box.np_random.integers(box.low, box.high, dtype=dtype, endpoint=True)
    return box


def discretes():
    return st.builds(lambda n, start: spaces.Discrete(n, start=start), st.integers(1, 1024), st.integers(-2000, 2000))


@st.composite
def multi_discretes(draw):
    shape = draw(st.sampled_from([(1,), (3,), (2, 2)]))
    numbers = st.lists(st.integers(1, 1024), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
    nvec, start = np.array(draw(numbers)).reshape(shape), np.array(draw(numbers)).reshape(shape) - 500
    return spaces.MultiDiscrete(nvec, start=start)


@st.composite
def texts(draw):
    shortest = draw(st.integers(0, 4))
    charset = draw(st.text(string.printable, min_size=1, max_size=30))
    return spaces.Text(min_length=shortest, max_length=shortest + draw(st.integers(1, 5)), charset=charset)


def byte_boxes():
    """uint8 boxes of which some are images and some are boards."""
    sides = (15, 16), (16, 15), (16, 16), (4, 16), (16,), (1, 1, 1), (4, 4, 3), (3, 4, 4), (16, 16, 4), (2, 2, 2, 3)
    return st.sampled_from(sides).map(lambda shape: spaces.Box(0, 255, shape, np.uint8))


def simple_spaces():
    binary = st.sampled_from([1, 5, (2, 3)]).map(spaces.MultiBinary)
    return st.one_of(float_boxes(), integer_boxes(), discretes(), multi_discretes(), binary, texts())


def nested_spaces(leaves=None):
    """Dicts and tuples of spaces, by default of those whose values are numbers or text."""
    return st.recursive(
        simple_spaces() if leaves is None else leaves,
        lambda children: st.one_of(
            # An OrderedDict keeps its order; gymnasium sorts the keys of others itself.
            st.dictionaries(
                st.sampled_from("abcdefg"), children, min_size=1, max_size=3, dict_class=collections.OrderedDict
            ).map(spaces.Dict),
            st.lists(children, min_size=1, max_size=3).map(spaces.Tuple),
        ),
        max_leaves=5,
    )
