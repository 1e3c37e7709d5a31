# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What there is to do: one module a suite, the tasks of all suites in `registry`.

Importing this package loads no environment and no torch: a suite imports what its tasks need when it makes one.
"""

from .document_task import DocumentTask
from .registry import (
    UnknownTaskError,
    find_task,
    is_installed,
    matching_task_ids,
    register_task,
    registered_task,
    task_ids,
)
from .task import BaseTask, ExpertFailed, Policy, Task, suite_of

__all__ = [
    "BaseTask",
    "DocumentTask",
    "ExpertFailed",
    "Policy",
    "Task",
    "UnknownTaskError",
    "find_task",
    "is_installed",
    "matching_task_ids",
    "register_task",
    "registered_task",
    "suite_of",
    "task_ids",
]
