# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Episodes of a model that acts in several environments of one task at once.

The task's expert may say at each step what it would do. The model's own mistakes then become demonstrations of how to
go on after them (DAgger; Ross, Gordon and Bagnell, AISTATS 2011).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..suites import ExpertFailed, Policy, Task
from ..system.errors import GatoError
from .agents import make_agent
from .rollout import EnvironmentFailed, Rollout, calling_environment, limited_processor_time

if TYPE_CHECKING:
    import gymnasium

    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

# The batch shrinks once at most this share of its environments is still running: idle ones cost as much as the others.
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
    """Yields one episode of a model for each seed, in the order in which they end.

    An episode ends early if its environment raises an error or gives a number that is not finite; `failure` of its
    rollout then names the error. The other episodes go on.

    Args:
        num_environments: Number of environments in which the model acts at once. An environment whose episode has
            ended begins the next seed. If actions are sampled, the episodes depend on this number.
        ask_expert: Record in `actions` what the task's expert would have done where the model was, and in
            `executed_actions` what the model did. An episode ends early if the expert fails; `failure` says why.
        max_steps: Number of steps after which an episode is cut, None for no limit.
        agent_options: Options of `make_agent`, such as `temperature`, `do_sample`, `seed` and `prompt`.

    Raises:
        GatoError: There are no seeds or no environments, the task has no expert to ask, or `make_agent` refuses an
            option.
        EnvironmentFailed: The environment can't be made.
    """
    from gymnasium.vector.utils import batch_space, iterate

    count = min(num_environments, len(seeds))
    if count < 1:
        raise GatoError(
            f"num_environments ({num_environments}) and the number of seeds ({len(seeds)}) must be positive"
        )
    if ask_expert and task.make_expert is None:
        raise GatoError(f"the task {task.id!r} has no expert to ask")
    waiting = iter(seeds)
    ended: list[Rollout] = []
    make_expert = task.make_expert if ask_expert else None
    places = [_Place(task, waiting, ended, make_expert, max_steps) for _ in range(count)]
    action_space = places[0].environment.action_space
    batched_action_space = batch_space(action_space, count)
    agent = make_agent(task, model, processor, places[0].environment, num_envs=count, **agent_options)
    while any(active := [place.is_active for place in places]):
        if sum(active) <= LARGEST_SHARE_KEPT * len(places):
            agent.keep(np.array(active))
            places = [place for place in places if place.is_active]
            batched_action_space = batch_space(action_space, len(places))
        actions = list(iterate(batched_action_space, agent.act(_batch_of_observations(places))))
        restarted = np.array([place.step(action) for place, action in zip(places, actions, strict=True)])
        if restarted.any():
            agent.reset(restarted)
        yield from ended
        ended.clear()
    yield from ended


def _batch_of_observations(places: Sequence[_Place]) -> Any:
    """Returns the observations of all places as a batch.

    A place without a seed left shows the observation of another one, and its action will not be used.
    """
    from gymnasium.vector.utils import concatenate, create_empty_array

    space = places[0].environment.observation_space
    shown = next(place.observation for place in places if place.is_active)
    observations = [place.observation if place.is_active else shown for place in places]
    empty: Any = create_empty_array(space, len(places))
    return concatenate(space, observations, empty)


class _Place:
    """One of the environments in which a model acts at once, and the episode that runs in it.

    When the environment fails, the episode ends with the error, and the next one gets a new environment.
    """

    def __init__(
        self,
        task: Task,
        waiting: Iterator[int],
        ended: list[Rollout],
        make_expert: Callable[[gymnasium.Env], Policy] | None,
        max_steps: int | None,
    ):
        self._task = task
        self._waiting = waiting
        self._ended = ended
        self._make_expert = make_expert
        self._max_steps = max_steps
        self._expert: Policy | None = None
        self._make_environment()
        self.observation: Any = None
        self.is_active = True
        self._begin()

    def step(self, action: Any) -> bool:
        """Executes an action; returns whether a new episode has begun."""
        if not self.is_active:
            return False
        try:
            told = action if self._make_expert is None else self._advice(self._make_expert)
            with calling_environment():
                observation, reward, terminated, truncated, info = self.environment.step(action)
                _require_finite(observation, reward)
        except ExpertFailed as error:
            self._end(str(error))
            return self._begin()
        except EnvironmentFailed as error:
            self._fail(error)
            return self._begin()
        self._rollout.add_step(self.observation, told, reward, info, executed=action)
        self.observation = observation
        if not (terminated or truncated or self._rollout.length == self._max_steps):
            return False
        self._end()
        return self._begin()

    def _advice(self, make_expert: Callable[[gymnasium.Env], Policy]) -> Any:
        """Returns what the expert would do now."""
        with limited_processor_time(self._task.expert_seconds):
            if self._expert is None:
                self._expert = make_expert(self.environment)
            return self._expert(self.observation)

    def _begin(self) -> bool:
        for seed in self._waiting:
            self._rollout, self._expert = Rollout(seed), None
            try:
                with calling_environment():
                    self.observation, _ = self.environment.reset(seed=seed)
                    _require_finite(self.observation)
                return True
            except EnvironmentFailed as error:
                self._fail(error)
        self.is_active = False
        self._close()
        return False

    def _make_environment(self) -> None:
        with calling_environment():
            self.environment = self._task.make_environment()

    def _fail(self, error: EnvironmentFailed) -> None:
        self._end(f"step {self._rollout.length}: {error}")
        self._close()
        self._make_environment()

    def _end(self, failure: str | None = None) -> None:
        self._rollout.failure = failure
        self._ended.append(self._rollout)

    def _close(self) -> None:
        # An environment that has failed may fail again.
        with contextlib.suppress(EnvironmentFailed), calling_environment():
            self.environment.close()


def _require_finite(observation: Any, reward: Any = 0.0) -> None:
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
