# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Statistics of episodes: intervals of rates and means, and the score of one policy at one task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..system.errors import GatoError

NORMAL_QUANTILE_95 = 1.959963984540054
BOOTSTRAP_RESAMPLES = 2000

Interval = tuple[float, float]


def wilson_interval(successes: int, episodes: int) -> Interval:
    """Returns the 95 % interval of a success rate (Wilson, 1927).

    It is also right at rates of 0 and 1, where the normal approximation has no width.

    Raises:
        ValueError: Not 0 <= successes <= episodes, or no episodes.
    """
    if episodes < 1 or not 0 <= successes <= episodes:
        raise ValueError(f"{successes} successes in {episodes} episodes have no rate")
    z_squared = NORMAL_QUANTILE_95**2
    rate = successes / episodes
    center = (rate + z_squared / (2 * episodes)) / (1 + z_squared / episodes)
    spread = math.sqrt(rate * (1 - rate) / episodes + z_squared / (4 * episodes**2))
    half_width = NORMAL_QUANTILE_95 * spread / (1 + z_squared / episodes)
    # Without rounding the ends would be exactly 0 and 1 here.
    low = 0.0 if successes == 0 else center - half_width
    high = 1.0 if successes == episodes else center + half_width
    return low, high


def bootstrap_interval(values: Sequence[float]) -> Interval:
    """Returns the 95 % percentile bootstrap interval of a mean. The same values give the same interval.

    Raises:
        ValueError: There are no values, or one is not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(
            f"the mean of {sample.size} values, of which {np.isfinite(sample).sum()} finite, is undefined"
        )
    low, high = interval(resampled_means(sample))
    return low, high


def resampled_means(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns (BOOTSTRAP_RESAMPLES,) means, each of as many values as there are, drawn from them with replacement."""
    picks = np.random.default_rng(seed).integers(len(values), size=(BOOTSTRAP_RESAMPLES, len(values)))
    return values[picks].mean(axis=1)


def interval(samples: np.ndarray) -> list[float]:
    """Returns the ends of the middle 95 % of samples."""
    return [float(end) for end in np.quantile(samples, [0.025, 0.975])]


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """Returns the mean of the middle half along the first axis. Values at its edges count in part."""
    ordered = np.sort(values, axis=0)
    count = len(ordered)
    edges = np.arange(count + 1)
    # How much of each value lies between the quartiles.
    low, high = count / 4, 3 * count / 4
    weights = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0, 1.0)
    return np.tensordot(weights, ordered, axes=1) / weights.sum()


@dataclass(frozen=True)
class Score:
    """The score of one policy at one task, with 95 % intervals.

    Attributes:
        task: Id of the task.
        policy: Name of the policy.
        episodes: The episodes: mappings with "seed", "return", "success" and "length".
        mean_return: Mean sum of rewards.
        return_interval: Interval of `mean_return`.
        success_rate: Share of episodes that solved the task, None if the task's score is its return.
        success_interval: Interval of `success_rate`.
    """

    task: str
    policy: str
    episodes: tuple[Mapping[str, Any], ...]
    mean_return: float
    return_interval: Interval
    success_rate: float | None
    success_interval: Interval | None

    @property
    def headline(self) -> tuple[float, Interval]:
        """The number that counts, with its interval: the success rate if the task has one, else the mean return."""
        if self.success_rate is not None and self.success_interval is not None:
            return self.success_rate, self.success_interval
        return self.mean_return, self.return_interval

    def as_json(self) -> dict[str, Any]:
        """Returns the score and its episodes as values that JSON can hold."""
        return {
            "task": self.task,
            "policy": self.policy,
            "episodes": len(self.episodes),
            "success_rate": self.success_rate,
            "success_interval_95": self.success_interval and list(self.success_interval),
            "mean_return": self.mean_return,
            "return_interval_95": list(self.return_interval),
            "mean_length": float(np.mean(self._column("length"))),
            "seeds": self._column("seed"),
            "returns": self._column("return"),
            "successes": self._column("success"),
            "lengths": self._column("length"),
        }

    def _column(self, key: str) -> list[Any]:
        return [episode[key] for episode in self.episodes]


def score(task: str, policy: str, episodes: Sequence[Mapping[str, Any]]) -> Score:
    """Returns the score of a policy from its episodes, as `evaluate_checkpoint` gives them.

    Raises:
        GatoError: There are no episodes.
    """
    if not episodes:
        raise GatoError(f"{policy} has no episodes of {task}: there is nothing to score")
    returns = [episode["return"] for episode in episodes]
    successes = [episode["success"] for episode in episodes]
    has_success = None not in successes
    return Score(
        task=task,
        policy=policy,
        episodes=tuple(episodes),
        mean_return=float(np.mean(returns)),
        return_interval=bootstrap_interval(returns),
        success_rate=sum(successes) / len(successes) if has_success else None,
        success_interval=wilson_interval(sum(successes), len(successes)) if has_success else None,
    )
