# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Sokoban: its rules, levels drawn at random, and the environment.

Imports gymnasium, so only what makes an environment imports this module.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import gymnasium
import numpy as np

UP, DOWN, LEFT, RIGHT = range(4)

PIXELS_PER_CELL = 4
RENDERED_PIXELS_PER_CELL = 32

# Rewards of gym-sokoban (Schrader, 2018).
STEP_REWARD = -0.1
BOX_ON_TARGET_REWARD = 1.0
SOLVED_REWARD = 10.0

WALL_COLOUR = (60, 60, 60)
FLOOR_COLOUR = (220, 210, 180)
TARGET_COLOUR = (230, 60, 60)
BOX_COLOUR = (140, 80, 20)
BOX_ON_TARGET_COLOUR = (250, 190, 0)
PLAYER_COLOUR = (30, 90, 230)
PLAYER_ON_TARGET_COLOUR = (170, 60, 230)

# How a level is drawn at random: the share of inner walls, the least share of the room that stays connected, the least
# and the most pulls for each box. More pulls make hardly longer solutions.
INNER_WALLS = 0.2
LEAST_FLOOR = 0.5
PULLS_PER_BOX = (20, 40)
MOST_ROOMS = 1000


@dataclass(frozen=True)
class Level:
    """A position of the game. Cells count from 0, row by row; walls are around the floor, so no step wraps.

    Attributes:
        rows, columns: of the whole picture, walls included.
        floor: the cells that are no wall.
        targets: the floor cells where the boxes are to go, as many as there are boxes.
        boxes: the cells of the boxes.
        player: the player's cell.
    """

    rows: int
    columns: int
    floor: frozenset[int]
    targets: frozenset[int]
    boxes: frozenset[int]
    player: int

    @property
    def directions(self) -> tuple[int, int, int, int]:
        """How far a step up, down, left and right goes in the count of cells."""
        return -self.columns, self.columns, -1, 1

    @property
    def solved(self) -> bool:
        return self.boxes == self.targets

    def after(self, action: int) -> Level:
        """The position after a step: the player pushes one box where the cell behind it is free, else stays."""
        direction = self.directions[action]
        cell = self.player + direction
        if cell in self.boxes and cell + direction in self.floor and cell + direction not in self.boxes:
            return replace(self, player=cell, boxes=self.boxes - {cell} | {cell + direction})
        if cell in self.floor and cell not in self.boxes:
            return replace(self, player=cell)
        return self

    def walks(self) -> dict[int, int]:
        """The least number of steps to each cell that the player reaches without a push."""
        floor, boxes, directions = self.floor, self.boxes, self.directions
        steps = {self.player: 0}
        queue = deque(steps)
        while queue:
            cell = queue.popleft()
            for direction in directions:
                neighbour = cell + direction
                if neighbour in floor and neighbour not in steps and neighbour not in boxes:
                    steps[neighbour] = steps[cell] + 1
                    queue.append(neighbour)
        return steps

    def draw(self, pixels_per_cell: int) -> np.ndarray:
        """(rows * pixels_per_cell, columns * pixels_per_cell, 3) uint8."""
        colours = np.full((self.rows * self.columns, 3), WALL_COLOUR, np.uint8)
        colours[list(self.floor)] = FLOOR_COLOUR
        colours[list(self.targets)] = TARGET_COLOUR
        picture = colours.reshape(self.rows, self.columns, 3)
        picture = picture.repeat(pixels_per_cell, axis=0).repeat(pixels_per_cell, axis=1)
        margin = pixels_per_cell // 8  # a large picture shows the ground around what stands on it
        things = [(box, BOX_COLOUR, BOX_ON_TARGET_COLOUR) for box in self.boxes]
        things.append((self.player, PLAYER_COLOUR, PLAYER_ON_TARGET_COLOUR))
        for cell, colour, colour_on_target in things:
            top, left = (number * pixels_per_cell + margin for number in divmod(cell, self.columns))
            side = pixels_per_cell - 2 * margin
            picture[top : top + side, left : left + side] = colour_on_target if cell in self.targets else colour
        return picture


def generate_level(size: int, boxes: int, random: np.random.Generator) -> Level:
    """Draws a level of `size` x `size` cells, walls included, that can be solved. No box starts on a target.

    The boxes begin on the targets and are pulled away: the same pulls, as pushes in reverse, solve the level.

    Raises:
        ValueError: no level of that size with so many boxes was found.
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
    """The largest connected part of a square room with walls strewn in it."""
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
    """The level after random pulls, as many as are drawn or possible, with the player anywhere that it can walk."""
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
    """A level drawn by the seed at each reset. Pictures of the whole level; actions 0 up, 1 down, 2 left, 3 right.

    The reward of a step is -0.1, +1 where it pushes a box onto a target, -1 where it pushes one off, +10 where it
    solves the level, which ends the episode. After `horizon` steps the episode is cut.

    Attributes:
        level: the present position. A level of the same size can be put there after a reset.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}

    def __init__(self, size: int, boxes: int, horizon: int, render_mode: str | None = None):
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be None or 'rgb_array', not {render_mode!r}")
        self.size, self.boxes, self.horizon, self.render_mode = size, boxes, horizon, render_mode
        side = size * PIXELS_PER_CELL
        self.observation_space = gymnasium.spaces.Box(0, 255, (side, side, 3), np.uint8)
        self.action_space = gymnasium.spaces.Discrete(4)
        self.level: Level | None = None
        self.step_count = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.level = generate_level(self.size, self.boxes, self.np_random)
        self.step_count = 0
        return self.level.draw(PIXELS_PER_CELL), {}

    def step(self, action: int):
        if not self.action_space.contains(action):
            raise ValueError(f"An action is 0, 1, 2 or 3, not {action!r}")
        before = self._present_level()
        self.level = level = before.after(int(action))
        self.step_count += 1
        newly_on_target = len(level.boxes & level.targets) - len(before.boxes & before.targets)
        reward = STEP_REWARD + BOX_ON_TARGET_REWARD * newly_on_target + SOLVED_REWARD * level.solved
        truncated = self.step_count >= self.horizon
        return level.draw(PIXELS_PER_CELL), reward, level.solved, truncated, {"success": level.solved}

    def render(self) -> np.ndarray | None:
        return self._present_level().draw(RENDERED_PIXELS_PER_CELL) if self.render_mode else None

    def _present_level(self) -> Level:
        if self.level is None:
            raise gymnasium.error.ResetNeeded("The environment must be reset before the first step")
        return self.level
