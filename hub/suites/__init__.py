# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Suites of tasks: one module a suite. Nothing that a suite needs is imported before it is used.

A control suite has a tuple `TASKS` of environments with experts, a suite of documents a tuple `DOCUMENT_TASKS` of
captions, questions and texts. `find_task(id)` gives one task, `matching_task_ids(names)` all that some names mean.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable

from . import (
    atari,
    babyai,
    box2d,
    classic_control,
    dm_control,
    easy_vqa,
    gymnasium_mujoco,
    metaworld,
    minigrid,
    shapes,
    sokoban,
    text,
)
from .document_task import DocumentTask
from .task import ExpertFailed, Policy, Task

__all__ = [
    "DocumentTask",
    "ExpertFailed",
    "Policy",
    "Task",
    "find_task",
    "is_installed",
    "matching_task_ids",
    "registered_task",
    "task_ids",
]

_CONTROL_SUITES = (
    babyai, minigrid, metaworld, sokoban, classic_control, box2d, gymnasium_mujoco, dm_control, atari,
)  # fmt: skip
_DOCUMENT_SUITES = (shapes, easy_vqa, text)
_TASKS: dict[str, Task | DocumentTask] = {
    task.id: task
    for tasks in (
        *(suite.TASKS for suite in _CONTROL_SUITES),
        *(suite.DOCUMENT_TASKS for suite in _DOCUMENT_SUITES),
    )
    for task in tasks
}


def task_ids(kind: type = Task) -> tuple[str, ...]:
    """The ids of all tasks of a kind, `Task` or `DocumentTask`, whether their packages are installed or not."""
    return tuple(task_id for task_id, task in _TASKS.items() if isinstance(task, kind))


def matching_task_ids(names: Iterable[str]) -> tuple[str, ...]:
    """The ids that the names mean, in the order of the suites: an id, a suite, a pattern such as "babyai/go-to-*", or
    "all" for every task whose packages are installed and which has an expert or is made of documents. What a name
    after a "!" means is left out, as in `["babyai", "!babyai/go-to-local"]`.

    Raises:
        ValueError: a name that means no task; the message has similar ones.
    """
    wanted, unwanted = set(), set()
    for name in names:
        is_unwanted, name = name.startswith("!"), name.removeprefix("!")
        if name == "all":
            found = [task_id for task_id, task in _TASKS.items() if _is_ready(task)]
        else:
            found = [
                task_id
                for task_id in _TASKS
                if name in (task_id, task_id.partition("/")[0]) or fnmatch.fnmatchcase(task_id, name)
            ]
        if not found:
            raise _unknown(name)
        (unwanted if is_unwanted else wanted).update(found)
    return tuple(task_id for task_id in _TASKS if task_id in wanted - unwanted)


def _is_ready(task: Task | DocumentTask) -> bool:
    return is_installed(task) and (isinstance(task, DocumentTask) or task.make_expert is not None)


def is_installed(task: Task | DocumentTask) -> bool:
    """Whether the packages of the task are there."""
    try:
        task.check_installed()
    except ImportError:
        return False
    return True


def _unknown(name: str) -> ValueError:
    suites = dict.fromkeys(task_id.partition("/")[0] for task_id in _TASKS)
    similar = difflib.get_close_matches(str(name), [*_TASKS, *suites], n=3) or suites
    return ValueError(f"There is no task {name!r}. Did you mean one of: {', '.join(similar)}?")


def find_task(task_id: str) -> Task | DocumentTask:
    """The task of that id.

    Raises:
        ValueError: there is no such task.
        ImportError: its packages are not installed; the message has the pip command that installs them.
    """
    task = registered_task(task_id)
    task.check_installed()
    return task


def registered_task(task_id: str) -> Task | DocumentTask:
    """The task of that id, also where its packages are not installed.

    Raises:
        ValueError: there is no such task.
    """
    if task_id not in _TASKS:
        raise _unknown(task_id)
    return _TASKS[task_id]
