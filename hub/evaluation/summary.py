# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""From the episodes of many tasks to scores of tasks, of suites and of all tasks together.

A normalized score is 0 where a policy does as well as random actions and 100 where it does as well as the expert (A
Generalist Agent, section 4.1). Intervals are 95 % percentile bootstrap intervals over the episodes of each task. A
task without a valid reference is listed, but it is in no mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..suites import Task, registered_task, suite_of
from .statistics import interquartile_mean, interval, resampled_means

THRESHOLDS = range(0, 101)


def values_of(entry: Mapping[str, Any]) -> np.ndarray:
    """Returns the value of each episode of a control task: 0 or 1 of success, else the return.

    Episodes that an error ended are left out.
    """
    key = "success" if entry["score"] == "success" else "return"
    return np.array([float(episode[key]) for episode in _whole_episodes(entry)])


def _whole_episodes(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [episode for episode in entry["episodes"] if "error" not in episode]


def normalized(task: Task, value: Any) -> Any:
    """Puts a value, or an array of values, on the scale of a task where random is 0 and the expert is 100.

    The task must have both scores.
    """
    assert task.random_score is not None and task.expert_score is not None  # see `task.counts_in_means`
    random, expert = task.value(task.random_score), task.value(task.expert_score)
    return 100.0 * (value - random) / (expert - random)


def summarize(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Computes the scores of tasks, of suites and of all tasks together.

    Args:
        entries: For each task id "kind" ("control" or "documents"), "score", and the "episodes" of a control task or
            the results of `evaluate_documents`.

    Returns:
        A mapping with

        - "tasks": for each control task its episodes and, where they can be computed, "mean_return", "success_rate"
          (None if the task has none), "value" (the one of the two that counts), "normalized", and the intervals of
          the last two; for each document task its results;
        - "suites" and "all": number of tasks, "mean" and "interquartile_mean" of normalized scores with intervals;
        - "curve": for each percentage of the expert's score, how many tasks reach it;
        - "not_averaged": tasks that are in no mean, with the reason.
    """
    tasks: dict[str, Any] = {}
    samples: dict[str, np.ndarray] = {}
    not_averaged: dict[str, str] = {}
    for task_id, entry in entries.items():
        tasks[task_id] = dict(entry)
        task = registered_task(task_id)
        if not isinstance(task, Task):
            continue
        values = values_of(entry)
        if errors := len(entry["episodes"]) - len(values):
            tasks[task_id]["errors"] = errors
        if not len(values):
            not_averaged[task_id] = entry.get("failure", "no episode came to its end")
            continue
        means = resampled_means(values)
        tasks[task_id] |= _raw_scores(entry, values, means)
        if not task.counts_in_means:
            not_averaged[task_id] = "no random and expert score that are apart"
            continue
        samples[task_id] = normalized(task, means)
        tasks[task_id] |= {
            "normalized": float(normalized(task, values.mean())),
            "normalized_interval": interval(samples[task_id]),
        }
    suites = {}
    for suite in dict.fromkeys(map(suite_of, samples)):
        members = [task_id for task_id in samples if suite_of(task_id) == suite]
        suites[suite] = _means(members, tasks, samples)
    everything = _means(list(samples), tasks, samples) if samples else {"tasks": 0}
    # Rounded, so that a score that equals the expert's does not miss 100.
    scores = np.round([tasks[task_id]["normalized"] for task_id in samples], 9)
    return {
        "all": everything,
        "suites": suites,
        "curve": {str(threshold): int((scores >= threshold).sum()) for threshold in THRESHOLDS},
        "not_averaged": not_averaged,
        "tasks": tasks,
    }


def _raw_scores(entry: Mapping[str, Any], values: np.ndarray, means: np.ndarray) -> dict[str, Any]:
    """Returns the scores of a control task that need no reference; `means` are resampled means of `values`."""
    episodes = _whole_episodes(entry)
    has_success = episodes[0]["success"] is not None
    return {
        "mean_return": float(np.mean([episode["return"] for episode in episodes])),
        "success_rate": float(np.mean([episode["success"] for episode in episodes])) if has_success else None,
        "value": float(values.mean()),
        "value_interval": interval(means),
    }


def _means(members: Sequence[str], tasks: Mapping[str, Any], samples: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Returns the means of some tasks' normalized scores; `samples` are resampled scores of each task."""
    scores = np.array([tasks[task_id]["normalized"] for task_id in members])
    # Tasks with equally many episodes were resampled with the same random numbers, which would tie them to each
    # other. So each task's resamples are put in another order.
    random = np.random.default_rng(len(members))
    resampled = np.stack([random.permutation(samples[task_id]) for task_id in members])
    means = {
        "tasks": len(members),
        "mean": float(scores.mean()),
        "mean_interval": interval(resampled.mean(axis=0)),
        "interquartile_mean": float(interquartile_mean(scores)),
        "interquartile_mean_interval": interval(interquartile_mean(resampled)),
        "above_half": int((scores > 50.0).sum()),
    }
    rates = [tasks[task_id]["success_rate"] for task_id in members]
    if None not in rates:
        means["success_rate"] = float(np.mean(rates))
    return means
