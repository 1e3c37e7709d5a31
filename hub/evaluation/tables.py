# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Results and scores as tables: Markdown, CSV, and for the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..suites import suite_of
from ..system.artifacts import CURVE_PICTURE, CURVE_TABLE, RESULTS_TABLE, SCORES_PICTURE, SCORES_TABLE
from ..system.files import write_text

if TYPE_CHECKING:
    import rich.table

    from .statistics import Score

SCORE_HEADINGS = (
    *("task", "policy", "success (95 % interval)", "mean return (95 % interval)", "episodes", "mean length"),
)
DOCUMENT_METRICS = {"exact_match": 3, "bleu": 1, "chrf": 1, "bits_a_byte": 3}  # with the digits that are shown


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Returns the lines of a Markdown table."""
    return [_row(headings), "|" + "---|" * len(headings), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write_results(folder: Path, results: Mapping[str, Any]) -> None:
    """Writes results.md, scores.csv, curve.csv, and, if there are scores of control tasks, scores.png and curve.png.

    Args:
        folder: An existing folder.
        results: The results of `evaluate_checkpoint`.
    """
    from .pictures import draw_curve, draw_tasks

    write_text(folder / RESULTS_TABLE, results_table(results))
    write_text(folder / SCORES_TABLE, scores_csv(results))
    write_text(folder / CURVE_TABLE, curve_csv(results))
    if results["all"]["tasks"]:
        draw_tasks(folder / SCORES_PICTURE, results)
        draw_curve(folder / CURVE_PICTURE, results)


def results_table(results: Mapping[str, Any]) -> str:
    """Returns results as Markdown: the command, suites, documents, every task, and the tasks that are in no mean."""
    lines = [f"`{results['command']}`", ""] if results.get("command") else []
    for section in (_suites(results), _documents(results), _tasks(results), _not_averaged(results)):
        lines += [*section, ""] if section else []
    return "\n".join(lines)


def _suites(results: Mapping[str, Any]) -> list[str]:
    if not results["all"]["tasks"]:
        return []
    headings = ("suite", "tasks", "mean", "interquartile mean", "above half of the expert", "success")
    rows = [
        (
            name,
            str(scores["tasks"]),
            _between(scores["mean"], scores["mean_interval"]),
            _between(scores["interquartile_mean"], scores["interquartile_mean_interval"]),
            str(scores["above_half"]),
            f"{scores['success_rate']:.3f}" if "success_rate" in scores else "-",
        )
        for name, scores in [*results["suites"].items(), ("all", results["all"])]
    ]
    about = "Normalized scores: random actions 0, the expert 100; 95 % bootstrap intervals."
    return [about, "", *markdown_table(headings, rows)]


def _documents(results: Mapping[str, Any]) -> list[str]:
    documents = {name: entry for name, entry in results["tasks"].items() if entry["kind"] == "documents"}
    if not documents:
        return []
    rows = [
        (
            name,
            str(entry["rows"]),
            *(f"{entry[key]:.{digits}f}" if key in entry else "-" for key, digits in DOCUMENT_METRICS.items()),
        )
        for name, entry in documents.items()
    ]
    return markdown_table(("documents", "rows", "exact match", "BLEU", "chrF", "bits a byte"), rows)


def _tasks(results: Mapping[str, Any]) -> list[str]:
    control = {name: entry for name, entry in results["tasks"].items() if "value" in entry}
    if not control:
        return []
    rows = [
        (
            name,
            _between(entry["normalized"], entry["normalized_interval"]) if "normalized" in entry else "-",
            "-" if entry["success_rate"] is None else f"{entry['success_rate']:.2f}",
            f"{entry['mean_return']:.3f}",
            f"{len(entry['episodes'])}{', {} with an error'.format(entry['errors']) if 'errors' in entry else ''}",
        )
        for name, entry in control.items()
    ]
    return markdown_table(("task", "normalized", "success", "return", "episodes"), rows)


def _not_averaged(results: Mapping[str, Any]) -> list[str]:
    if not results["not_averaged"]:
        return []
    return ["In no mean:", "", *(f"- {name}: {reason}" for name, reason in results["not_averaged"].items())]


def _between(value: float, ends: Sequence[float], digits: int = 1) -> str:
    low, high = ends
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def scores_csv(results: Mapping[str, Any]) -> str:
    """Returns a CSV with a row for each control task: its suite, score, interval, success rate and mean return."""
    rows = []
    for name, entry in results["tasks"].items():
        if "value" in entry:
            low, high = entry.get("normalized_interval", ("", ""))
            success = "" if entry["success_rate"] is None else entry["success_rate"]
            score = entry.get("normalized", "")
            rows.append(
                (suite_of(name), name, score, low, high, success, entry["mean_return"], len(entry["episodes"]))
            )
    return _csv(("suite", "task", "normalized", "low", "high", "success_rate", "mean_return", "episodes"), rows)


def curve_csv(results: Mapping[str, Any]) -> str:
    """Returns a CSV with a row for each percentage of the expert's score: number and share of tasks that reach it."""
    total = results["all"]["tasks"]
    rows = [(threshold, count, count / total if total else "") for threshold, count in results["curve"].items()]
    return _csv(("percent_of_expert", "tasks", "share"), rows)


def _csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([headings, *rows])
    return file.getvalue()


def score_table(scores: Sequence[Score]) -> str:
    """Returns scores as a Markdown table with a row for each."""
    return "\n".join(markdown_table(SCORE_HEADINGS, map(_score_cells, scores))) + "\n"


def printed_scores(scores: Sequence[Score]) -> rich.table.Table:
    """Returns scores as a table for the terminal."""
    from rich.table import Column, Table

    # In a narrow terminal a name goes on in the next line: cut off, all of a suite look the same.
    table = Table(*(Column(heading, overflow="fold") for heading in SCORE_HEADINGS))
    for entry in scores:
        table.add_row(*_score_cells(entry))
    return table


def _score_cells(entry: Score) -> tuple[str, ...]:
    success = "-"
    if entry.success_rate is not None and entry.success_interval is not None:
        success = _between(entry.success_rate, entry.success_interval, digits=2)
    return (
        entry.task,
        entry.policy,
        success,
        _between(entry.mean_return, entry.return_interval, digits=3),
        str(len(entry.episodes)),
        f"{np.mean([episode['length'] for episode in entry.episodes]):.1f}",
    )
