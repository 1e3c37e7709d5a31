# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import math

import numpy as np
import pytest

from gato_hub.suites.experts.two_link_arm import reach_angles


@pytest.mark.parametrize("target", [(0.15, 0.05), (-0.1, 0.1), (0.02, -0.05)])
def test_arm_reaches_its_target_by_the_nearer_of_two_ways(target):
    for angles in (np.array([0.3, 1.0]), np.array([-2.0, -1.5])):
        shoulder, elbow = reach_angles(np.array(target), 0.1, 0.11, angles)
        tip = 0.1 * np.array([math.cos(shoulder), math.sin(shoulder)])
        tip += 0.11 * np.array([math.cos(shoulder + elbow), math.sin(shoulder + elbow)])
        np.testing.assert_allclose(tip, target, atol=1e-9)
        assert abs(shoulder - angles[0]) <= math.pi + 1e-9
    left, right = (reach_angles(np.array([0.1, 0.1]), 0.1, 0.11, np.array([0.8, elbow])) for elbow in (1.0, -1.0))
    assert left[1] > 0 > right[1]


def test_arm_stretches_toward_a_target_out_of_reach():
    shoulder, elbow = reach_angles(np.array([0.0, 5.0]), 0.1, 0.11, np.zeros(2))
    assert (shoulder, elbow) == (pytest.approx(math.pi / 2), 0.0)
