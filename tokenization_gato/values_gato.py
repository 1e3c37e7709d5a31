# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Arithmetic on values: companding, bins and offsets (A Generalist Agent, section 2.1).

The functions know arrays alone: neither spaces nor the vocabulary.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

# A value may leave its bounds by this share of their width: a rounding error of float32, not a wrong scale.
ROUNDING_SLACK = 1e-5


@dataclass(frozen=True)
class ValueScales:
    """How values become integers, before these get their place in the vocabulary.

    Args:
        num_bins: Number of bins of a continuous value.
        mu, mu_law_bound: Constants of `mu_law`.
        num_discrete: Discrete values lie in [0, num_discrete).

    Raises:
        ValueError: if `mu` or `mu_law_bound` is not positive.
    """

    num_bins: int = 1024
    mu: float = 100.0
    mu_law_bound: float = 256.0
    num_discrete: int = 1024

    def __post_init__(self) -> None:
        if self.mu <= 0 or self.mu_law_bound <= 0:
            raise ValueError(f"mu and mu_law_bound must be positive, got {self.mu} and {self.mu_law_bound}")


def as_array(values: Any, name: str = "values") -> np.ndarray:
    """Returns numbers as a numpy array.

    Args:
        values: A number, a list, an array or a tensor.
        name: What an error calls the values.

    Raises:
        TypeError: if the values are no numbers, or lists of unequal length.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise TypeError(f"{name} must be numbers in rows of equal length: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be numbers in rows of equal length, got an array of {array.dtype}")
    return array


def require_positive_integer(value: Any, name: str) -> None:
    """Raises ValueError unless the value is an integer above zero."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")


def require_finite(values: np.ndarray, name: str) -> None:
    """Raises ValueError, naming the first NaN or infinity, if there is one."""
    finite = np.isfinite(values)
    if not finite.all():
        index = tuple(map(int, np.unravel_index(np.argmin(finite), finite.shape)))
        raise ValueError(f"{name} must be finite, got {values[index]} at index {index} of shape {values.shape}")


def mu_law(values: Any, mu: float = 100.0, bound: float = 256.0, name: str = "values") -> np.ndarray:
    """Compands continuous values: sgn(x) log(1 + mu |x|) / log(1 + bound mu), clipped to [-1, 1].

    Args:
        values: Numbers of any shape.
        mu, bound: 100 and 256 in the paper (section 2.1); +-bound maps to +-1.
        name: What an error calls the values.

    Raises:
        ValueError: for NaN or infinity.
    """
    values = as_array(values, name).astype(np.float64, copy=False)
    require_finite(values, name)
    companded = np.sign(values) * (np.log1p(mu * np.abs(values)) / np.log1p(bound * mu))
    return np.clip(companded, -1.0, 1.0)


def inverse_mu_law(values: Any, mu: float = 100.0, bound: float = 256.0) -> np.ndarray:
    """Returns the values in [-bound, bound] that `mu_law` maps to the given ones in [-1, 1].

    Raises:
        ValueError: for NaN, infinity, or values outside [-1, 1].
    """
    values = _as_unit_values(values)
    return np.sign(values) * np.expm1(np.abs(values) * np.log1p(bound * mu)) / mu


def values_to_bins(values: Any, num_bins: int = 1024) -> np.ndarray:
    """Returns the index of the uniform bin of [-1, 1] that each value lies in; 1 itself lies in the last bin.

    Raises:
        ValueError: for NaN, infinity, or values outside [-1, 1].
    """
    return unit_to_bins(_as_unit_values(values), num_bins)


def unit_to_bins(values: np.ndarray, num_bins: int) -> np.ndarray:
    """Does what `values_to_bins` does for values known to lie in [-1, 1]."""
    return np.minimum(((values + 1.0) * (num_bins / 2)).astype(np.int64), num_bins - 1)


def bins_to_values(bins: Any, num_bins: int = 1024) -> np.ndarray:
    """Returns the center (2 t + 1) / num_bins - 1 of each bin t.

    Raises:
        TypeError, ValueError: for bins that are no integers, or outside [0, num_bins).
    """
    bins = as_array(bins, "bins")
    if bins.dtype.kind not in "iu":
        raise TypeError(f"bins must be integers, got an array of {bins.dtype}")
    if bins.size and (bins.min() < 0 or bins.max() >= num_bins):
        raise ValueError(f"bins must lie in [0, {num_bins}), got values from {bins.min()} to {bins.max()}")
    return (2.0 * bins + 1.0) / num_bins - 1.0


def within_unit(values: np.ndarray, name: str, explanation: str) -> np.ndarray:
    """Returns values of [-1, 1] without the rounding errors at its ends.

    Args:
        values: Floats of any shape.
        name: What an error calls the values.
        explanation: Why the values must lie in [-1, 1]; part of the error.

    Raises:
        ValueError: for NaN, infinity, or values outside [-1, 1] by more than a rounding error.
    """
    require_finite(values, name)
    if values.size and np.abs(values).max() > 1.0 + 2 * ROUNDING_SLACK:
        raise ValueError(
            f"{name} must lie in [-1, 1], {explanation}, got values from {values.min():g} to {values.max():g}"
        )
    return np.clip(values, -1.0, 1.0)


def integers_to_offsets(values: np.ndarray, low: np.ndarray | None, limit: int, name: str) -> np.ndarray:
    """Returns values - low, which must lie in [0, limit).

    Args:
        values: Integers (steps, size).
        low: The lowest value of each element, (size,); None for zeros.
        limit: How many values an element may have.
        name: What an error calls the values.

    Raises:
        TypeError, ValueError: naming the first value that is no integer or has no offset.
    """
    if values.dtype.kind == "f":
        raise TypeError(f"{name} must be integers, got an array of {values.dtype}")
    low = np.zeros(1, np.int64) if low is None else low
    below = values < low
    # Without a sign the difference is exact, whatever the type of the integers.
    offsets = values.astype(np.uint64) - low.astype(np.uint64)
    outside = below | (offsets >= limit)
    if outside.any():
        step, index = (int(axis[0]) for axis in np.nonzero(outside))
        lowest = int(np.broadcast_to(low, values.shape)[step, index])
        raise ValueError(
            f"{name}: a discrete value must lie in [{lowest}, {lowest + limit}), the lowest of its space and "
            f"{limit} values, got {values[step, index]} at step {step}, element {index}"
        )
    return offsets.astype(np.int64)


def _as_unit_values(values: Any) -> np.ndarray:
    values = as_array(values).astype(np.float64, copy=False)
    require_finite(values, "values")
    if values.size and np.abs(values).max() > 1.0:
        raise ValueError(f"values must lie in [-1, 1], got values from {values.min()} to {values.max()}")
    return values


__all__ = ["ValueScales", "bins_to_values", "inverse_mu_law", "mu_law", "values_to_bins"]
