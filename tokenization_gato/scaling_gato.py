# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Brings the numbers of a continuous leaf to [-1, 1], where they are binned (A Generalist Agent, section 2.1).

`scaling_of` is the only place that decides how.
"""

from typing import Literal, Protocol

import numpy as np

from .values_gato import ROUNDING_SLACK, ValueScales, inverse_mu_law, mu_law, require_finite, within_unit

Role = Literal["observation", "action"]
# The least and the greatest value of each element of a leaf, two flat arrays.
Bounds = tuple[np.ndarray, np.ndarray]


class Scaling(Protocol):
    """Brings the numbers of one leaf to [-1, 1]."""

    def to_unit(self, values: np.ndarray, scales: ValueScales, name: str) -> np.ndarray:
        """Returns float64 values of [-1, 1], (steps, size), from floats of the same shape.

        Raises:
            ValueError: naming the leaf, for NaN, infinity or a value outside its bounds.
        """

    def from_unit(self, unit: np.ndarray, scales: ValueScales) -> np.ndarray:
        """Returns the values that `to_unit` maps to the given ones of [-1, 1]."""


def scaling_of(role: Role, bounds: Bounds | None) -> Scaling:
    """Chooses the scaling of a leaf.

    Args:
        role: Whether the leaf is part of an observation or of an action.
        bounds: The bounds that its space gives, float64; None without a space.
    """
    if role == "action":
        return AlreadyScaled("or have a space that says what its bounds are") if bounds is None else ByBounds(*bounds)
    if bounds is not None and (bounds[0] >= -1.0).all() and (bounds[1] <= 1.0).all():
        return AlreadyScaled("as its space does")
    return MuLaw()


class AlreadyScaled:
    """Keeps numbers that lie in [-1, 1] as they are.

    Args:
        explanation: Why they must lie there; part of the error.
    """

    def __init__(self, explanation: str) -> None:
        self.explanation = explanation

    def to_unit(self, values: np.ndarray, scales: ValueScales, name: str) -> np.ndarray:
        return within_unit(values.astype(np.float64), name, self.explanation)

    def from_unit(self, unit: np.ndarray, scales: ValueScales) -> np.ndarray:
        return unit


class MuLaw:
    """Compands numbers without known bounds, see `mu_law`."""

    def to_unit(self, values: np.ndarray, scales: ValueScales, name: str) -> np.ndarray:
        return mu_law(values, scales.mu, scales.mu_law_bound, name)

    def from_unit(self, unit: np.ndarray, scales: ValueScales) -> np.ndarray:
        return inverse_mu_law(unit, scales.mu, scales.mu_law_bound)


class ByBounds:
    """Maps [low, high] linearly to [-1, 1], and compands where a bound is infinite.

    Args:
        low, high: The bounds of each element, (size,) float64.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.low, self.high = low, high
        self._is_bounded = np.isfinite(low) & np.isfinite(high)
        self._start = np.where(self._is_bounded, low, 0.0)
        width = np.where(self._is_bounded, high, 1.0) - self._start
        # If an element has one value only, any bin stands for it.
        self._width = np.where(width > 0, width, 1.0)
        finite_bound = np.where(np.isfinite(high), high, np.where(np.isfinite(low), low, 0.0))
        self._slack = ROUNDING_SLACK * np.where(self._is_bounded, self._width, np.maximum(1.0, np.abs(finite_bound)))

    def to_unit(self, values: np.ndarray, scales: ValueScales, name: str) -> np.ndarray:
        values = values.astype(np.float64)
        require_finite(values, name)
        outside = (values < self.low - self._slack) | (values > self.high + self._slack)
        if outside.any():
            step, index = (int(axis[0]) for axis in np.nonzero(outside))
            raise ValueError(
                f"{name} must lie within its space: element {index} is {values[step, index]:g}, its bounds are "
                f"[{self.low[index]:g}, {self.high[index]:g}]"
            )
        values = np.clip(values, self.low, self.high)
        companded = mu_law(values, scales.mu, scales.mu_law_bound, name)
        scaled = 2.0 * ((values - self._start) / self._width) - 1.0
        return np.clip(np.where(self._is_bounded, scaled, companded), -1.0, 1.0)

    def from_unit(self, unit: np.ndarray, scales: ValueScales) -> np.ndarray:
        scaled = self._start + (unit + 1.0) / 2.0 * np.where(self.low == self.high, 0.0, self._width)
        values = np.where(self._is_bounded, scaled, inverse_mu_law(unit, scales.mu, scales.mu_law_bound))
        return np.clip(values, self.low, self.high)


__all__ = ["AlreadyScaled", "Bounds", "ByBounds", "MuLaw", "Role", "Scaling", "scaling_of"]
