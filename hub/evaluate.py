# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How well a policy does at a task, over given seeds; and one episode as an animated picture."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .files import replacing
from .rollout import Rollout, random_policy, run_episode, run_expert
from .suites import Policy, Task

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
        num_environments: how many environments the model acts in at once. An environment whose episode has ended
            begins the next seed. Where actions are sampled, the results depend on this number.
        agent_options: of `GatoAgent`: `observation_space` (the environment's by default), `temperature`, `do_sample`,
            `seed`, `prompt`, ...
    """
    from gymnasium.vector.utils import concatenate, create_empty_array, iterate

    from modeling_gato import GatoAgent

    count = min(num_environments, len(seeds))
    if count < 1:
        raise ValueError(
            f"num_environments ({num_environments}) and the number of seeds ({len(seeds)}) must be positive"
        )
    waiting = iter(seeds)
    results: dict[int, EpisodeResult] = {}
    places = [_Place(task, waiting, results) for _ in range(count)]
    # A place without an observation is one whose episodes all failed at once: it never had a use.
    shown = next((place.observation for place in places if place.is_active), None)
    if shown is None:
        return [results[seed] for seed in seeds]
    observation_space, action_space = places[0].spaces
    batched_action_space = _batched(action_space, count)
    agent_options = {"observation_space": observation_space, "task": task.id} | agent_options
    agent = GatoAgent(model, processor, action_space, num_envs=count, **agent_options)
    agent.reset()
    while any(place.is_active for place in places):
        # A place without a seed left shows some observation, and its action is not used.
        observations = [place.observation if place.is_active else shown for place in places]
        batch = concatenate(observation_space, observations, create_empty_array(observation_space, count))
        actions = list(iterate(batched_action_space, agent.act(batch)))
        restarted = np.array([place.step(action) for place, action in zip(places, actions, strict=True)])
        if restarted.any():
            agent.reset(restarted)
    for place in places:
        place.close()
    return [results[seed] for seed in seeds]


class _Place:
    """One of the environments in which a model acts at once, and the episode in it.

    An error of the environment ends the episode and is kept with its result; the next one gets a new environment.
    """

    def __init__(self, task: Task, waiting: Iterator[int], results: dict[int, EpisodeResult]):
        self._task = task
        self._waiting = waiting
        self._results = results
        self._environment = task.make_environment()
        self.spaces = self._environment.observation_space, self._environment.action_space
        self.observation: Any = None
        self.is_active = True
        self._begin()

    def step(self, action: Any) -> bool:
        """Goes on by an action; tells whether a new episode has begun."""
        if not self.is_active:
            return False
        try:
            observation, reward, terminated, truncated, info = self._environment.step(action)
            _require_finite(observation, reward)
        except Exception as error:  # of any kind: environments are others' code
            self._fail(error)
            return self._begin()
        self._rollout.add_step(self.observation, action, reward, info)
        self.observation = observation
        if not (terminated or truncated):
            return False
        self._results[self._rollout.seed] = _result(self._task, self._rollout)
        return self._begin()

    def _begin(self) -> bool:
        for seed in self._waiting:
            self._rollout = Rollout(seed)
            try:
                self.observation, _ = self._environment.reset(seed=seed)
                _require_finite(self.observation)
                return True
            except Exception as error:
                self._fail(error)
        self.is_active = False
        return False

    def _fail(self, error: Exception) -> None:
        about = f"step {self._rollout.length}: {type(error).__name__}: {error}"
        self._results[self._rollout.seed] = _result(self._task, self._rollout, about)
        self.close()
        self._environment = self._task.make_environment()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # of an environment that has failed
            self._environment.close()


def _require_finite(observation: Any, reward: float = 0.0) -> None:
    """Raises ValueError for a number in an observation, or a reward, that is not finite."""
    if not np.isfinite(reward):
        raise ValueError(f"the environment gave the reward {reward}")
    leaves = [observation]
    while leaves:
        leaf = leaves.pop()
        if isinstance(leaf, dict):
            leaves += leaf.values()
        elif isinstance(leaf, tuple):
            leaves += leaf
        elif isinstance(leaf, np.ndarray | np.floating | float) and not np.isfinite(leaf).all():
            raise ValueError("the environment gave an observation that is not finite")


def _batched(space: gymnasium.Space, count: int) -> gymnasium.Space:
    from gymnasium.vector.utils import batch_space

    return batch_space(space, count)


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


def instruction(observation: Any) -> str:
    """The text of an observation, or "" where it has none."""
    values = observation.values() if isinstance(observation, dict) else [observation]
    return next((value for value in values if isinstance(value, str)), "")


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
