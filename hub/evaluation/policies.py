# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How well a policy does at a task, over given seeds; and one episode as an animated picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..acting.agent_rollouts import run_agent
from ..acting.rollout import Rollout, random_policy, run_episode, run_expert
from ..suites import Policy, Task
from ..system.files import replacing

if TYPE_CHECKING:
    import gymnasium

    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor


@dataclass(frozen=True)
class EpisodeResult:
    """What one episode came to.

    Attributes:
        success: None where the task's score is its return.
        error: what ended the episode before its end; None where nothing did.
    """

    seed: int
    episode_return: float
    success: bool | None
    length: int
    error: str | None = None


def _result(task: Task, rollout: Rollout, error: str | None = None) -> EpisodeResult:
    success = bool(rollout.success) if task.score == "success" else None
    return EpisodeResult(rollout.seed, rollout.episode_return, success, rollout.length, error)


def _evaluate(task: Task, seeds: Iterable[int], run: Callable[[gymnasium.Env, int], Rollout]) -> list[EpisodeResult]:
    environment = task.make_environment()
    results = [_result(task, run(environment, seed)) for seed in seeds]
    environment.close()
    return results


def evaluate_random(task: Task, seeds: Iterable[int]) -> list[EpisodeResult]:
    """The results of uniformly random actions, one a seed."""
    return _evaluate(task, seeds, lambda environment, seed: run_episode(environment, seed, random_policy))


def evaluate_expert(task: Task, seeds: Iterable[int]) -> list[EpisodeResult]:
    """The results of the task's expert, one a seed. An episode that it can't go on with has failed."""
    return _evaluate(task, seeds, lambda environment, seed: run_expert(task, environment, seed))


def evaluate_agent(
    task: Task,
    seeds: Sequence[int],
    model: GatoForCausalLM,
    processor: GatoProcessor,
    *,
    num_environments: int = 32,
    **agent_options: Any,
) -> list[EpisodeResult]:
    """The results of a model, one a seed, in the order of `seeds`.

    An episode in which the environment raises an error, or gives a number that is not finite, ends there, and its
    result tells the error; the others go on.

    Args:
        num_environments, agent_options: see `run_agent`.
    """
    rollouts = run_agent(task, seeds, model, processor, num_environments=num_environments, **agent_options)
    results = {rollout.seed: _result(task, rollout, rollout.failure) for rollout in rollouts}
    return [results[seed] for seed in seeds]


def record_episode(
    task: Task, seed: int, model: GatoForCausalLM, processor: GatoProcessor, /, **agent_options: Any
) -> tuple[Rollout, list[np.ndarray]]:
    """One episode of a model with what `environment.render()` shows: T + 1 frames (height, width, 3) uint8.

    `agent_options` are those of `GatoAgent`; the first `seed` is the environment's, one among them the agent's.
    """
    from modeling_gato import GatoAgent

    def make_policy(environment: gymnasium.Env, seed: int) -> Policy:
        spaces = {"observation_space": environment.observation_space, "task": task.id} | agent_options
        agent = GatoAgent(model, processor, environment.action_space, num_envs=None, **spaces)
        agent.reset()
        return agent.act

    frames: list[np.ndarray] = []
    environment = task.make_environment(render_mode="rgb_array")
    rollout = run_episode(environment, seed, make_policy, each_frame=frames.append)
    environment.close()
    return rollout, frames


def write_gif(
    path: str | os.PathLike,
    frames: Sequence[np.ndarray],
    caption: str,
    *,
    milliseconds: int = 300,
    smallest_width: int = 320,
) -> None:
    """Writes frames (height, width, 3) as an animated GIF, small ones enlarged, the caption under them."""
    height, width, _ = frames[0].shape
    scale = -(-smallest_width // width)
    font = ImageFont.load_default(size=16)
    pictures = []
    for frame in frames:
        picture = Image.fromarray(frame).resize((width * scale, height * scale), Image.Resampling.NEAREST)
        framed = Image.new("RGB", (picture.width, picture.height + 28), "white")
        framed.paste(picture)
        ImageDraw.Draw(framed).text((8, picture.height + 4), caption, fill="black", font=font)
        pictures.append(framed)
    with replacing(path) as temporary:
        # The last frame stays for a second, so that the end can be seen.
        durations = [milliseconds] * (len(pictures) - 1) + [1000]
        pictures[0].save(
            temporary, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0
        )
