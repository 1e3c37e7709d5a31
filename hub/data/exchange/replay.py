# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A recorded episode played again: what the episode schema does not hold, and whether what it holds is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..columns import columns_of, leaves_of, nested, unnested, values_of

if TYPE_CHECKING:
    import gymnasium


def replay_episode(row: Mapping[str, Any], environment: gymnasium.Env, where: str) -> dict[str, Any]:
    """Plays an episode of T steps from its seed, with the actions that were executed.

    Args:
        row: the episode.
        environment: of its task.
        where: which episode it is, for the message of an error.

    Returns:
        observations: T + 1, nested as the space, each leaf an array (T + 1, ...) or a list of texts.
        actions: those executed, nested as the space, each leaf an array (T, ...).
        rewards (T,) float64; terminations and truncations (T,) bool. An episode that the environment did not end is
            truncated at its last step.

    Raises:
        ValueError: the episode has no seed, or its observations, rewards or length are not those that were recorded.
    """
    if row.get("seed") is None:
        raise ValueError(f"{where} has no seed to replay it from")
    spaces = environment.observation_space, environment.action_space
    observation_leaves, action_leaves = leaves_of(spaces[0], "observations"), leaves_of(spaces[1], "actions")
    executed = {name.removeprefix("executed_"): row[name] for name in row if name.startswith("executed_")}
    executed = {name: column for name, column in executed.items() if column is not None}
    actions = values_of(action_leaves, {**row, **executed}, "actions")
    num_steps = len(row["rewards"])

    shown = [unnested(spaces[0], environment.reset(seed=row["seed"])[0])]
    rewards, terminations, truncations = np.zeros(num_steps), np.zeros(num_steps, bool), np.zeros(num_steps, bool)
    for step in range(num_steps):
        if step and (terminations[step - 1] or truncations[step - 1]):
            raise ValueError(f"{where} has {num_steps} steps, replayed it ends after {step}")
        action = nested(spaces[1], {path: values[step] for path, values in actions.items()})
        observation, rewards[step], terminations[step], truncations[step], _ = environment.step(action)
        shown.append(unnested(spaces[0], observation))
    truncations[-1] |= not terminations[-1]

    observations = {
        leaf.path: [str(values[leaf.path]) for values in shown]
        if leaf.kind == "text"
        else np.stack([np.asarray(values[leaf.path], leaf.space.dtype) for values in shown])
        for leaf in observation_leaves
    }
    before_actions = {path: values[:-1] for path, values in observations.items()}
    replayed = columns_of(observation_leaves, before_actions, "observations")
    for name, column in {**replayed, "rewards": rewards.astype(np.float32)}.items():
        if isinstance(column, np.ndarray):
            same = np.array_equal(column, np.asarray(row[name], column.dtype))
        else:
            same = column == list(row[name])
        if not same:
            raise ValueError(
                f"{where}: {name} are not those that its environment shows when the episode is replayed from seed "
                f"{row['seed']}; were they recorded with other versions of its packages?"
            )
    return {
        "observations": nested(spaces[0], observations),
        "actions": nested(spaces[1], actions),
        "rewards": rewards,
        "terminations": terminations,
        "truncations": truncations,
    }
