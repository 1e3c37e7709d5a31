# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The view of the agent in the grid worlds of minigrid, shared by the suites that run on it.

The agent sees the same 7 x 7 cells as minigrid's own agent, drawn as a small picture. Each cell is 4 x 4 pixels; its
object, color and state, each divided by its largest value, are their red, green and blue. The picture has 28 x 28
pixels, which are four patches, so a step costs 7 tokens. The 147 numbers of the grid would cost 150.
"""

from __future__ import annotations

import contextlib
import io
import re
import string
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

if TYPE_CHECKING:
    import gymnasium

PIXELS_PER_CELL = 4
# The largest object, color and door state that minigrid gives a cell of the agent's view.
LARGEST_CELL_VALUES = np.array([10, 5, 2])
LONGEST_MISSION = 512
MAX_AGENT_PLACES = 1000


def level_name(environment_id: str) -> str:
    """Returns our name of a level, given its id in gymnasium.

    Words are joined by hyphens, and settings such as S8N7 are one word. BabyAI-GoToLocalS8N7-v0 becomes
    go-to-local-s8n7, and MiniGrid-Empty-Random-5x5-v0 becomes empty-random-5x5.

    Raises:
        ValueError: The id is not one of a level of BabyAI or MiniGrid.
    """
    level = re.fullmatch(r"(?:BabyAI|MiniGrid)-(.+)-v\d+", environment_id)
    if level is None:
        raise ValueError(f"{environment_id!r} is not the id of a level: BabyAI-...-v0 or MiniGrid-...-v0")
    words = re.findall(r"(?:[A-Z]\d+)+|\d*[A-Z][a-z]*\d*|\d+x\d+", level[1])
    return "-".join(words).lower()


def draw_view(grid: np.ndarray) -> np.ndarray:
    """Draws a view of cells as a picture.

    Args:
        grid: (columns, rows, 3) integers: object, color and state of each cell, as minigrid encodes them.

    Returns:
        A picture, (rows * 4, columns * 4, 3) uint8.

    Raises:
        ValueError: The grid has another shape, or a cell holds a value above the largest one, (10, 5, 2).
    """
    if grid.ndim != 3 or grid.shape[-1] != 3:
        raise ValueError(f"grid must be of shape (columns, rows, 3), not {grid.shape}")
    if (grid > LARGEST_CELL_VALUES).any():
        raise ValueError(f"grid holds {grid.max(axis=(0, 1))}, the largest values are {LARGEST_CELL_VALUES}")
    colors = np.round(grid * (255 / LARGEST_CELL_VALUES)).astype(np.uint8)
    rows_first = colors.transpose(1, 0, 2)
    return rows_first.repeat(PIXELS_PER_CELL, axis=0).repeat(PIXELS_PER_CELL, axis=1)


def _remember_view(environment: Any) -> None:
    """Keeps the view that a step computed, so that the expert need not compute it again.

    Computing it takes a fifth of the time of an episode.
    """
    compute = environment.gen_obs_grid
    remembered_grid, remembered_step, view = None, None, None

    def gen_obs_grid(agent_view_size: int | None = None) -> Any:
        nonlocal remembered_grid, remembered_step, view
        if agent_view_size is not None:
            return compute(agent_view_size)
        # A reset makes a new grid, and only a step changes what is seen of it.
        if environment.grid is not remembered_grid or environment.step_count != remembered_step:
            view = compute()
            remembered_grid, remembered_step = environment.grid, environment.step_count
        return view

    environment.gen_obs_grid = gen_obs_grid


def _end_layouts_without_a_place(environment: Any) -> None:
    """Makes the level generator draw a new layout instead of searching forever for a place for the agent.

    The agent needs a free cell with nothing in front of it. A small room can be too full to have one: this happens in
    two of three thousand layouts of babyai/synth-s5r2. The generator itself raises RecursionError if a layout fails.
    """
    place, tries = environment.place_obj, 0

    def place_obj(obj: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal tries
        tries = tries + 1 if obj is None else 0  # None stands for the agent
        if tries > MAX_AGENT_PLACES:
            tries = 0
            raise RecursionError("there is no place for the agent")
        return place(obj, *args, **kwargs)

    environment.place_obj = place_obj


def make_environment(environment_id: str, render_mode: str | None = None) -> gymnasium.Env:
    """Makes the environment of a level.

    Its observations have the keys `mission`, a text; `image`, (28, 28, 3) uint8; and `direction`, from 0 to 3.
    `info["success"]` of a step says whether the mission is accomplished. The attribute `last_action` is the action of
    the last step, None after a reset.
    """
    import gymnasium
    import minigrid  # noqa: F401  (registers the levels)

    class GridView(gymnasium.Wrapper):
        """Draws the agent's view as a picture, puts success into `info`, and remembers the last action."""

        def __init__(self, environment: gymnasium.Env):
            super().__init__(environment)
            space: Any = environment.observation_space
            columns, rows, channels = space["image"].shape
            self.observation_space = gymnasium.spaces.Dict(
                {
                    "direction": gymnasium.spaces.Discrete(4),
                    "image": gymnasium.spaces.Box(
                        0, 255, (rows * PIXELS_PER_CELL, columns * PIXELS_PER_CELL, channels), np.uint8
                    ),
                    "mission": gymnasium.spaces.Text(LONGEST_MISSION, charset=string.ascii_lowercase + " ,"),
                }
            )
            self.last_action: int | None = None

        def reset(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            self.last_action = None
            # The level generator prints each layout that it rejects.
            with contextlib.redirect_stdout(io.StringIO()):
                observation, info = self.env.reset(**kwargs)
            return self._show(observation), info

        def step(self, action: int) -> tuple[dict[str, Any], SupportsFloat, bool, bool, dict[str, Any]]:
            self.last_action = int(action)
            observation, reward, terminated, truncated, info = self.env.step(action)
            # The only reward above zero comes when the mission is accomplished.
            return self._show(observation), reward, terminated, truncated, {**info, "success": float(reward) > 0}

        @staticmethod
        def _show(observation: dict[str, Any]) -> dict[str, Any]:
            return {
                "direction": int(observation["direction"]),
                "image": draw_view(observation["image"]),
                "mission": observation["mission"],
            }

    environment = gymnasium.make(environment_id, render_mode=render_mode, disable_env_checker=True)
    _remember_view(environment.unwrapped)
    _end_layouts_without_a_place(environment.unwrapped)
    return GridView(environment)
