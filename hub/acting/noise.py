# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Noise on an expert's actions, so that its demonstrations also show how to recover from mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..system.errors import GatoError

if TYPE_CHECKING:
    import gymnasium
    from gymnasium import spaces


def action_noise(action_space: gymnasium.Space, amount: float, seed: int) -> Callable[[Any], Any]:
    """Returns a function that disturbs actions.

    Numbers of a Box get noise from N(0, amount) in halves of the Box's width, and are clipped to the Box. A discrete
    value is replaced by a random one with probability `amount`.

    Args:
        action_space: Space of the actions: a Box of floats, Discrete, MultiDiscrete or MultiBinary.
        amount: Standard deviation, or probability.
        seed: Seed of the noise.

    Raises:
        GatoError: `amount` is negative, or a probability over 1, or the space is of another kind.
    """
    from gymnasium import spaces

    if amount < 0.0:
        raise GatoError(f"noise must not be negative, got {amount}")
    random = np.random.default_rng([seed, 1])
    if isinstance(action_space, spaces.Box) and np.issubdtype(action_space.dtype, np.floating):
        low, high = action_space.low, action_space.high
        scale = np.where(np.isfinite(high - low), (high - low) / 2, 1.0) * amount

        def disturb(action: Any) -> np.ndarray:
            disturbed = np.asarray(action) + scale * random.standard_normal(action_space.shape)
            return np.clip(disturbed, low, high).astype(action_space.dtype)

        return disturb
    if not isinstance(action_space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        raise GatoError(f"noise is for actions of numbers, the action space is {action_space}")
    if amount > 1.0:
        raise GatoError(f"noise of discrete actions is a probability, got {amount}")

    def replace_some(action: Any) -> Any:
        other = _random_values(action_space, random)
        return np.where(random.random(action_space.shape) < amount, other, action).astype(action_space.dtype)[()]

    return replace_some


def _random_values(
    space: spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary, random: np.random.Generator
) -> np.ndarray:
    from gymnasium import spaces

    if isinstance(space, spaces.MultiBinary):
        return random.integers(0, 2, space.shape)
    count = space.n if isinstance(space, spaces.Discrete) else space.nvec
    return space.start + random.integers(0, count, space.shape)
