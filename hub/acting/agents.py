# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The one place that makes the agent of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..suites import Task
from ..system.errors import GatoError

if TYPE_CHECKING:
    import gymnasium

    from modeling_gato import GatoAgent, GatoForCausalLM
    from tokenization_gato import GatoProcessor


def make_agent(
    task: Task,
    model: GatoForCausalLM,
    processor: GatoProcessor,
    environment: gymnasium.Env,
    *,
    num_envs: int | None = None,
    prompt: Mapping[str, Any] | None = None,
    **settings: Any,
) -> GatoAgent:
    """Makes an agent that acts in environments of a task.

    Args:
        environment: One environment of the task; the agent reads and writes values of its spaces.
        num_envs: Number of environments in each batch of observations, None for one environment without a batch.
        prompt: A demonstration, one row of an episode dataset, that comes before every episode.
        settings: Other arguments of `GatoAgent`: `observation_space` (the environment's by default), `task` (the
            task's id by default), `temperature`, `do_sample`, `seed`, ...

    Raises:
        GatoError: A setting is out of range, the prompt does not fit, or the processor is not the model's.
    """
    from modeling_gato import GatoAgent

    spaces_and_task: dict[str, Any] = {"observation_space": environment.observation_space, "task": task.id}
    settings = spaces_and_task | settings
    action_space = environment.action_space
    if prompt is not None:
        try:
            lengths = processor.step_lengths(
                prompt, observation_space=settings["observation_space"], action_space=action_space
            )
            # A prompt takes at most half the window; an agent of a single environment would tell only when it acts.
            processor.last_steps(lengths, model.config.max_position_embeddings // 2)
        except ValueError as error:
            raise GatoError(f"the prompt of {task.id!r} can't be used: {error}") from error
    try:
        return GatoAgent(model, processor, action_space, num_envs=num_envs, prompt=prompt, **settings)
    except ValueError as error:
        raise GatoError(str(error)) from error
