# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How well a policy does at a task: the results of random actions, of the expert and of a model on given seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..acting.agent_rollouts import run_agent
from ..acting.rollout import Rollout, calling_environment, random_policy, run_episode, run_expert
from ..suites import Task

if TYPE_CHECKING:
    import gymnasium

    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor


@dataclass(frozen=True)
class EpisodeResult:
    """The result of one episode.

    Attributes:
        seed: Seed of the environment.
        episode_return: Sum of rewards.
        success: Whether the task was solved, None if the task's score is its return.
        length: Number of steps.
        error: What ended the episode early, None if nothing did.
    """

    seed: int
    episode_return: float
    success: bool | None
    length: int
    error: str | None = None


def evaluate_random(task: Task, seeds: Iterable[int]) -> list[EpisodeResult]:
    """Returns the results of uniformly random actions, one for each seed."""
    return _evaluate(task, seeds, lambda environment, seed: run_episode(environment, seed, random_policy))


def evaluate_expert(task: Task, seeds: Iterable[int]) -> list[EpisodeResult]:
    """Returns the results of the task's expert, one for each seed. Where the expert fails, the episode ends."""
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
    """Returns the results of a model, one for each seed, in the order of `seeds`.

    An episode ends early if its environment raises an error or gives a number that is not finite; its result then has
    the error. The other episodes go on.

    Args:
        num_environments: See `run_agent`.
        agent_options: See `run_agent`.
    """
    rollouts = run_agent(task, seeds, model, processor, num_environments=num_environments, **agent_options)
    results = {rollout.seed: _result(task, rollout, rollout.failure) for rollout in rollouts}
    return [results[seed] for seed in seeds]


def _evaluate(task: Task, seeds: Iterable[int], run: Callable[[gymnasium.Env, int], Rollout]) -> list[EpisodeResult]:
    with calling_environment():
        environment = task.make_environment()
    results = [_result(task, run(environment, seed)) for seed in seeds]
    environment.close()
    return results


def _result(task: Task, rollout: Rollout, error: str | None = None) -> EpisodeResult:
    success = bool(rollout.success) if task.score == "success" else None
    return EpisodeResult(rollout.seed, rollout.episode_return, success, rollout.length, error)
