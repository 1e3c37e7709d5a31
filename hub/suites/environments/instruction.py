# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Tells the agent in words which task it is, where what the environment shows would leave that open.

Two pendulums of two suites show the same three numbers, and want different torques.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..task import Policy, Task

if TYPE_CHECKING:
    import gymnasium


def with_instruction(task: Task) -> Task:
    """The task with a dictionary for an observation: its name as the `instruction`, what it showed as the `state`.

    The instruction of `dm-control/pendulum-swingup` is "pendulum swingup". The expert still sees the state alone.
    """
    instruction = task.name.replace("-", " ")
    return replace(
        task,
        make_environment=partial(_make_environment, task.make_environment, instruction),
        make_expert=partial(_make_expert, task.make_expert),
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
    """The environment of such a task, showing the state alone."""
    from gymnasium.wrappers import TransformObservation

    return TransformObservation(
        environment, lambda observation: observation["state"], environment.observation_space["state"]
    )
