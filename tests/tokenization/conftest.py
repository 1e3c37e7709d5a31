# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest

from tokenization_gato import GatoProcessor, default_tokenizer


@pytest.fixture(scope="session")
def tokenizer():
    return default_tokenizer()


@pytest.fixture(scope="session")
def processor():
    """The paper's layout: discrete values share ids with text, text is repeated."""
    return GatoProcessor()


@pytest.fixture(scope="session")
def own_range_processor():
    """Discrete values have ids of their own."""
    return GatoProcessor(share_discrete_with_text=False)


@pytest.fixture(scope="session")
def instruction_processor():
    """Text is an instruction, written once."""
    return GatoProcessor(repeat_text_observations=False)


@pytest.fixture
def make_episode():
    """A gridworld episode: text, one image and a number in each step."""

    def make(num_steps=4, seed=0, missions=("go to the red ball",), task="gridworld", side=28):
        random = np.random.default_rng(seed)
        return {
            "text_observations": [missions[min(step, len(missions) - 1)] for step in range(num_steps)],
            "image_observations": random.integers(0, 256, (num_steps, side, side, 3), dtype=np.uint8),
            "discrete_observations": random.integers(0, 4, (num_steps, 1)).tolist(),
            "discrete_actions": random.integers(0, 7, num_steps).tolist(),
            "rewards": [0.0] * num_steps,
            "task": task,
        }

    return make
