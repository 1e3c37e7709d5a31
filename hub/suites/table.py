# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The tables that `gato tasks` prints, and the same facts as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .document_task import DocumentTask
from .reference_scores import ReferenceScore
from .registry import is_installed
from .task import BaseTask, Task

if TYPE_CHECKING:
    import rich.table


def install_command(task: BaseTask) -> str:
    """Returns the command that installs the packages of the task."""
    return f"pip install 'gato-transformers[{task.extra}]'" if task.extra else "pip install gato-transformers"


def describe(task: BaseTask) -> dict[str, Any]:
    """Returns a task as a JSON object. A control task has its measured scores, None if it was never measured."""
    about = {
        "id": task.id,
        "suite": task.suite,
        "kind": "documents" if isinstance(task, DocumentTask) else "control",
        "score": task.score,
        "install": install_command(task),
        "installed": is_installed(task),
        "packages": list(task.packages),
    }
    if isinstance(task, DocumentTask):
        return about | {"license": task.license, "source": task.source}
    assert isinstance(task, Task)
    reference = task.reference
    return about | {
        "expert": task.expert,
        "horizon": task.horizon,
        "counts_in_means": task.counts_in_means,
        "tokens_a_step": reference.tokens_a_step if reference else None,
        "random_score": asdict(reference.random) if reference else None,
        "expert_score": asdict(reference.expert) if reference and reference.expert else None,
        "measured_with": reference.command if reference else None,
    }


def table_of_tasks(tasks: Sequence[BaseTask]) -> rich.table.Table:
    """Returns a table with one row for each task, in sections by suite."""
    from rich.table import Column, Table

    table = Table(
        Column("task", no_wrap=True),
        "score",
        "random",
        "expert",
        "tokens a step",
        "install",
        title=f"{len(tasks)} tasks",
    )
    suite = None
    for task in tasks:
        if suite not in (None, task.suite):
            table.add_section()
        suite = task.suite
        install = "" if is_installed(task) else task.extra
        if not isinstance(task, Task):
            table.add_row(task.id, task.score, "", "", "", install)
            continue
        reference = task.reference
        note = "" if task.counts_in_means else ", not in means"
        table.add_row(
            task.id,
            task.score + note,
            _show(task, task.random_score),
            _show(task, task.expert_score),
            str(reference.tokens_a_step) if reference else "",
            install,
        )
    return table


def table_of_suites(tasks: Sequence[BaseTask]) -> rich.table.Table:
    """Returns a table with one row for each suite: its number of tasks, and the command that installs them."""
    from rich.table import Table

    suites: dict[str, list[BaseTask]] = {}
    for task in tasks:
        suites.setdefault(task.suite, []).append(task)
    table = Table("suite", "tasks", "measured", "mean expert success", "install", title=f"{len(suites)} suites")
    for suite, members in suites.items():
        measured = [task for task in members if isinstance(task, Task) and task.reference]
        rates = [task.value(task.expert_score) for task in measured if task.expert_score and task.score == "success"]
        rate = f"{sum(rates) / len(rates):.3f}" if rates else ""
        install = "installed" if all(map(is_installed, members)) else install_command(members[0])
        table.add_row(suite, str(len(members)), str(len(measured)), rate, install)
    return table


def _show(task: Task, score: ReferenceScore | None) -> str:
    if score is None:
        return ""
    if task.score == "success":
        return f"{task.value(score):.2f} of {score.episodes}"
    return f"{score.mean_return:.4g} ± {score.std_return:.3g}"
