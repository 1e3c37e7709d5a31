# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Suites of tasks, demonstrations, training, evaluation, sharing, and the `gato` command.

The public names below are imported when they are first used, so that a process which only steps environments never
loads torch. `gato_hub.train` is the function; the module of that name is only run, by `accelerate launch -m`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .acting.agent_rollouts import run_agent
    from .acting.rollout import run_expert
    from .checkpoints.loading import load_checkpoint
    from .data.collect import collect
    from .data.parquet import read_episodes
    from .evaluation.evaluate import evaluate_checkpoint
    from .recipes.reading import load_recipe
    from .sharing.push import push_checkpoint
    from .suites import Task, find_task, register_task
    from .training.run import train

_MODULE_OF = {
    "Task": "suites",
    "collect": "data.collect",
    "evaluate_checkpoint": "evaluation.evaluate",
    "find_task": "suites",
    "load_checkpoint": "checkpoints.loading",
    "load_recipe": "recipes.reading",
    "push_checkpoint": "sharing.push",
    "read_episodes": "data.parquet",
    "register_task": "suites",
    "run_agent": "acting.agent_rollouts",
    "run_expert": "acting.rollout",
    "train": "training.run",
}

__all__ = [
    "Task",
    "collect",
    "evaluate_checkpoint",
    "find_task",
    "load_checkpoint",
    "load_recipe",
    "push_checkpoint",
    "read_episodes",
    "register_task",
    "run_agent",
    "run_expert",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
