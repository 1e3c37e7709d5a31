# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""From the episodes of many tasks to scores: normalised, with intervals, by task, by suite and in all.

A normalised score is 0 where a policy does as well as random actions and 100 where it does as well as the expert (A
Generalist Agent, section 4.1). Intervals are 95 % percentile bootstrap intervals over the episodes of each task. A
task without a valid reference is listed, and in no mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..suites import Task, registered_task, suite_of
from ..system.artifacts import CURVE_PICTURE, CURVE_TABLE, RESULTS_TABLE, SCORES_PICTURE, SCORES_TABLE
from ..system.files import write_text
from .statistics import interval, resampled_means

THRESHOLDS = range(0, 101)


def values_of(entry: Mapping[str, Any]) -> np.ndarray:
    """What counts of each episode of a control task that came to its end: 0 or 1 of success, else the return."""
    key = "success" if entry["score"] == "success" else "return"
    return np.array([float(episode[key]) for episode in entry["episodes"] if "error" not in episode])


def normalized(task: Task, value: Any) -> Any:
    """On the scale of random 0 and expert 100."""
    random, expert = task.value(task.random_score), task.value(task.expert_score)
    return 100.0 * (value - random) / (expert - random)


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """The mean of the middle half along the first axis; values at its edges count in part."""
    ordered = np.sort(values, axis=0)
    count = len(ordered)
    edges = np.arange(count + 1)
    # How much of each value lies between the quartiles.
    low, high = count / 4, 3 * count / 4
    weights = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0, 1.0)
    return np.tensordot(weights, ordered, axes=1) / weights.sum()


def summarize(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Scores of tasks, suites and all.

    Args:
        entries: of each task, "kind", "score", and "episodes" of control or the results of `evaluate_documents`.

    Returns:
        tasks: of each control task its episodes and mean_return, success_rate (None where there is none), value (which
        of the two counts), normalized and their intervals, where they can be told; of each document task its results.
        suites, all: number of tasks, mean and interquartile_mean of the normalised scores with their intervals.
        curve: how many tasks reach at least each percentage of the expert's score. not_averaged: tasks that are in no
        mean, and why.
    """
    tasks: dict[str, Any] = {}
    samples: dict[str, np.ndarray] = {}
    not_averaged: dict[str, str] = {}
    for task_id, entry in entries.items():
        tasks[task_id] = dict(entry)
        if entry["kind"] == "documents":
            continue
        values, task = values_of(entry), registered_task(task_id)
        failures = len(entry["episodes"]) - len(values)
        if failures:
            tasks[task_id]["errors"] = failures
        if not len(values):
            not_averaged[task_id] = entry.get("failure", "no episode came to its end")
            continue
        whole = [episode for episode in entry["episodes"] if "error" not in episode]
        means = resampled_means(values)
        tasks[task_id] |= {
            "mean_return": float(np.mean([episode["return"] for episode in whole])),
            "success_rate": float(np.mean([episode["success"] for episode in whole]))
            if whole[0]["success"] is not None
            else None,
            "value": float(values.mean()),
            "value_interval": interval(means),
        }
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
    # What equals the expert's score is not to miss it by a rounding.
    scores = np.round([tasks[task_id]["normalized"] for task_id in samples], 9)
    return {
        "all": everything,
        "suites": suites,
        "curve": {str(threshold): int((scores >= threshold).sum()) for threshold in THRESHOLDS},
        "not_averaged": not_averaged,
        "tasks": tasks,
    }


def _means(members: Sequence[str], tasks: Mapping[str, Any], samples: Mapping[str, np.ndarray]) -> dict[str, Any]:
    scores = np.array([tasks[task_id]["normalized"] for task_id in members])
    # Each task resampled with numbers of its own would be a larger table; the same numbers for tasks of as many
    # episodes would tie them to each other, so each task's resamples are put in another order.
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


def write_results(folder: Path, results: Mapping[str, Any]) -> None:
    """Writes results.md, scores.csv, curve.csv, and where there are control tasks scores.png and curve.png."""
    from .pictures import draw_curve, draw_tasks

    write_text(folder / RESULTS_TABLE, markdown(results))
    write_text(folder / SCORES_TABLE, scores_csv(results))
    write_text(folder / CURVE_TABLE, curve_csv(results))
    if results["all"]["tasks"]:
        draw_tasks(folder / SCORES_PICTURE, results)
        draw_curve(folder / CURVE_PICTURE, results)


def _between(value: float, ends: Sequence[float], digits: int = 1) -> str:
    return f"{value:.{digits}f} ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})"


def markdown(results: Mapping[str, Any]) -> str:
    """The results as Markdown: suites, documents, every task, and what is in no mean."""
    lines = [f"`{results['command']}`", ""] if results.get("command") else []
    everything = results["all"]
    if everything["tasks"]:
        lines += [
            "Normalised scores: random actions 0, the expert 100; 95 % bootstrap intervals.",
            "",
            "| suite | tasks | mean | interquartile mean | above half of the expert | success |",
            "|---|---|---|---|---|---|",
        ]
        for name, about in [*results["suites"].items(), ("all", everything)]:
            success = f"{about['success_rate']:.3f}" if "success_rate" in about else "-"
            lines.append(
                f"| {name} | {about['tasks']} | {_between(about['mean'], about['mean_interval'])} "
                f"| {_between(about['interquartile_mean'], about['interquartile_mean_interval'])} "
                f"| {about['above_half']} | {success} |"
            )
        lines.append("")
    documents = {name: entry for name, entry in results["tasks"].items() if entry["kind"] == "documents"}
    if documents:
        lines += ["| documents | rows | exact match | BLEU | chrF | bits a byte |", "|---|---|---|---|---|---|"]
        for name, entry in documents.items():
            cells = [
                f"{entry[key]:.{digits}f}" if key in entry else "-"
                for key, digits in (("exact_match", 3), ("bleu", 1), ("chrf", 1), ("bits_a_byte", 3))
            ]
            lines.append(f"| {name} | {entry['rows']} | {' | '.join(cells)} |")
        lines.append("")
    control = {name: entry for name, entry in results["tasks"].items() if "value" in entry}
    if control:
        lines += ["| task | normalised | success | return | episodes |", "|---|---|---|---|---|"]
        for name, entry in control.items():
            score = "-"
            if "normalized" in entry:
                score = _between(entry["normalized"], entry["normalized_interval"])
            success = "-" if entry["success_rate"] is None else f"{entry['success_rate']:.2f}"
            errors = f", {entry['errors']} with an error" if "errors" in entry else ""
            lines.append(
                f"| {name} | {score} | {success} | {entry['mean_return']:.3f} | {len(entry['episodes'])}{errors} |"
            )
        lines.append("")
    if results["not_averaged"]:
        lines += ["In no mean:", ""]
        lines += [f"- {name}: {reason}" for name, reason in results["not_averaged"].items()]
        lines.append("")
    return "\n".join(lines)


def scores_csv(results: Mapping[str, Any]) -> str:
    """One row a control task: suite, task, normalised score with its interval, success rate, mean return."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("suite", "task", "normalized", "low", "high", "success_rate", "mean_return", "episodes"))
    for name, entry in results["tasks"].items():
        if "value" in entry:
            score = entry.get("normalized", "")
            low, high = entry.get("normalized_interval", ("", ""))
            success = "" if entry["success_rate"] is None else entry["success_rate"]
            suite = suite_of(name)
            writer.writerow((suite, name, score, low, high, success, entry["mean_return"], len(entry["episodes"])))
    return file.getvalue()


def curve_csv(results: Mapping[str, Any]) -> str:
    """One row a threshold: percentage of the expert's score, tasks that reach it, their share."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("percent_of_expert", "tasks", "share"))
    total = results["all"]["tasks"]
    for threshold, count in results["curve"].items():
        writer.writerow((threshold, count, count / total if total else ""))
    return file.getvalue()
