# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Inverse kinematics of an arm of two links in a plane."""

from __future__ import annotations

import math

import numpy as np


def reach_angles(target: np.ndarray, first_link: float, second_link: float, angles: np.ndarray) -> np.ndarray:
    """Joint angles (2,) that put the tip of a two-link arm at `target`, or as near as its links allow.

    Of the two solutions, elbow to the left and to the right, the one that is nearer to the present `angles` (2,). The
    first joint is at the origin; its angle is that of the first link, the second one that between the links.
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
