# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Episodes of a model, which acts in several environments of one task at once.

An expert may say at each step what it would have done: so a model's own mistakes become demonstrations of what to do
after them (DAgger; Ross, Gordon and Bagnell, AISTATS 2011).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..suites import ExpertFailed, Task
from .rollout import Rollout, limited_processor_time

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

# Once so few of the environments have an episode left, the others are given up: to act in them costs as much.
LARGEST_SHARE_KEPT = 0.75


def run_agent(
    task: Task,
    seeds: Sequence[int],
    model: GatoForCausalLM,
    processor: GatoProcessor,
    *,
    num_environments: int = 32,
    ask_expert: bool = False,
    max_steps: int | None = None,
    **agent_options: Any,
) -> Iterator[Rollout]:
    """One episode of a model for each seed, in the order in which they end.

    An episode in which the environment raises an error, or gives a number that is not finite, ends there, and its
    `failure` tells the error; the others go on.

    Args:
        num_environments: how many environments the model acts in at once. An environment whose episode has ended
            begins the next seed. Where actions are sampled, the episodes depend on this number.
        ask_expert: `actions` of a rollout are what the task's expert would have done where the model was,
            `executed_actions` what the model did. An episode that the expert can't go on with ends there, and its
            `failure` tells why.
        max_steps: after which an episode is left; by default none is.
        agent_options: of `GatoAgent`: `observation_space` (the environment's by default), `temperature`, `do_sample`,
            `seed`, `prompt`, ...
    """
    from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

    from modeling_gato import GatoAgent

    count = min(num_environments, len(seeds))
    if count < 1:
        raise ValueError(
            f"num_environments ({num_environments}) and the number of seeds ({len(seeds)}) must be positive"
        )
    if ask_expert and task.make_expert is None:
        raise ValueError(f"the task {task.id!r} has no expert to ask")
    waiting = iter(seeds)
    ended: list[Rollout] = []
    places = [_Place(task, waiting, ended, ask_expert, max_steps) for _ in range(count)]
    observation_space, action_space = places[0].spaces
    batched_action_space = batch_space(action_space, count)
    agent_options = {"observation_space": observation_space, "task": task.id} | agent_options
    agent = GatoAgent(model, processor, action_space, num_envs=count, **agent_options)
    agent.reset()
    while any(active := [place.is_active for place in places]):
        if sum(active) <= LARGEST_SHARE_KEPT * len(places):
            agent.keep(np.array(active))
            places = [place for place in places if place.is_active]
            batched_action_space = batch_space(action_space, len(places))
        # A place without a seed left shows some observation, and its action is not used.
        shown = next(place.observation for place in places if place.is_active)
        observations = [place.observation if place.is_active else shown for place in places]
        batch = concatenate(observation_space, observations, create_empty_array(observation_space, len(places)))
        actions = list(iterate(batched_action_space, agent.act(batch)))
        restarted = np.array([place.step(action) for place, action in zip(places, actions, strict=True)])
        if restarted.any():
            agent.reset(restarted)
        yield from ended
        ended.clear()
    yield from ended


class _Place:
    """One of the environments in which a model acts at once, and the episode in it.

    An error of the environment ends the episode and is kept with it; the next one gets a new environment.
    """

    def __init__(
        self,
        task: Task,
        waiting: Iterator[int],
        ended: list[Rollout],
        ask_expert: bool,
        max_steps: int | None,
    ):
        self._task = task
        self._waiting = waiting
        self._ended = ended
        self._ask_expert = ask_expert
        self._max_steps = max_steps
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
            told = self._expert(self.observation) if self._ask_expert else action
        except ExpertFailed as error:
            self._end(str(error))
            return self._begin()
        try:
            observation, reward, terminated, truncated, info = self._environment.step(action)
            _require_finite(observation, reward)
        except Exception as error:  # of any kind: environments are others' code
            self._fail(error)
            return self._begin()
        self._rollout.add_step(self.observation, told, reward, info, executed=action)
        self.observation = observation
        if not (terminated or truncated or self._rollout.length == self._max_steps):
            return False
        self._end()
        return self._begin()

    def _expert(self, observation: Any) -> Any:
        with limited_processor_time(self._task.expert_seconds):
            if self._policy is None:
                self._policy = self._task.make_expert(self._environment)
            return self._policy(observation)

    def _begin(self) -> bool:
        for seed in self._waiting:
            self._rollout, self._policy = Rollout(seed), None
            try:
                self.observation, _ = self._environment.reset(seed=seed)
                _require_finite(self.observation)
                return True
            except Exception as error:
                self._fail(error)
        self.is_active = False
        self.close()
        return False

    def _fail(self, error: Exception) -> None:
        self._end(f"step {self._rollout.length}: {type(error).__name__}: {error}")
        self.close()
        self._environment = self._task.make_environment()

    def _end(self, failure: str | None = None) -> None:
        self._rollout.failure = failure
        self._ended.append(self._rollout)

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
