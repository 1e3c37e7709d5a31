# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Replays a recorded episode in its environment.

It yields what the episode schema does not hold, and shows whether what the schema holds is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...system.errors import GatoError
from ..columns import Leaf, Path, columns_of, leaves_of, nested, unnested, values_of

if TYPE_CHECKING:
    import gymnasium


def replay_episode(row: Mapping[str, Any], environment: gymnasium.Env, where: str) -> dict[str, Any]:
    """Plays an episode of T steps again, from its seed and with the actions that were executed.

    Args:
        row: the episode.
        environment: an environment of its task.
        where: names the episode in the message of an error.

    Returns:
        observations: T + 1 observations, nested as the space; each leaf is an array (T + 1, ...) or a list of texts.
        actions: the executed actions, nested as the space; each leaf is an array (T, ...).
        rewards: (T,) float64.
        terminations, truncations: (T,) bool. An episode that the environment did not end is truncated at its last
            step.

    Raises:
        GatoError: the episode has no seed or no steps, or its observations, rewards or length differ from the
            recorded ones.
    """
    if row.get("seed") is None:
        raise GatoError(f"{where} has no seed to replay it from")
    if row.get("rewards") is None or len(row["rewards"]) == 0:
        raise GatoError(f"{where} has no rewards, so no steps to replay")
    observation_space, action_space = environment.observation_space, environment.action_space
    actions = _executed_actions(row, leaves_of(action_space, "actions"))
    steps, rewards, terminations, truncations = _play(row, actions, environment, where)
    leaves = leaves_of(observation_space, "observations")
    observations = {leaf.path: _stacked([step[leaf.path] for step in steps], leaf) for leaf in leaves}

    before_actions = {path: values[:-1] for path, values in observations.items()}
    replayed = columns_of(leaves, before_actions, "observations") | {"rewards": rewards.astype(np.float32)}
    _check_same(row, replayed, where)
    return {
        "observations": nested(observation_space, observations),
        "actions": nested(action_space, actions),
        "rewards": rewards,
        "terminations": terminations,
        "truncations": truncations,
    }


def _executed_actions(row: Mapping[str, Any], leaves: list[Leaf]) -> dict[Path, Any]:
    """Returns the actions that the environment executed: those in the executed columns, where these are not null."""
    executed = {name.removeprefix("executed_"): row[name] for name in row if name.startswith("executed_")}
    executed = {name: column for name, column in executed.items() if column is not None}
    return values_of(leaves, {**row, **executed}, "actions")


def _play(
    row: Mapping[str, Any], actions: Mapping[Path, Any], environment: gymnasium.Env, where: str
) -> tuple[list[dict[Path, Any]], np.ndarray, np.ndarray, np.ndarray]:
    """Returns the leaves of T + 1 observations, and T rewards, terminations and truncations."""
    num_steps = len(row["rewards"])
    rewards, terminations, truncations = np.zeros(num_steps), np.zeros(num_steps, bool), np.zeros(num_steps, bool)
    steps = [unnested(environment.observation_space, environment.reset(seed=row["seed"])[0])]
    for step in range(num_steps):
        if step and (terminations[step - 1] or truncations[step - 1]):
            raise GatoError(f"{where} has {num_steps} steps, replayed it ends after {step}")
        action = nested(environment.action_space, {path: values[step] for path, values in actions.items()})
        observation, rewards[step], terminations[step], truncations[step], _ = environment.step(action)
        steps.append(unnested(environment.observation_space, observation))
    truncations[-1] |= not terminations[-1]
    return steps, rewards, terminations, truncations


def _stacked(values: list[Any], leaf: Leaf) -> Any:
    if leaf.kind == "text":
        return [str(value) for value in values]
    return np.stack([np.asarray(value, leaf.space.dtype) for value in values])


def _check_same(row: Mapping[str, Any], replayed: Mapping[str, Any], where: str) -> None:
    for name, column in replayed.items():
        recorded = row.get(name)
        if isinstance(column, np.ndarray):
            same = recorded is not None and np.array_equal(column, np.asarray(recorded, column.dtype))
        else:
            same = recorded is not None and column == list(recorded)
        if not same:
            raise GatoError(
                f"{where}: {name} are not those that its environment shows when the episode is replayed from seed "
                f"{row['seed']}; were they recorded with other versions of its packages?"
            )
