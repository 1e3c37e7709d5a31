# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Images, and comparisons of what the processor makes."""

import numpy as np

from tokenization_gato import GatoSequence


def random_image(height=28, width=28, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def assert_same_inputs(left, right):
    assert sorted(left) == sorted(right)
    for name in left:
        assert np.array_equal(np.asarray(left[name]), np.asarray(right[name])), name


def assert_same_sequences(left: GatoSequence, right: GatoSequence):
    for name in vars(left):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name
