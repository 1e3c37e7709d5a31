# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Sokoban: its rules, levels drawn at random, and the environment.

This module imports gymnasium, so import it only inside functions that make an environment.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np

UP, DOWN, LEFT, RIGHT = range(4)

PIXELS_PER_CELL = 4
RENDERED_PIXELS_PER_CELL = 32

# Rewards of gym-sokoban (Schrader, 2018).
STEP_REWARD = -0.1
BOX_ON_TARGET_REWARD = 1.0
SOLVED_REWARD = 10.0

WALL_COLOR = (60, 60, 60)
FLOOR_COLOR = (220, 210, 180)
TARGET_COLOR = (230, 60, 60)
BOX_COLOR = (140, 80, 20)
BOX_ON_TARGET_COLOR = (250, 190, 0)
PLAYER_COLOR = (30, 90, 230)
PLAYER_ON_TARGET_COLOR = (170, 60, 230)

# How a level is drawn at random: the share of inner walls, the least share of the room that must be connected, and the
# least and the most pulls for each box. More pulls hardly make solutions longer.
INNER_WALLS = 0.2
LEAST_FLOOR = 0.5
PULLS_PER_BOX = (20, 40)
MOST_ROOMS = 1000


@dataclass(frozen=True)
class Level:
    """A position of the game. Cells are numbered from 0, row by row. Walls surround the floor, so no step wraps.

    Attributes:
        rows, columns: Size of the level, walls included.
        floor: The cells that are not walls.
        targets: The floor cells where the boxes belong, as many as there are boxes.
        boxes: The cells of the boxes.
        player: The player's cell.
    """

    rows: int
    columns: int
    floor: frozenset[int]
    targets: frozenset[int]
    boxes: frozenset[int]
    player: int

    @property
    def directions(self) -> tuple[int, int, int, int]:
        """How much a step up, down, left and right changes the number of a cell."""
        return -self.columns, self.columns, -1, 1

    @property
    def solved(self) -> bool:
        """Whether every box is on a target."""
        return self.boxes == self.targets

    def after(self, action: int) -> Level:
        """Returns the position after a step. The player can push one box; if something blocks it, nothing moves."""
        direction = self.directions[action]
        cell = self.player + direction
        if cell in self.boxes and cell + direction in self.floor and cell + direction not in self.boxes:
            return replace(self, player=cell, boxes=self.boxes - {cell} | {cell + direction})
        if cell in self.floor and cell not in self.boxes:
            return replace(self, player=cell)
        return self

    def walks(self) -> dict[int, int]:
        """Returns the least number of steps to each cell that the player can reach without a push."""
        floor, boxes, directions = self.floor, self.boxes, self.directions
        steps = {self.player: 0}
        queue = deque(steps)
        while queue:
            cell = queue.popleft()
            for direction in directions:
                neighbor = cell + direction
                if neighbor in floor and neighbor not in steps and neighbor not in boxes:
                    steps[neighbor] = steps[cell] + 1
                    queue.append(neighbor)
        return steps

    def draw(self, pixels_per_cell: int) -> np.ndarray:
        """Draws the level as a picture, (rows * pixels_per_cell, columns * pixels_per_cell, 3) uint8."""
        colors = np.full((self.rows * self.columns, 3), WALL_COLOR, np.uint8)
        colors[list(self.floor)] = FLOOR_COLOR
        colors[list(self.targets)] = TARGET_COLOR
        picture = colors.reshape(self.rows, self.columns, 3)
        picture = picture.repeat(pixels_per_cell, axis=0).repeat(pixels_per_cell, axis=1)
        margin = pixels_per_cell // 8  # in a large picture the ground is visible around each thing
        things = [(box, BOX_COLOR, BOX_ON_TARGET_COLOR) for box in self.boxes]
        things.append((self.player, PLAYER_COLOR, PLAYER_ON_TARGET_COLOR))
        for cell, color, color_on_target in things:
            top, left = (number * pixels_per_cell + margin for number in divmod(cell, self.columns))
            side = pixels_per_cell - 2 * margin
            picture[top : top + side, left : left + side] = color_on_target if cell in self.targets else color
        return picture


def generate_level(size: int, boxes: int, random: np.random.Generator) -> Level:
    """Draws a level of `size` x `size` cells, walls included, that can be solved. No box starts on a target.

    The boxes begin on the targets and are pulled away. The same moves in reverse, as pushes, solve the level.

    Raises:
        ValueError: The size or the number of boxes is too small, or no such level was found.
    """
    if size < 5 or boxes < 1:
        raise ValueError(f"A level has at least 5 x 5 cells and one box, not {size} x {size} and {boxes}")
    for _ in range(MOST_ROOMS):
        floor = _draw_floor(size, random)
        if len(floor) > max(boxes, LEAST_FLOOR * (size - 2) ** 2):
            player, *targets = random.choice(sorted(floor), boxes + 1, replace=False).tolist()
            solved = Level(size, size, floor, frozenset(targets), frozenset(targets), player)
            level = _pull_boxes(solved, random)
            if not level.boxes & level.targets:
                return level
    raise ValueError(f"Found no level of {size} x {size} cells with {boxes} boxes")


def _draw_floor(size: int, random: np.random.Generator) -> frozenset[int]:
    """Draws a square room with random inner walls and returns its largest connected part."""
    free = np.zeros((size, size), bool)
    free[1:-1, 1:-1] = random.random((size - 2, size - 2)) >= INNER_WALLS
    unseen = frozenset(np.flatnonzero(free).tolist())
    largest: frozenset[int] = frozenset()
    while unseen:
        part = frozenset(Level(size, size, unseen, frozenset(), frozenset(), min(unseen)).walks())
        unseen -= part
        largest = max(largest, part, key=len)
    return largest


def _pull_boxes(level: Level, random: np.random.Generator) -> Level:
    """Returns the level after random pulls, with the player on a random cell that it can walk to.

    The number of pulls is drawn too; there are fewer if no box can be pulled any further.
    """
    least, most = (pulls * len(level.boxes) for pulls in PULLS_PER_BOX)
    for _ in range(random.integers(least, most)):
        walks = level.walks()
        pulls = [
            (box, direction)
            for box in sorted(level.boxes)
            for direction in level.directions
            if box + direction in walks and box + 2 * direction in walks
        ]
        if not pulls:
            break
        box, direction = pulls[random.integers(len(pulls))]
        level = replace(level, player=box + 2 * direction, boxes=level.boxes - {box} | {box + direction})
    return replace(level, player=int(random.choice(sorted(level.walks()))))


class SokobanEnvironment(gymnasium.Env):
    """Sokoban as a gymnasium environment. The seed of a reset decides the level.

    Observations are pictures of the whole level. Actions are 0 up, 1 down, 2 left, 3 right. Every step costs 0.1.
    Pushing a box onto a target gives 1, and pushing one off takes 1. Solving the level gives 10 more and ends the
    episode, which is otherwise truncated after `horizon` steps.

    Attributes:
        level: The current position. After a reset, another level of the same size may be put here.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}

    def __init__(self, size: int, boxes: int, horizon: int, render_mode: str | None = None) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be None or 'rgb_array', not {render_mode!r}")
        self.size, self.boxes, self.horizon, self.render_mode = size, boxes, horizon, render_mode
        side = size * PIXELS_PER_CELL
        self.observation_space = gymnasium.spaces.Box(0, 255, (side, side, 3), np.uint8)
        self.action_space = gymnasium.spaces.Discrete(4)
        self.level: Level | None = None
        self.step_count = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.level = generate_level(self.size, self.boxes, self.np_random)
        self.step_count = 0
        return self.level.draw(PIXELS_PER_CELL), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise ValueError(f"An action is 0, 1, 2 or 3, not {action!r}")
        before = self._current_level()
        self.level = level = before.after(int(action))
        self.step_count += 1
        newly_on_target = len(level.boxes & level.targets) - len(before.boxes & before.targets)
        reward = STEP_REWARD + BOX_ON_TARGET_REWARD * newly_on_target + SOLVED_REWARD * level.solved
        truncated = self.step_count >= self.horizon
        return level.draw(PIXELS_PER_CELL), reward, level.solved, truncated, {"success": level.solved}

    def render(self) -> np.ndarray | None:
        return self._current_level().draw(RENDERED_PIXELS_PER_CELL) if self.render_mode else None

    def _current_level(self) -> Level:
        if self.level is None:
            raise gymnasium.error.ResetNeeded("The environment must be reset before the first step")
        return self.level
