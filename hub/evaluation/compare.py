# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Two results side by side, task by task, with what is more than chance marked: `gato compare`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..suites import task_ids
from ..system.artifacts import RESULTS
from ..system.files import read_json
from .results import values_of
from .statistics import NORMAL_QUANTILE_95, interval, resampled_means


@dataclass(frozen=True)
class Side:
    """What one of the two reached at a task: the values of its episodes where they are known, else their mean and
    its standard error, 0 where nothing is known of it."""

    mean: float
    standard_error: float
    values: np.ndarray | None = None


@dataclass(frozen=True)
class Comparison:
    """One task: both means, the second minus the first with its 95 % interval, and whether that excludes 0."""

    task: str
    first: float
    second: float
    difference: float
    difference_interval: tuple[float, float]

    @property
    def is_significant(self) -> bool:
        low, high = self.difference_interval
        return low > 0 or high < 0


def read_side(path: str | os.PathLike) -> dict[str, Side]:
    """The scores in a file.

    Args:
        path: `results.json` of `gato evaluate`, its folder, or a JSON of published scores: a mapping from task to its
            mean, to a list of the values of its episodes, or to a mapping with "mean" and optionally "std" and
            "episodes". Tasks are named as ours, or as JAT names them ("metaworld-assembly").

    Raises:
        ValueError: naming what is wrong with the file.
    """
    path = Path(path)
    path = path / RESULTS if path.is_dir() else path
    document = read_json(path)
    if not isinstance(document, dict):
        raise ValueError(f"{path} must hold a mapping from tasks to scores, got {type(document).__name__}")
    if isinstance(document.get("tasks"), dict):
        entries = {name: entry for name, entry in document["tasks"].items() if "value" in entry}
        return {name: _of_values(values_of(entry)) for name, entry in entries.items()}
    known = set(task_ids())
    return {_our_name(name, known): _published(f"{path}: {name}", value) for name, value in document.items()}


def _our_name(name: str, known: set[str]) -> str:
    ours = name.replace("-", "/", 1)
    return ours if name not in known and ours in known else name


def _of_values(values: np.ndarray) -> Side:
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0
    return Side(float(values.mean()), error, values)


def _published(where: str, value: Any) -> Side:
    if isinstance(value, list) and value:
        numbers = [_number(where, item) for item in value]
        return _of_values(np.array(numbers))
    if isinstance(value, Mapping):
        if "mean" not in value:
            raise ValueError(f'{where}: a mapping needs "mean", got the keys {sorted(value)}')
        deviation, episodes = _number(where, value.get("std", 0.0)), _number(where, value.get("episodes", 1))
        if deviation < 0 or episodes < 1:
            raise ValueError(f"{where}: std must not be negative and episodes at least 1, got {dict(value)}")
        return Side(_number(where, value["mean"]), deviation / math.sqrt(episodes))
    return Side(_number(where, value), 0.0)


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{where}: a score must be a finite number, got {value!r}")
    return float(value)


def compare(first: Mapping[str, Side], second: Mapping[str, Side]) -> list[Comparison]:
    """The tasks of both, in the order of the first. Episodes are resampled where both have them (percentile
    bootstrap); otherwise means are taken to be normally distributed.

    Raises:
        ValueError: they have no task in common.
    """
    common = [name for name in first if name in second]
    if not common:
        raise ValueError(f"no task is in both: {sorted(first)[:3]} ... and {sorted(second)[:3]} ...")
    return [_compare(name, first[name], second[name]) for name in common]


def _compare(name: str, first: Side, second: Side) -> Comparison:
    difference = second.mean - first.mean
    if first.values is not None and second.values is not None:
        low, high = interval(resampled_means(second.values, seed=1) - resampled_means(first.values, seed=0))
    else:
        reach = NORMAL_QUANTILE_95 * math.hypot(first.standard_error, second.standard_error)
        low, high = difference - reach, difference + reach
    return Comparison(name, first.mean, second.mean, difference, (low, high))


def markdown(comparisons: list[Comparison], names: tuple[str, str]) -> str:
    """A table; what is more than chance has a star."""
    lines = [f"| task | {names[0]} | {names[1]} | difference (95 % interval) | |", "|---|---|---|---|---|"]
    for one in comparisons:
        low, high = one.difference_interval
        lines.append(
            f"| {one.task} | {one.first:.3f} | {one.second:.3f} | {one.difference:+.3f} ({low:+.3f} to {high:+.3f}) "
            f"| {'*' if one.is_significant else ''} |"
        )
    better = sum(one.is_significant and one.difference > 0 for one in comparisons)
    worse = sum(one.is_significant and one.difference < 0 for one in comparisons)
    lines += ["", f"{len(comparisons)} tasks in both: {names[1]} is better at {better}, worse at {worse}, * marked."]
    return "\n".join(lines) + "\n"
