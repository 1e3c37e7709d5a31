# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Suites of tasks: one module a suite, each with a tuple `TASKS`. Nothing of a suite is imported before it is used.

`task_ids()` names every task; `find_task(id)` gives one, and says what to install where its packages are missing.
"""

from __future__ import annotations

import difflib

from . import babyai
from .task import ExpertFailed, Policy, ReferenceScore, Task

__all__ = ["ExpertFailed", "Policy", "ReferenceScore", "Task", "find_task", "task_ids"]

_TASKS: dict[str, Task] = {task.id: task for suite in (babyai,) for task in suite.TASKS}


def task_ids() -> tuple[str, ...]:
    """The ids of all tasks, whether their packages are installed or not."""
    return tuple(_TASKS)


def find_task(task_id: str) -> Task:
    """The task of that id.

    Raises:
        ValueError: there is no such task.
        ImportError: its packages are not installed; the message has the pip command that installs them.
    """
    if task_id not in _TASKS:
        similar = difflib.get_close_matches(str(task_id), _TASKS, n=3) or task_ids()
        raise ValueError(f"There is no task {task_id!r}. Did you mean one of: {', '.join(similar)}?")
    task = _TASKS[task_id]
    task.check_installed()
    return task
