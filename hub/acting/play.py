# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""An episode to look at, step by step: what the environment shows, and the tokens that are read and written."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..suites import Task
from .agents import make_agent
from .rollout import EnvironmentFailed, Rollout, calling_environment

if TYPE_CHECKING:
    import gymnasium

    from modeling_gato import GatoAgent, GatoForCausalLM
    from tokenization_gato import GatoProcessor


class PlayedToken(NamedTuple):
    """A token to be shown.

    Attributes:
        name: The token's text, the value of an integer, or a count of image patches such as "<image> x4".
        kind: What the token stands for: "image", "text", "continuous", "discrete" or "separator".
    """

    name: str
    kind: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class PlayedStep:
    """A step of an episode to look at.

    Attributes:
        number: Number of the step, from 0.
        mission: The text of the observation, "" if it has none.
        frame: What the environment looks like before the action, (height, width, 3) uint8; None if it can't be drawn.
        read: Tokens of the observation, with the separator.
        written: Tokens of the action.
        total_reward: Sum of rewards, that of this step included.
        success: Whether the task was solved, None if the environment does not tell.
    """

    number: int
    mission: str
    frame: np.ndarray | None
    read: tuple[PlayedToken, ...]
    written: tuple[PlayedToken, ...]
    total_reward: float
    success: bool | None


def play(
    task: Task, seed: int, model: GatoForCausalLM, processor: GatoProcessor, /, *, human: bool = False, **options: Any
) -> Generator[PlayedStep, None, None]:
    """Plays one episode and yields its steps as they happen.

    Args:
        seed: Seed of the environment.
        human: Show a window instead of recording frames.
        options: Options of `make_agent`; a `seed` among them is that of the agent's sampling.

    Raises:
        GatoError: `make_agent` refuses an option.
        EnvironmentFailed: The environment raised an error.
    """
    with calling_environment():
        environment = task.make_environment(render_mode="human" if human else "rgb_array")
    try:
        agent = make_agent(task, model, processor, environment, **options)
        rollout = Rollout(seed)
        with calling_environment():
            observation, _ = environment.reset(seed=seed)
        ended = False
        while not ended:
            frame = None if human else _rendered(environment)
            read, written, action = _act(agent, observation)
            mission = instruction(observation)
            with calling_environment():
                next_observation, reward, terminated, truncated, info = environment.step(action)
            rollout.add_step(observation, action, reward, info)
            yield PlayedStep(
                number=rollout.length - 1,
                mission=mission,
                frame=frame,
                read=read,
                written=written,
                total_reward=rollout.episode_return,
                success=rollout.success,
            )
            observation, ended = next_observation, terminated or truncated
    finally:
        environment.close()


def _act(agent: GatoAgent, observation: Any) -> tuple[tuple[PlayedToken, ...], tuple[PlayedToken, ...], Any]:
    """Lets an agent act; returns the tokens that it reads, those that it writes, and the action."""
    from gymnasium.spaces import Text

    from tokenization_gato import TokenRole

    processor = agent.processor
    (sequence,) = processor.encode_observations(
        [observation],
        previous_observations=agent.previous_observations,
        observation_space=agent.observation_space,
    )
    action = agent.act(observation)
    ids = processor.encode_action(action, agent.action_space)
    read = _shown_tokens(processor, sequence.input_ids, sequence.roles == TokenRole.OBSERVATION_TEXT)
    written = _shown_tokens(processor, ids, np.full(len(ids), isinstance(agent.action_space, Text)))
    return read, written, action


def _rendered(environment: gymnasium.Env) -> np.ndarray | None:
    """Returns the environment's picture, None where it can't be drawn, as without OpenGL."""
    try:
        with calling_environment():
            return np.asarray(environment.render(), np.uint8)
    except EnvironmentFailed:
        return None


def instruction(observation: Any) -> str:
    """Returns the first text of an observation, or "" if it has none."""
    values = observation.values() if isinstance(observation, dict) else [observation]
    return next((value for value in values if isinstance(value, str)), "")


def _shown_tokens(processor: GatoProcessor, ids: Sequence[int], is_text: np.ndarray) -> tuple[PlayedToken, ...]:
    """Returns ids as tokens to be shown; patches of one image are counted.

    Args:
        ids: Token ids.
        is_text: Booleans, which of the ids are text: discrete values may share ids with text.
    """
    vocabulary = processor.vocabulary
    names = processor.tokenizer.convert_ids_to_tokens([int(token) for token in ids])
    kinds = vocabulary.kind(np.asarray(ids, np.int64)).tolist()
    shown = []
    for token, name, kind, text in zip(ids, names, kinds, is_text, strict=True):
        if not text and token in vocabulary.discrete:
            kind, name = "discrete", str(int(token) - vocabulary.discrete.start)
        shown.append(PlayedToken(name, kind))
    counted: list[PlayedToken] = []
    for one, group in itertools.groupby(shown):
        equal = list(group)
        if one.name == processor.image_token and len(equal) > 1:
            equal = [PlayedToken(f"{one.name} x{len(equal)}", one.kind)]
        counted += equal
    return tuple(counted)
