# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Two results side by side, task by task, with significant differences marked: `gato compare`."""

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
from ..system.errors import GatoError
from ..system.files import read_json
from .statistics import NORMAL_QUANTILE_95, interval, resampled_means
from .summary import values_of
from .tables import markdown_table


@dataclass(frozen=True)
class Side:
    """The score of one of two results at a task.

    Attributes:
        mean: Mean over episodes.
        standard_error: Standard error of the mean, 0 if unknown.
        values: The value of each episode, None if only the mean is known.
    """

    mean: float
    standard_error: float
    values: np.ndarray | None = None


@dataclass(frozen=True)
class Comparison:
    """Two scores at one task.

    Attributes:
        task: Id of the task.
        first: Mean of the first result.
        second: Mean of the second result.
        difference: The second mean minus the first.
        difference_interval: The 95 % interval of the difference.
    """

    task: str
    first: float
    second: float
    difference: float
    difference_interval: tuple[float, float]

    @property
    def is_significant(self) -> bool:
        """Whether the interval of the difference excludes 0."""
        low, high = self.difference_interval
        return low > 0 or high < 0


def read_side(path: str | os.PathLike) -> dict[str, Side]:
    """Reads the scores in a file.

    Args:
        path: `results.json` of `gato evaluate`, its folder, or a JSON file of published scores. That maps each task to
            its mean, to a list of the values of its episodes, or to a mapping with "mean" and optionally "std" and
            "episodes". Tasks have our names, or JAT's ("metaworld-assembly").

    Returns:
        The score of each task, by our name of the task.

    Raises:
        GatoError: There is no such file, or something is wrong in it.
    """
    path = Path(path)
    path = path / RESULTS if path.is_dir() else path
    document = read_json(path)
    if not isinstance(document, dict):
        raise GatoError(f"{path} must hold a mapping from tasks to scores, got {type(document).__name__}")
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
            raise GatoError(f'{where}: a mapping needs "mean", got the keys {sorted(value)}')
        deviation, episodes = _number(where, value.get("std", 0.0)), _number(where, value.get("episodes", 1))
        if deviation < 0 or episodes < 1:
            raise GatoError(f"{where}: std must not be negative and episodes at least 1, got {dict(value)}")
        return Side(_number(where, value["mean"]), deviation / math.sqrt(episodes))
    return Side(_number(where, value), 0.0)


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise GatoError(f"{where}: a score must be a finite number, got {value!r}")
    return float(value)


def compare(first: Mapping[str, Side], second: Mapping[str, Side]) -> list[Comparison]:
    """Compares the tasks that both results have, in the order of the first.

    Episodes are resampled if both results have them (percentile bootstrap). Otherwise the means are taken to be
    normally distributed.

    Raises:
        GatoError: They have no task in common.
    """
    common = [name for name in first if name in second]
    if not common:
        raise GatoError(f"no task is in both: {sorted(first)[:3]} ... and {sorted(second)[:3]} ...")
    return [_compare(name, first[name], second[name]) for name in common]


def _compare(name: str, first: Side, second: Side) -> Comparison:
    difference = second.mean - first.mean
    if first.values is not None and second.values is not None:
        low, high = interval(resampled_means(second.values, seed=1) - resampled_means(first.values, seed=0))
    else:
        reach = NORMAL_QUANTILE_95 * math.hypot(first.standard_error, second.standard_error)
        low, high = difference - reach, difference + reach
    return Comparison(name, first.mean, second.mean, difference, (low, high))


def comparison_table(comparisons: list[Comparison], names: tuple[str, str]) -> str:
    """Returns a Markdown table of comparisons, significant differences marked by a star."""
    rows = []
    for one in comparisons:
        low, high = one.difference_interval
        difference = f"{one.difference:+.3f} ({low:+.3f} to {high:+.3f})"
        star = "*" if one.is_significant else ""
        rows.append((one.task, f"{one.first:.3f}", f"{one.second:.3f}", difference, star))
    lines = markdown_table(("task", *names, "difference (95 % interval)", ""), rows)
    better = sum(one.is_significant and one.difference > 0 for one in comparisons)
    worse = sum(one.is_significant and one.difference < 0 for one in comparisons)
    lines += ["", f"{len(comparisons)} tasks in both: {names[1]} is better at {better}, worse at {worse}, * marked."]
    return "\n".join(lines) + "\n"
