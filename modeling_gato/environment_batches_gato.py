# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Observations and spaces of vector environments, taken apart into those of single environments."""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def split_batch(observations: Any, num_envs: int) -> list:
    """
    A vector environment's observations, one an environment.

    Args:
        observations: arrays with a leading `num_envs`, a tuple of `num_envs` texts, mappings and tuples of those.
    """
    if isinstance(observations, Mapping):
        columns = {key: split_batch(value, num_envs) for key, value in observations.items()}
        return [{key: column[index] for key, column in columns.items()} for index in range(num_envs)]
    is_texts = isinstance(observations, (tuple, list)) and all(isinstance(item, str) for item in observations)
    if isinstance(observations, tuple) and not is_texts:
        return list(zip(*(split_batch(value, num_envs) for value in observations), strict=True))
    if np.ndim(observations) == 0 or len(observations) != num_envs:
        shape = np.shape(observations)
        raise ValueError(f"`observations` must lead with {num_envs} environments, got one of shape {shape}")
    return list(observations)


def leading_sizes(observations: Any) -> set[int]:
    """The sizes that the leading axes of batched observations would have; more than one where they differ."""
    if isinstance(observations, Mapping):
        return set().union(*map(leading_sizes, observations.values()))
    is_texts = isinstance(observations, (tuple, list)) and all(isinstance(item, str) for item in observations)
    if isinstance(observations, tuple) and not is_texts:
        return set().union(*map(leading_sizes, observations))
    return {len(observations)} if np.ndim(observations) > 0 else {0}


def unbatch_space(space: Any) -> tuple[Any, int] | None:
    """The space of one environment and their number, if `space` is one that gymnasium could have batched."""
    # An import statement would make gymnasium a requirement of each checkpoint that carries its code.
    spaces = importlib.import_module("gymnasium.spaces")
    batch_space = importlib.import_module("gymnasium.vector.utils").batch_space

    single, num_envs = None, 0
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1 and space.nvec.size:
        num_envs = len(space.nvec)
        single = spaces.Discrete(int(space.nvec[0]), start=int(space.start[0]), dtype=space.dtype)
    elif isinstance(space, spaces.Box) and space.shape and space.shape[0]:
        num_envs = len(space.low)
        single = spaces.Box(space.low[0], space.high[0], dtype=space.dtype)
    elif isinstance(space, (spaces.Dict, spaces.Tuple)):
        is_dict = isinstance(space, spaces.Dict)
        parts = {key: unbatch_space(part) for key, part in (space.items() if is_dict else enumerate(space))}
        sizes = {part[1] for part in parts.values() if part is not None}
        if len(sizes) == 1 and None not in parts.values():
            num_envs = sizes.pop()
            singles = {key: part[0] for key, part in parts.items()}
            single = spaces.Dict(singles) if is_dict else spaces.Tuple(singles.values())
    return (single, num_envs) if single is not None and batch_space(single, num_envs) == space else None


__all__ = ["leading_sizes", "split_batch", "unbatch_space"]
