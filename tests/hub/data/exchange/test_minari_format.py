# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json

import numpy as np
import pytest
from gymnasium import spaces

from gato_hub.data.exchange.minari_format import (
    MinariArrays,
    check_dataset_id,
    space_from_json,
    space_to_json,
    stored_arrays,
    stored_tree,
)
from gato_hub.system.errors import GatoError


def test_a_space_comes_back_and_the_bounds_of_an_image_are_two_numbers():
    space = spaces.Dict(
        {
            "camera": spaces.Box(0, 255, (64, 64, 3), np.uint8),
            "arm": spaces.Tuple([spaces.Box(np.float32([-1, -2]), np.float32([1, 2])), spaces.Discrete(3, start=1)]),
        }
    )
    stored = json.loads(json.dumps(space_to_json(space)))
    assert len(json.dumps(stored)) < 1000
    assert space_from_json(stored) == space


def test_arrays_and_trees_come_back_bit_for_bit():
    rest = MinariArrays()
    tree = {"numbers": {"single": np.float32(0.1), "many": np.arange(6, dtype=np.int16).reshape(2, 3)}, "name": "a"}
    rest.add(("rewards",), np.array([0.1, 0.2]))
    rest.add(("observations", "order"), ["left", "right"])
    rest.add_tree("infos", tree)
    stored = stored_arrays({"minari_arrays": rest.entries})
    assert stored["rewards",].tolist() == [0.1, 0.2] and stored["observations", "order"] == ["left", "right"]
    back = stored_tree("infos", stored)
    assert back["name"] == "a" and back["numbers"]["single"] == np.float32(0.1)
    assert back["numbers"]["single"].dtype == np.float32
    np.testing.assert_array_equal(back["numbers"]["many"], tree["numbers"]["many"])
    assert back["numbers"]["many"].dtype == np.int16


def test_what_can_not_be_stored_is_named():
    with pytest.raises(GatoError, match="infos of a Minari episode holds a set, which can't be kept"):
        MinariArrays().add_tree("infos", {"seen": {1, 2}})


@pytest.mark.parametrize("dataset_id", ["no version", "name", "", "name-v"])
def test_ids_that_minari_does_not_take(dataset_id):
    with pytest.raises(GatoError, match="is no id of a Minari dataset: it must be like 'namespace/name-v0'"):
        check_dataset_id(dataset_id)
