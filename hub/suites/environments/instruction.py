# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Adds the name of the task to its observations, for tasks that look alike.

The pendulums of two suites, for example, show the same three numbers but need different torques.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..task import Policy, Task

if TYPE_CHECKING:
    import gymnasium


def with_instruction(task: Task) -> Task:
    """Returns the task with dictionaries as observations: `instruction`, the task's name, and `state`, as before.

    The instruction of `dm-control/pendulum-swingup` is "pendulum swingup". The expert still sees only the state.
    """
    instruction = task.name.replace("-", " ")
    return replace(
        task,
        make_environment=partial(_make_environment, task.make_environment, instruction),
        make_expert=task.make_expert and partial(_make_expert, task.make_expert),
    )


def _make_environment(
    make_environment: Callable[..., gymnasium.Env], instruction: str, render_mode: str | None = None
) -> gymnasium.Env:
    from gymnasium.spaces import Dict, Text
    from gymnasium.wrappers import TransformObservation

    environment = make_environment(render_mode=render_mode)
    words = Text(len(instruction), charset=string.ascii_lowercase + string.digits + " ")
    space = Dict({"instruction": words, "state": environment.observation_space})
    return TransformObservation(environment, lambda state: {"instruction": instruction, "state": state}, space)


def _make_expert(make_expert: Callable[[gymnasium.Env], Policy], environment: gymnasium.Env) -> Policy:
    policy = make_expert(environment)
    return lambda observation: policy(observation["state"])


def without_instruction(environment: gymnasium.Env) -> gymnasium.Env:
    """Returns the environment of a task made by `with_instruction`, with only the state as its observation."""
    from gymnasium.wrappers import TransformObservation

    space: Any = environment.observation_space
    return TransformObservation(environment, lambda observation: observation["state"], space["state"])
