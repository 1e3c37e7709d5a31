# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What the agent sees in the grid worlds of minigrid, shared by the suites that run on it.

The agent sees what minigrid's agent sees, as a small picture: of the 7 x 7 cells before it the object, colour and
state, each divided by its largest value, are the red, green and blue of 4 x 4 pixels. 28 x 28 pixels are four patches,
so that a step costs seven tokens where the 147 numbers of the grid would cost 150.
"""

from __future__ import annotations

import contextlib
import io
import re
import string
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import gymnasium

PIXELS_PER_CELL = 4
# The largest object, colour and door state that minigrid gives to a cell of the agent's view.
LARGEST_CELL_VALUES = np.array([10, 5, 2])
LONGEST_MISSION = 512
MAX_AGENT_PLACES = 1000


def level_name(environment_id: str) -> str:
    """The name of a level among our tasks, from its id in gymnasium.

    A hyphen goes before each word. Settings as S8N7 are one word:
    BabyAI-GoToLocalS8N7-v0 -> go-to-local-s8n7, MiniGrid-Empty-Random-5x5-v0 -> empty-random-5x5.
    """
    level = re.fullmatch(r"(?:BabyAI|MiniGrid)-(.+)-v\d+", environment_id)
    if level is None:
        raise ValueError(f"{environment_id!r} is not the id of a level: BabyAI-...-v0 or MiniGrid-...-v0")
    words = re.findall(r"(?:[A-Z]\d+)+|\d*[A-Z][a-z]*\d*|\d+x\d+", level[1])
    return "-".join(words).lower()


def draw_view(grid: np.ndarray) -> np.ndarray:
    """Draws a view of cells as a picture.

    Args:
        grid: (columns, rows, 3) integers: object, colour and state of each cell, as minigrid gives them.

    Returns:
        (rows * 4, columns * 4, 3) uint8.

    Raises:
        ValueError: a cell holds a value over the largest one, (10, 5, 2).
    """
    if grid.ndim != 3 or grid.shape[-1] != 3:
        raise ValueError(f"grid must be of shape (columns, rows, 3), not {grid.shape}")
    if (grid > LARGEST_CELL_VALUES).any():
        raise ValueError(f"grid holds {grid.max(axis=(0, 1))}, the largest values are {LARGEST_CELL_VALUES}")
    colours = np.round(grid * (255 / LARGEST_CELL_VALUES)).astype(np.uint8)
    rows_first = colours.transpose(1, 0, 2)
    return rows_first.repeat(PIXELS_PER_CELL, axis=0).repeat(PIXELS_PER_CELL, axis=1)


def _remember_view(environment: gymnasium.Env) -> None:
    """Lets an expert look at the view that the last step has just computed, a fifth of the time of an episode."""
    compute = environment.gen_obs_grid
    remembered_grid, remembered_step, view = None, None, None

    def gen_obs_grid(agent_view_size: int | None = None):
        nonlocal remembered_grid, remembered_step, view
        if agent_view_size is not None:
            return compute(agent_view_size)
        # A reset makes a new grid, and only a step changes what is seen of it.
        if environment.grid is not remembered_grid or environment.step_count != remembered_step:
            view = compute()
            remembered_grid, remembered_step = environment.grid, environment.step_count
        return view

    environment.gen_obs_grid = gen_obs_grid


def _end_layouts_without_a_place(environment: gymnasium.Env) -> None:
    """Lets the level generator draw again where it would look for the agent's place for ever.

    It wants a free cell before which nothing stands, and a small room may be so full that there is none: two in
    three thousand layouts of babyai/synth-s5r2. RecursionError is how it says itself that a layout has failed.
    """
    place, tries = environment.place_obj, 0

    def place_obj(obj, *args, **kwargs):
        nonlocal tries
        tries = tries + 1 if obj is None else 0  # None stands for the agent
        if tries > MAX_AGENT_PLACES:
            tries = 0
            raise RecursionError("there is no place for the agent")
        return place(obj, *args, **kwargs)

    environment.place_obj = place_obj


def make_environment(environment_id: str, render_mode: str | None = None) -> gymnasium.Env:
    """The level as an environment whose observations are `mission` (text), `image` (28, 28, 3) and `direction`.

    `info["success"]` of a step says whether the mission is accomplished. The environment's `last_action` is the action
    of the last step, None after a reset.
    """
    import gymnasium
    import minigrid  # noqa: F401  (registers the levels)

    class GridView(gymnasium.Wrapper):
        """Shows the agent's view as a picture, and success in `info`; remembers the last action."""

        def __init__(self, environment: gymnasium.Env):
            super().__init__(environment)
            columns, rows, channels = environment.observation_space["image"].shape
            self.observation_space = gymnasium.spaces.Dict(
                {
                    "direction": gymnasium.spaces.Discrete(4),
                    "image": gymnasium.spaces.Box(
                        0, 255, (rows * PIXELS_PER_CELL, columns * PIXELS_PER_CELL, channels), np.uint8
                    ),
                    "mission": gymnasium.spaces.Text(LONGEST_MISSION, charset=string.ascii_lowercase + " ,"),
                }
            )
            self.last_action = None

        def reset(self, **kwargs):
            self.last_action = None
            # The level generator prints each layout that it rejects.
            with contextlib.redirect_stdout(io.StringIO()):
                observation, info = self.env.reset(**kwargs)
            return self._show(observation), info

        def step(self, action):
            self.last_action = int(action)
            observation, reward, terminated, truncated, info = self.env.step(action)
            # A level gives its one reward above zero when the mission is accomplished.
            return self._show(observation), reward, terminated, truncated, {**info, "success": reward > 0}

        @staticmethod
        def _show(observation: dict) -> dict:
            return {
                "direction": int(observation["direction"]),
                "image": draw_view(observation["image"]),
                "mission": observation["mission"],
            }

    environment = gymnasium.make(environment_id, render_mode=render_mode, disable_env_checker=True)
    _remember_view(environment.unwrapped)
    _end_layouts_without_a_place(environment.unwrapped)
    return GridView(environment)
