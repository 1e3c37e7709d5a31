# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""From the results of episodes to scores with their uncertainty, as JSON, tables and a picture."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..system.files import replacing
from .policies import EpisodeResult

if TYPE_CHECKING:
    import rich.table

NORMAL_QUANTILE_95 = 1.959963984540054
BOOTSTRAP_RESAMPLES = 2000

Interval = tuple[float, float]


def wilson_interval(successes: int, episodes: int) -> Interval:
    """The 95 % interval of a success rate (Wilson, 1927): sound also at 0 and 1, where the normal one has no width.

    Raises:
        ValueError: not 0 <= successes <= episodes, or no episodes.
    """
    if episodes < 1 or not 0 <= successes <= episodes:
        raise ValueError(f"{successes} successes in {episodes} episodes have no rate")
    z_squared = NORMAL_QUANTILE_95**2
    rate = successes / episodes
    centre = (rate + z_squared / (2 * episodes)) / (1 + z_squared / episodes)
    spread = math.sqrt(rate * (1 - rate) / episodes + z_squared / (4 * episodes**2))
    half_width = NORMAL_QUANTILE_95 * spread / (1 + z_squared / episodes)
    # The ends touch 0 and 1 exactly where they do in real numbers.
    low = 0.0 if successes == 0 else centre - half_width
    high = 1.0 if successes == episodes else centre + half_width
    return low, high


def bootstrap_interval(values: Sequence[float]) -> Interval:
    """The 95 % percentile bootstrap interval of a mean; the same values give the same interval.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(
            f"the mean of {sample.size} values, of which {np.isfinite(sample).sum()} finite, is undefined"
        )
    low, high = interval(resampled_means(sample))
    return low, high


def resampled_means(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """(BOOTSTRAP_RESAMPLES,) means of as many values, drawn from them again and again."""
    picks = np.random.default_rng(seed).integers(len(values), size=(BOOTSTRAP_RESAMPLES, len(values)))
    return values[picks].mean(axis=1)


def interval(samples: np.ndarray) -> list[float]:
    """The middle 95 % of some samples."""
    return [float(end) for end in np.quantile(samples, [0.025, 0.975])]


@dataclass(frozen=True)
class Score:
    """What a policy reached at a task. Intervals are 95 %; `success_*` are None where the score is the return."""

    task: str
    policy: str
    results: tuple[EpisodeResult, ...]
    mean_return: float
    return_interval: Interval
    success_rate: float | None
    success_interval: Interval | None

    @property
    def headline(self) -> tuple[float, Interval]:
        """The number that counts, with its interval: the success rate where there is one, else the mean return."""
        if self.success_rate is not None and self.success_interval is not None:
            return self.success_rate, self.success_interval
        return self.mean_return, self.return_interval

    def as_json(self) -> dict[str, Any]:
        """Plain values, every episode's among them."""
        return {
            "task": self.task,
            "policy": self.policy,
            "episodes": len(self.results),
            "success_rate": self.success_rate,
            "success_interval_95": self.success_interval and list(self.success_interval),
            "mean_return": self.mean_return,
            "return_interval_95": list(self.return_interval),
            "mean_length": float(np.mean([result.length for result in self.results])),
            "seeds": [result.seed for result in self.results],
            "returns": [result.episode_return for result in self.results],
            "successes": [result.success for result in self.results],
            "lengths": [result.length for result in self.results],
        }


def score(task: str, policy: str, results: Sequence[EpisodeResult]) -> Score:
    """The score of a policy from its episodes.

    Raises:
        ValueError: no episodes.
    """
    if not results:
        raise ValueError(f"{policy} has no episodes of {task}: there is nothing to score")
    returns = [result.episode_return for result in results]
    successes = [result.success for result in results]
    has_success = None not in successes
    return Score(
        task=task,
        policy=policy,
        results=tuple(results),
        mean_return=float(np.mean(returns)),
        return_interval=bootstrap_interval(returns),
        success_rate=sum(successes) / len(successes) if has_success else None,
        success_interval=wilson_interval(sum(successes), len(successes)) if has_success else None,
    )


_HEADINGS = ("task", "policy", "success (95 % interval)", "mean return (95 % interval)", "episodes", "mean length")


def _cells(entry: Score) -> tuple[str, ...]:
    success = "-"
    if entry.success_rate is not None and entry.success_interval is not None:
        success = f"{entry.success_rate:.2f} ({entry.success_interval[0]:.2f} to {entry.success_interval[1]:.2f})"
    low, high = entry.return_interval
    mean_length = np.mean([result.length for result in entry.results])
    return (
        entry.task,
        entry.policy,
        success,
        f"{entry.mean_return:.3f} ({low:.3f} to {high:.3f})",
        str(len(entry.results)),
        f"{mean_length:.1f}",
    )


def markdown_table(scores: Sequence[Score]) -> str:
    """The scores as a Markdown table, one row a score."""
    rows = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, scores)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def rich_table(scores: Sequence[Score]) -> rich.table.Table:
    """The scores as a table for the terminal."""
    from rich.table import Column, Table

    # In a narrow terminal a name goes on in the next line: cut off, all of a suite look the same.
    table = Table(*(Column(heading, overflow="fold") for heading in _HEADINGS))
    for entry in scores:
        table.add_row(*_cells(entry))
    return table


def draw_scores(path: str | os.PathLike, scores: Sequence[Score]) -> None:
    """Writes a bar picture: a group of bars a task, a bar a policy, 95 % intervals as whiskers."""
    from matplotlib.figure import Figure

    tasks = list(dict.fromkeys(entry.task for entry in scores))
    policies = list(dict.fromkeys(entry.policy for entry in scores))
    width = 0.8 / len(policies)
    figure = Figure(figsize=(2 + 2.2 * len(tasks), 4), layout="constrained")
    axes = figure.add_subplot()
    for i, policy in enumerate(policies):
        entries = [entry for entry in scores if entry.policy == policy]
        positions = [tasks.index(entry.task) + (i - (len(policies) - 1) / 2) * width for entry in entries]
        heights = [entry.headline[0] for entry in entries]
        below = [max(0.0, entry.headline[0] - entry.headline[1][0]) for entry in entries]
        above = [max(0.0, entry.headline[1][1] - entry.headline[0]) for entry in entries]
        axes.bar(positions, heights, width, yerr=(below, above), capsize=4, label=policy)
    axes.set_xticks(range(len(tasks)), tasks)
    of_success = all(entry.success_rate is not None for entry in scores)
    axes.set_ylabel("success rate" if of_success else "success rate, or mean return")
    if of_success:
        axes.set_ylim(0, 1.05)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=len(policies), frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
