# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

import math

import numpy as np
import pytest

from gato_hub.training.label_entropy import entropy, losses_table


def test_the_entropy_of_frequencies():
    assert entropy(np.array([3, 3, 3])) == 0.0
    assert entropy(np.array([0, 1, 2, 3])) == pytest.approx(math.log(4))
    assert entropy(np.array([0, 0, 0, 1])) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))


def test_a_table_of_losses_beside_entropies_is_of_the_last_tenth_of_the_log():
    entries = [{"step": step, "loss": 1.0, "loss/a/b": 9.0 if step <= 18 else 0.5} for step in range(1, 21)]
    table = losses_table(entries, {"a/b": 2.0, "a/constant": 0.0})
    assert "steps 19 to 20" in table
    assert "| a/b | 0.500 | 2.000 | 0.25 |" in table
    assert "| a/constant | - | 0.000 | - |" in table
