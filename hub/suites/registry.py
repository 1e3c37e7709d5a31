# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The tasks that there are. `find_task(id)` returns one; `matching_task_ids(names)` returns the ids that names match.

To add a suite to this package, write a module with a tuple `TASKS` of `Task` or `DocumentTask`, and add the module to
`_SUITES` below. Import what an environment needs only inside functions: listing the tasks must not load it.

To add a task from your own package, call `register_task(task)` when your package is imported. Your task then works
wherever a task id does.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable

from ..system.errors import GatoError, MissingPackageError
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
from .task import BaseTask, Task, suite_of

_SUITES = (
    babyai, minigrid, metaworld, sokoban, classic_control, box2d, gymnasium_mujoco, dm_control, atari,
    shapes, easy_vqa, text,
)  # fmt: skip

_TASKS: dict[str, BaseTask] = {}


class UnknownTaskError(GatoError):
    """No task has this name. The message has similar names."""


def register_task(task: BaseTask) -> None:
    """Adds a task, so that it is found by its id.

    Raises:
        GatoError: The id is not `suite/task-name` in lower-case letters, digits and hyphens, or another task has it.
    """
    if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", task.id):
        raise GatoError(f"The task id {task.id!r} is not `suite/task-name` in lower-case letters, digits and hyphens.")
    if task.id in _TASKS:
        raise GatoError(f"There is already a task {task.id!r}.")
    _TASKS[task.id] = task


for _suite in _SUITES:
    for _task in _suite.TASKS:
        register_task(_task)

BUILT_IN_TASK_IDS = frozenset(_TASKS)
"""The ids of this package's own tasks. A worker process finds these by id; other tasks must be sent to it."""


def task_ids(kind: type[BaseTask] = Task) -> tuple[str, ...]:
    """Returns the ids of all tasks of a kind (`Task`, `DocumentTask`, or `BaseTask` for both), installed or not."""
    return tuple(task_id for task_id, task in _TASKS.items() if isinstance(task, kind))


def matching_task_ids(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the ids that the names match, in the order of registration.

    Args:
        names: Each is an id, a suite, a pattern such as "babyai/go-to-*", or "all": every task that is installed and
            has an expert or documents. A name after "!" is left out, as in `["babyai", "!babyai/go-to-local"]`.

    Raises:
        UnknownTaskError: A name matches no task.
    """
    wanted: set[str] = set()
    unwanted: set[str] = set()
    for name in names:
        target = unwanted if name.startswith("!") else wanted
        target.update(_ids_of(name.removeprefix("!")))
    return tuple(task_id for task_id in _TASKS if task_id in wanted - unwanted)


def _ids_of(name: str) -> list[str]:
    if name == "all":
        found = [task_id for task_id, task in _TASKS.items() if _is_ready(task)]
    else:
        found = [
            task_id for task_id in _TASKS if name in (task_id, suite_of(task_id)) or fnmatch.fnmatchcase(task_id, name)
        ]
    if not found:
        raise _unknown(name)
    return found


def _is_ready(task: BaseTask) -> bool:
    return is_installed(task) and not (isinstance(task, Task) and task.make_expert is None)


def is_installed(task: BaseTask) -> bool:
    """Returns whether the packages of the task are installed."""
    try:
        task.check_installed()
    except MissingPackageError:
        return False
    return True


def find_task(task_id: str) -> BaseTask:
    """Returns the task with this id.

    Raises:
        UnknownTaskError: There is no such task.
        MissingPackageError: Its packages are not installed. The message has the pip command that installs them.
    """
    task = registered_task(task_id)
    task.check_installed()
    return task


def registered_task(task_id: str) -> BaseTask:
    """Returns the task with this id, whether its packages are installed or not.

    Raises:
        UnknownTaskError: There is no such task.
    """
    if task_id not in _TASKS:
        raise _unknown(task_id)
    return _TASKS[task_id]


def _unknown(name: str) -> UnknownTaskError:
    suites = dict.fromkeys(map(suite_of, _TASKS))
    similar = difflib.get_close_matches(str(name), [*_TASKS, *suites], n=3) or suites
    return UnknownTaskError(f"There is no task {name!r}. Did you mean one of: {', '.join(similar)}?")
