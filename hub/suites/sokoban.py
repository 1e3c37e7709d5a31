# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Sokoban (Imabayashi, 1982): push every box onto a target. The environment is our own; the seed decides the level.

The agent sees the whole level as a small picture, 4 x 4 pixels a cell, with a color for each kind of cell. It moves
up, down, left or right. The rewards are those of gym-sokoban (Schrader, 2018). The expert is a weighted A* search,
whose solutions are about 5 % longer than the shortest. In a position off its plan it searches again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium
    import numpy as np

HORIZON = 120

# With three boxes, this search is at least five times as fast as one for a shortest solution.
SEARCH_WEIGHT = 2.5

SIZES_AND_BOXES = ((7, 1), (7, 2), (8, 2), (8, 3), (10, 4))


def make_environment(size: int, boxes: int, render_mode: str | None = None) -> gymnasium.Env:
    """Makes an environment with levels of `size` x `size` cells.

    Observations are pictures, (4 * size, 4 * size, 3) uint8. Actions are 0 up, 1 down, 2 left, 3 right.
    """
    from .environments.sokoban import SokobanEnvironment

    return SokobanEnvironment(size, boxes, HORIZON, render_mode)


def make_expert(environment: gymnasium.Env) -> Policy:
    """Returns a policy that takes the actions of a solution. It reads the environment's state."""
    from .experts.sokoban_solver import Solver

    world: Any = environment.unwrapped
    solver = Solver(world.level)
    plan: dict[tuple[int, frozenset[int]], int] = {}

    def policy(observation: np.ndarray) -> int:
        level = world.level
        position = level.player, level.boxes
        if position not in plan:
            for action in solver.solve(level, SEARCH_WEIGHT):
                plan[level.player, level.boxes] = action
                level = level.after(action)
        return plan[position]

    return policy


TASKS = tuple(
    Task(
        id=f"sokoban/{size}x{size}-{boxes}-box{'es' * (boxes > 1)}",
        extra="classic-control",
        packages=("gymnasium",),
        make_environment=partial(make_environment, size, boxes),
        make_expert=make_expert,
        expert="A* search",
        score="success",
        horizon=HORIZON,
        expert_seconds=10.0,
    )
    for size, boxes in SIZES_AND_BOXES
)
