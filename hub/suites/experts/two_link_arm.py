# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Inverse kinematics of a planar arm with two links."""

from __future__ import annotations

import math

import numpy as np


def reach_angles(target: np.ndarray, first_link: float, second_link: float, angles: np.ndarray) -> np.ndarray:
    """Returns the joint angles that put the tip of a two-link arm at a target, or as near as its links allow.

    The first joint is at the origin. Its angle is that of the first link; the second angle is between the links. There
    are two solutions, with the elbow to the left or to the right; the one nearer to the current angles is returned.

    Args:
        target: Position of the target, (2,).
        first_link, second_link: Lengths of the links, in the unit of the target.
        angles: The current joint angles in radians, (2,).

    Returns:
        Joint angles in radians, (2,).
    """
    distance = math.hypot(*target)
    cosine = (distance**2 - first_link**2 - second_link**2) / (2 * first_link * second_link)
    elbow = math.acos(min(max(cosine, -1.0), 1.0))

    def solution(elbow: float) -> np.ndarray:
        behind_elbow = math.atan2(second_link * math.sin(elbow), first_link + second_link * math.cos(elbow))
        shoulder = math.atan2(target[1], target[0]) - behind_elbow
        turns = np.round((angles[0] - shoulder) / (2 * math.pi))
        return np.array([shoulder + turns * 2 * math.pi, elbow])

    return min((solution(elbow), solution(-elbow)), key=lambda wanted: np.abs(wanted - angles).max())
