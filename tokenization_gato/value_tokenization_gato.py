# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Continuous and discrete values as integers, and back (A Generalist Agent, section 2.1).

The first half is plain arithmetic on arrays. The second half says what each kind of gymnasium space becomes: an
observation space is a list of `ObservationField`, an action space a list of `ActionField`. Both work on many
timesteps at once. gymnasium itself is optional, and imported by those who have a space; without one values are
treated by their type alone.
"""

import functools
import importlib
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# An action may leave its bounds by this share of their width: rounding of float32, not a wrong scale.
ROUNDING_SLACK = 1e-5
# A uint8 Box without a channel axis is a grey image from this side length on, and a small board below it.
MIN_GREY_IMAGE_SIDE = 16


# ---------------------------------------------------------------------------------------------------------------
# Arithmetic
# ---------------------------------------------------------------------------------------------------------------


def as_array(values, name: str = "values") -> np.ndarray:
    """A numpy array of numbers from a scalar, list, array or tensor.

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


def _require_finite(values: np.ndarray, name: str) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        index = tuple(map(int, np.unravel_index(np.argmin(finite), finite.shape)))
        raise ValueError(f"{name} must be finite, got {values[index]} at index {index} of shape {values.shape}")


def mu_law(values, mu: float = 100.0, bound: float = 256.0, name: str = "values") -> np.ndarray:
    """Companding of continuous observations: sgn(x) log(1 + mu |x|) / log(1 + bound mu), clipped to [-1, 1].

    Args:
        values: numbers of any shape.
        mu, bound: 100 and 256 in the paper (section 2.1); +-bound maps to +-1.
        name: what an error calls the values.

    Raises:
        ValueError: for NaN or infinity.
    """
    values = as_array(values, name).astype(np.float64, copy=False)
    _require_finite(values, name)
    companded = np.sign(values) * (np.log1p(mu * np.abs(values)) / np.log1p(bound * mu))
    return np.clip(companded, -1.0, 1.0)


def inverse_mu_law(values, mu: float = 100.0, bound: float = 256.0) -> np.ndarray:
    """The value in [-bound, bound] whose `mu_law` is the given one of [-1, 1].

    Raises:
        ValueError: for NaN, infinity, or values outside [-1, 1].
    """
    values = as_array(values).astype(np.float64, copy=False)
    _require_finite(values, "values")
    if values.size and np.abs(values).max() > 1.0:
        raise ValueError(f"values must lie in [-1, 1], got values from {values.min()} to {values.max()}")
    return np.sign(values) * np.expm1(np.abs(values) * np.log1p(bound * mu)) / mu


def values_to_bins(values, num_bins: int = 1024) -> np.ndarray:
    """Index of the uniform bin of [-1, 1] that each value lies in; 1 itself belongs to the last bin.

    Raises:
        ValueError: for NaN, infinity, or values outside [-1, 1].
    """
    values = as_array(values).astype(np.float64, copy=False)
    _require_finite(values, "values")
    if values.size and np.abs(values).max() > 1.0:
        raise ValueError(f"values must lie in [-1, 1], got values from {values.min()} to {values.max()}")
    return _bins_of_unit(values, num_bins)


def _bins_of_unit(values: np.ndarray, num_bins: int) -> np.ndarray:
    """`values_to_bins` of values known to lie in [-1, 1]."""
    return np.minimum(((values + 1.0) * (num_bins / 2)).astype(np.int64), num_bins - 1)


def bins_to_values(bins, num_bins: int = 1024) -> np.ndarray:
    """Centre (2 t + 1) / num_bins - 1 of each bin t.

    Raises:
        TypeError, ValueError: for bins that are no integers, or outside [0, num_bins).
    """
    bins = as_array(bins, "bins")
    if bins.dtype.kind not in "iu":
        raise TypeError(f"bins must be integers, got an array of {bins.dtype}")
    if bins.size and (bins.min() < 0 or bins.max() >= num_bins):
        raise ValueError(f"bins must lie in [0, {num_bins}), got values from {bins.min()} to {bins.max()}")
    return (2.0 * bins + 1.0) / num_bins - 1.0


def _integers_to_offsets(values: np.ndarray, low: np.ndarray | None, limit: int, name: str) -> np.ndarray:
    """values - low, which must lie in [0, limit); `values` is (N, size), `low` (size,), or None for zeros."""
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


def _one_row_a_step(values: np.ndarray, leaf: "ObservationField | ActionField") -> np.ndarray:
    """(steps, size) from (steps, ...), row-major. Raises ValueError where the leaf has another shape."""
    if leaf.shape is not None and values.shape[1:] not in (leaf.shape, (leaf.size,)):
        raise ValueError(f"{leaf.name} must have shape {leaf.shape} a step, got {values.shape[1:]}")
    return values.reshape(len(values), math.prod(values.shape[1:]))


@dataclass(frozen=True)
class ValueScales:
    """How values become integers: everything but the place of the ids in the vocabulary.

    Args:
        num_bins: bins of a continuous value.
        mu, mu_law_bound: see `mu_law`.
        num_discrete: discrete values lie in [0, num_discrete).
    """

    num_bins: int = 1024
    mu: float = 100.0
    mu_law_bound: float = 256.0
    num_discrete: int = 1024

    def __post_init__(self):
        if self.mu <= 0 or self.mu_law_bound <= 0:
            raise ValueError(f"mu and mu_law_bound must be positive, got {self.mu} and {self.mu_law_bound}")


# ---------------------------------------------------------------------------------------------------------------
# Observations
# ---------------------------------------------------------------------------------------------------------------

# Text before images before tensors (section 2.1).
_FIELD_ORDER = {"text": 0, "image": 1, "discrete": 2, "continuous": 2}


@dataclass(frozen=True)
class ObservationField:
    """One leaf of an observation.

    Args:
        path: keys and indices that lead to the leaf; () for an observation that is one value.
        kind: "text", "image", "discrete" or "continuous".
        shape: shape of the value in one timestep; None where no space says so.
        low: lowest integer of a discrete leaf, an array of `shape`.
        companded: whether mu_law applies to a continuous leaf; otherwise it already lies in [-1, 1].
    """

    path: tuple
    kind: str
    shape: tuple[int, ...] | None = None
    low: np.ndarray | None = None
    companded: bool = True

    @property
    def name(self) -> str:
        return "/".join(map(str, self.path)) or "observation"

    @property
    def size(self) -> int:
        """Tokens of a discrete or continuous leaf with a known shape."""
        return math.prod(self.shape)

    def encode(self, values, scales: ValueScales) -> np.ndarray:
        """Bins or discrete values, (steps, size) int64, of a discrete or continuous leaf given (steps, *shape).

        Raises:
            TypeError, ValueError: naming the leaf, if the values don't fit its space or can't be tokens.
        """
        values = as_array(values, self.name)
        flat = _one_row_a_step(values, self)
        if self.kind == "discrete":
            low = None if self.low is None else self.low.reshape(-1)
            return _integers_to_offsets(flat, low, scales.num_discrete, self.name)
        if self.companded:
            flat = mu_law(flat, scales.mu, scales.mu_law_bound, self.name)
        else:
            flat = _within_unit(flat.astype(np.float64), self.name, "as its space does")
        return _bins_of_unit(flat, scales.num_bins)


def _within_unit(values: np.ndarray, name: str, explanation: str) -> np.ndarray:
    """Values of [-1, 1], rounding errors at its ends removed."""
    _require_finite(values, name)
    if values.size and np.abs(values).max() > 1.0 + 2 * ROUNDING_SLACK:
        raise ValueError(
            f"{name} must lie in [-1, 1], {explanation}, got values from {values.min():g} to {values.max():g}"
        )
    return np.clip(values, -1.0, 1.0)


def observation_fields(space) -> list[ObservationField]:
    """Leaves of a gymnasium space in the order in which they are written: text, images, tensors.

    Raises:
        TypeError: for a space without a rule.
    """
    return sorted(_observation_leaves(space, ()), key=lambda leaf: _FIELD_ORDER[leaf.kind])


def infer_observation_fields(observation) -> list[ObservationField]:
    """Leaves of one observation whose space is unknown: the value decides.

    str is text; a uint8 array (height, width, 3) or a PIL image is an image; integers and booleans are discrete;
    floats are continuous.

    Raises:
        TypeError: for a value that is none of these.
    """
    return sorted(_inferred_leaves(observation, ()), key=lambda leaf: _FIELD_ORDER[leaf.kind])


def structure(value) -> Any:
    """Keys and indices of nested mappings and tuples, without the values: equal for timesteps of one episode."""
    if isinstance(value, Mapping):
        return {key: structure(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(structure(item) for item in value)
    return None


def get_leaf(value, path: tuple) -> Any:
    """The value at `path` in nested mappings and tuples.

    Raises:
        ValueError: if the path leads nowhere.
    """
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise ValueError(
                f"{'/'.join(map(str, path))} is missing: a value must have the keys of its space"
            ) from None
    return value


def is_image(value) -> bool:
    """Whether a value without a space is an image: PIL, or a uint8 array (height, width, 3)."""
    if hasattr(value, "getbands"):
        return True
    shape = getattr(value, "shape", None)
    return shape is not None and len(shape) == 3 and shape[-1] == 3 and str(value.dtype) in ("uint8", "torch.uint8")


def _inferred_leaves(value, path: tuple) -> list[ObservationField]:
    if isinstance(value, Mapping):
        return [leaf for key in _sorted_keys(value) for leaf in _inferred_leaves(value[key], (*path, key))]
    if isinstance(value, tuple):
        return [leaf for index, item in enumerate(value) for leaf in _inferred_leaves(item, (*path, index))]
    if isinstance(value, str):
        return [ObservationField(path, "text")]
    if is_image(value):
        return [ObservationField(path, "image")]
    array = as_array(value, "/".join(map(str, path)) or "observation")
    return [ObservationField(path, "continuous" if array.dtype.kind == "f" else "discrete", array.shape)]


def _sorted_keys(mapping: Mapping) -> list:
    return sorted(mapping, key=str)


@functools.singledispatch
def _observation_leaves(space, path: tuple) -> list[ObservationField]:
    if _learn_rules_of_spaces():
        return _observation_leaves(space, path)
    raise _unknown_space(space)


def _unknown_space(space) -> TypeError:
    if "gymnasium" not in sys.modules:
        return TypeError(f"a space needs gymnasium (pip install gymnasium), got {type(space).__name__} without it")
    return TypeError(
        "expected a gymnasium space Box, Discrete, MultiDiscrete, MultiBinary, Text, Dict or Tuple, got "
        f"{type(space).__module__}.{type(space).__name__}"
    )


# ---------------------------------------------------------------------------------------------------------------
# Actions
# ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ActionField:
    """One leaf of an action: `size` tokens, each with its own contiguous range of legal values.

    Args:
        path: keys and indices that lead to the leaf.
        kind: "discrete", "continuous" or "text".
        shape: shape of the value; None where no space says so.
        dtype: of the decoded array.
        low, high: flat arrays of `size`; the bounds of a continuous leaf (infinite where there is none), the lowest
            value and the highest of a discrete one, the legal symbols of a text one.
        scalar: whether the decoded value is a number instead of an array.
        charset: characters of a text leaf in sorted order; symbol len(charset) ends the text.
    """

    path: tuple
    kind: str
    shape: tuple[int, ...] | None = None
    dtype: np.dtype | None = None
    low: np.ndarray | None = field(default=None, repr=False)
    high: np.ndarray | None = field(default=None, repr=False)
    scalar: bool = False
    charset: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return "/".join(map(str, self.path)) or "action"

    @property
    def size(self) -> int:
        """Tokens of the leaf."""
        return math.prod(self.shape)

    @property
    def is_continuous(self) -> bool:
        return self.kind == "continuous"

    def legal_range(self, scales: ValueScales) -> tuple[np.ndarray, np.ndarray]:
        """First legal value and the one past the last, for each token: bins, or discrete values.

        Raises:
            ValueError: if the leaf has more values than there are discrete tokens.
        """
        if self.is_continuous:
            return np.zeros(self.size, np.int64), np.full(self.size, scales.num_bins, np.int64)
        if self.kind == "text":
            first, past_last = self.low, self.high + 1
        else:
            # Python's integers, because the difference of two of 64 bits may need 65.
            widths = [int(high) - int(low) + 1 for low, high in zip(self.low, self.high, strict=True)]
            first, past_last = np.zeros(self.size, np.int64), np.array(widths, object)
        if past_last.size and past_last.max() > scales.num_discrete:
            raise ValueError(
                f"{self.name}: an action may have num_discrete={scales.num_discrete} values, the space has "
                f"{past_last.max()}"
            )
        return first, past_last.astype(np.int64)

    def encode(self, values, scales: ValueScales) -> np.ndarray:
        """Bins or discrete values, (steps, size) int64, of the leaf's values in each step.

        Raises:
            TypeError, ValueError: naming the leaf, if a value is outside its space.
        """
        if self.kind == "text":
            self.legal_range(scales)
            return np.stack([self._encode_text(text) for text in values])
        values = as_array(values, self.name)
        flat = _one_row_a_step(values, self)
        if self.is_continuous:
            unit = self._to_unit(flat.astype(np.float64), scales)
            return _bins_of_unit(unit, scales.num_bins)
        if self.low is None:
            return _integers_to_offsets(flat, None, scales.num_discrete, self.name)
        outside = (flat < self.low) | (flat > self.high)
        if outside.any():
            step, index = (int(axis[0]) for axis in np.nonzero(outside))
            raise ValueError(
                f"{self.name} must lie within its space: element {index} is {flat[step, index]}, its bounds are "
                f"[{self.low[index]}, {self.high[index]}]"
            )
        return _integers_to_offsets(flat, self.low, scales.num_discrete, self.name)

    def decode(self, tokens: np.ndarray, scales: ValueScales) -> Any:
        """The value of the leaf, from its `size` bins or discrete values within the legal range."""
        if self.kind == "text":
            end = len(self.charset)
            length = int(np.argmax(tokens == end)) if (tokens == end).any() else len(tokens)
            return "".join(self.charset[symbol] for symbol in tokens[:length])
        if self.is_continuous:
            flat = self._from_unit(bins_to_values(tokens, scales.num_bins), scales)
        else:
            flat = self.low + tokens.astype(self.low.dtype)
        value = flat.astype(self.dtype).reshape(self.shape)
        return value[()] if self.scalar else value

    def _to_unit(self, values: np.ndarray, scales: ValueScales) -> np.ndarray:
        if self.low is None:
            return _within_unit(values, self.name, "or have a space that says what its bounds are")
        _require_finite(values, self.name)
        slack = ROUNDING_SLACK * np.where(self._bounded, self._width, np.maximum(1.0, np.abs(self._finite_bound)))
        outside = (values < self.low - slack) | (values > self.high + slack)
        if outside.any():
            step, index = (int(axis[0]) for axis in np.nonzero(outside))
            raise ValueError(
                f"{self.name} must lie within its space: element {index} is {values[step, index]:g}, its bounds are "
                f"[{self.low[index]:g}, {self.high[index]:g}]"
            )
        values = np.clip(values, self.low, self.high)
        unit = mu_law(values, scales.mu, scales.mu_law_bound, self.name)
        scaled = 2.0 * ((values - self._safe_low) / self._width) - 1.0
        return np.clip(np.where(self._bounded, scaled, unit), -1.0, 1.0)

    def _from_unit(self, unit: np.ndarray, scales: ValueScales) -> np.ndarray:
        scaled = self._safe_low + (unit + 1.0) / 2.0 * np.where(self.low == self.high, 0.0, self._width)
        values = np.where(self._bounded, scaled, inverse_mu_law(unit, scales.mu, scales.mu_law_bound))
        return np.clip(values, self.low, self.high)

    @functools.cached_property
    def _bounded(self) -> np.ndarray:
        return np.isfinite(self.low) & np.isfinite(self.high)

    @functools.cached_property
    def _safe_low(self) -> np.ndarray:
        return np.where(self._bounded, self.low, 0.0)

    @functools.cached_property
    def _width(self) -> np.ndarray:
        width = np.where(self._bounded, self.high, 1.0) - self._safe_low
        # A dimension with one value only: any bin stands for it.
        return np.where(width > 0, width, 1.0)

    @functools.cached_property
    def _finite_bound(self) -> np.ndarray:
        low = np.where(np.isfinite(self.low), self.low, 0.0)
        return np.where(np.isfinite(self.high), self.high, low)

    def _encode_text(self, text: str) -> np.ndarray:
        if not isinstance(text, str):
            raise TypeError(f"{self.name} must be a string, got {type(text).__name__}")
        if not self._min_length <= len(text) <= self.size:
            raise ValueError(f"{self.name} must have {self._min_length} to {self.size} characters, got {len(text)}")
        symbols = {character: index for index, character in enumerate(self.charset)}
        unknown = sorted(set(text) - set(symbols))
        if unknown:
            raise ValueError(f"{self.name} has characters outside its charset: {''.join(unknown)!r}")
        tokens = np.full(self.size, len(self.charset), np.int64)
        tokens[: len(text)] = [symbols[character] for character in text]
        return tokens

    @property
    def _min_length(self) -> int:
        # The symbol that ends a text is legal from this slot on.
        return int((self.high < len(self.charset)).sum())


def action_fields(space) -> list[ActionField]:
    """Leaves of a gymnasium space in the order in which their tokens are written.

    Raises:
        TypeError: for a space without a rule.
    """
    return _action_leaves(space, ())


def infer_action_fields(action) -> list[ActionField]:
    """Leaves of one action whose space is unknown: integers are discrete, floats lie in [-1, 1] already.

    Raises:
        TypeError: for a value that is neither.
    """
    return _inferred_action_leaves(action, ())


def rebuild_action(space, values: Mapping[tuple, Any]) -> Any:
    """An action of the space from the values of its leaves, by path."""
    return _rebuild(space, (), values)


def _inferred_action_leaves(value, path: tuple) -> list[ActionField]:
    if isinstance(value, Mapping):
        return [leaf for key in _sorted_keys(value) for leaf in _inferred_action_leaves(value[key], (*path, key))]
    if isinstance(value, tuple):
        return [leaf for index, item in enumerate(value) for leaf in _inferred_action_leaves(item, (*path, index))]
    name = "/".join(map(str, path)) or "action"
    if isinstance(value, str):
        raise TypeError(f"{name} is a string: give the action space that says which strings are legal")
    array = as_array(value, name)
    return [ActionField(path, "continuous" if array.dtype.kind == "f" else "discrete", array.shape)]


@functools.singledispatch
def _action_leaves(space, path: tuple) -> list[ActionField]:
    if _learn_rules_of_spaces():
        return _action_leaves(space, path)
    raise _unknown_space(space)


def _rebuild(space, path: tuple, values: Mapping[tuple, Any]) -> Any:
    parts = getattr(space, "spaces", None)
    if isinstance(parts, Mapping):
        return {key: _rebuild(parts[key], (*path, key), values) for key in parts}
    if parts is not None:
        return tuple(_rebuild(item, (*path, index), values) for index, item in enumerate(parts))
    return values[path]


# ---------------------------------------------------------------------------------------------------------------
# The rule of each gymnasium space
# ---------------------------------------------------------------------------------------------------------------

_learnt = False


def _learn_rules_of_spaces() -> bool:
    """Registers the rules once there can be a space, that is once gymnasium was imported; whether it did so now."""
    global _learnt
    if _learnt or "gymnasium" not in sys.modules:
        return False
    # An import statement, here too, would make gymnasium a requirement of checkpoints that carry their code.
    spaces = importlib.import_module("gymnasium.spaces")
    _learnt = True

    @_observation_leaves.register
    def _(space: spaces.Dict, path: tuple) -> list[ObservationField]:
        keys = _sorted_keys(space.spaces)
        return [leaf for key in keys for leaf in _observation_leaves(space.spaces[key], (*path, key))]

    @_observation_leaves.register
    def _(space: spaces.Tuple, path: tuple) -> list[ObservationField]:
        items = enumerate(space.spaces)
        return [leaf for index, item in items for leaf in _observation_leaves(item, (*path, index))]

    @_observation_leaves.register
    def _(space: spaces.Text, path: tuple) -> list[ObservationField]:
        return [ObservationField(path, "text")]

    @_observation_leaves.register
    def _(space: spaces.Box, path: tuple) -> list[ObservationField]:
        if space.dtype == np.uint8 and _is_image_box(space):
            return [ObservationField(path, "image", space.shape)]
        if space.dtype.kind == "f":
            in_unit = bool((space.low >= -1.0).all() and (space.high <= 1.0).all())
            return [ObservationField(path, "continuous", space.shape, companded=not in_unit)]
        return [ObservationField(path, "discrete", space.shape, low=np.asarray(space.low))]

    @_observation_leaves.register
    def _(space: spaces.Discrete, path: tuple) -> list[ObservationField]:
        return [ObservationField(path, "discrete", (), low=np.asarray(space.start))]

    @_observation_leaves.register
    def _(space: spaces.MultiDiscrete, path: tuple) -> list[ObservationField]:
        return [ObservationField(path, "discrete", space.shape, low=np.asarray(space.start))]

    @_observation_leaves.register
    def _(space: spaces.MultiBinary, path: tuple) -> list[ObservationField]:
        return [ObservationField(path, "discrete", space.shape, low=np.zeros(space.shape, np.int64))]

    def _is_image_box(space: spaces.Box) -> bool:
        shape = space.shape
        if len(shape) == 3:
            return shape[-1] in (1, 3)
        return len(shape) == 2 and min(shape) >= MIN_GREY_IMAGE_SIDE

    @_action_leaves.register
    def _(space: spaces.Dict, path: tuple) -> list[ActionField]:
        keys = _sorted_keys(space.spaces)
        return [leaf for key in keys for leaf in _action_leaves(space.spaces[key], (*path, key))]

    @_action_leaves.register
    def _(space: spaces.Tuple, path: tuple) -> list[ActionField]:
        return [leaf for index, item in enumerate(space.spaces) for leaf in _action_leaves(item, (*path, index))]

    @_action_leaves.register
    def _(space: spaces.Text, path: tuple) -> list[ActionField]:
        charset = tuple(sorted(space.character_set))
        last_symbol = np.full(space.max_length, len(charset), np.int64)
        last_symbol[: space.min_length] -= 1
        return [
            ActionField(
                path, "text", (space.max_length,), low=np.zeros_like(last_symbol), high=last_symbol, charset=charset
            )
        ]

    @_action_leaves.register
    def _(space: spaces.Box, path: tuple) -> list[ActionField]:
        kind = "continuous" if space.dtype.kind == "f" else "discrete"
        low, high = space.low.reshape(-1), space.high.reshape(-1)
        if kind == "continuous":
            low, high = low.astype(np.float64), high.astype(np.float64)
        return [ActionField(path, kind, space.shape, space.dtype, low, high, scalar=False)]

    @_action_leaves.register
    def _(space: spaces.Discrete, path: tuple) -> list[ActionField]:
        low = np.array([space.start])
        return [ActionField(path, "discrete", (), space.dtype, low, low + int(space.n) - 1, scalar=True)]

    @_action_leaves.register
    def _(space: spaces.MultiDiscrete, path: tuple) -> list[ActionField]:
        low, high = space.start.reshape(-1), (space.start + space.nvec - 1).reshape(-1)
        return [ActionField(path, "discrete", space.shape, space.dtype, low, high)]

    @_action_leaves.register
    def _(space: spaces.MultiBinary, path: tuple) -> list[ActionField]:
        size = int(np.prod(space.shape))
        low, high = np.zeros(size, np.int64), np.ones(size, np.int64)
        return [ActionField(path, "discrete", space.shape, space.dtype, low, high)]

    return True


__all__ = [
    "ActionField",
    "ObservationField",
    "ValueScales",
    "action_fields",
    "bins_to_values",
    "infer_action_fields",
    "infer_observation_fields",
    "inverse_mu_law",
    "mu_law",
    "observation_fields",
    "values_to_bins",
]
