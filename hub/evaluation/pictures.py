# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Charts of results: the score of each task, the tasks that reach a share of the expert's score, several policies."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..suites import suite_of
from ..system.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .statistics import Score

# Longer bars are cut, and their number is written beside them: the others would be too short to read.
LOWEST, HIGHEST = -20.0, 130.0


def draw_tasks(path: str | os.PathLike, results: Mapping[str, Any]) -> None:
    """Writes a bar chart as PNG: the normalized score of each task, grouped by suite, with 95 % intervals."""
    from matplotlib.figure import Figure

    suites = list(results["suites"])
    scores = {name: entry for name, entry in results["tasks"].items() if "normalized" in entry}
    rows, labels, heights = [], [], []
    position = 0.0
    for suite in suites:
        members = [name for name in scores if suite_of(name) == suite]
        for name in sorted(members, key=lambda name: scores[name]["normalized"], reverse=True):
            rows.append((position, name, suite))
            position += 1
        position += 1
    figure = Figure(figsize=(8, 1.5 + 0.16 * max(position, 8)), layout="constrained")
    axes = figure.add_subplot()
    colors = {suite: f"C{number % 10}" for number, suite in enumerate(suites)}
    for place, name, suite in rows:
        score, (low, high) = scores[name]["normalized"], scores[name]["normalized_interval"]
        width = min(max(score, LOWEST), HIGHEST)
        axes.barh(place, width, height=0.8, color=colors[suite], alpha=0.8)
        ends = [min(max(end, LOWEST), HIGHEST) for end in (low, high)]
        axes.plot(ends, (place, place), color="black", linewidth=0.8)
        if score != width:
            axes.text(width, place, f" {score:.0f}", va="center", fontsize=5)
        labels.append(name)
        heights.append(place)
    axes.set_yticks(heights, labels, fontsize=5)
    axes.invert_yaxis()
    axes.set_ylim(position, -1)
    axes.set_xlim(LOWEST, HIGHEST + 8)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.axvline(100, color="grey", linewidth=0.8)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("normalized score: 0 random actions, 100 the expert", fontsize=8)
    handles = [axes.barh(-10, 0, color=colors[suite]) for suite in suites]
    means = [f"{suite}: mean {results['suites'][suite]['mean']:.0f}" for suite in suites]
    axes.legend(handles, means, fontsize=6, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    _save(figure, path)


def draw_curve(path: str | os.PathLike, results: Mapping[str, Any]) -> None:
    """Writes a chart as PNG: how many tasks reach at least x % of the expert's score (paper, figure 5)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    thresholds = [int(threshold) for threshold in results["curve"]]
    axes.plot(thresholds, list(results["curve"].values()))
    axes.fill_between(thresholds, list(results["curve"].values()), alpha=0.2)
    axes.set_xlabel("% of the expert's score, above random")
    axes.set_ylabel(f"tasks, of {results['all']['tasks']}")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, max(1, results["all"]["tasks"]) * 1.05)
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_scores(path: str | os.PathLike, scores: Sequence[Score]) -> None:
    """Writes a bar chart as PNG: a group of bars for each task, a bar for each policy, 95 % intervals as whiskers."""
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
    _save(figure, path)


def _save(figure: Figure, path: str | os.PathLike) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
