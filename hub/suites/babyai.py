# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""BabyAI (Chevalier-Boisvert et al., ICLR 2019): instructions in a grid world, by way of minigrid.

The agent sees what minigrid's agent sees, as a small picture: of the 7 x 7 cells before it the object, colour and
state, each divided by its largest value, are the red, green and blue of 4 x 4 pixels. 28 x 28 pixels are four patches,
so that a step costs seven tokens where the 147 numbers of the grid would cost 150.
"""

from __future__ import annotations

import contextlib
import io
import signal
import string
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .task import ExpertFailed, Policy, ReferenceScore, Task

if TYPE_CHECKING:
    import gymnasium

PIXELS_PER_CELL = 4
# The largest object, colour and door state that minigrid gives to a cell of the agent's view.
LARGEST_CELL_VALUES = np.array([10, 5, 2])
LONGEST_MISSION = 512

# Processor time that one plan may take. Plans take a few milliseconds; in rare layouts the bot plans for ever.
PLANNING_SECONDS = 0.1

# The reference scores are those of the last 1000 evaluation seeds.
_REFERENCE = partial(ReferenceScore, episodes=1000, first_seed=2**31 - 1000)


@dataclass(frozen=True)
class Level:
    """A level by its name among our tasks: the environment, and what random actions and the bot reach in it."""

    name: str
    environment: str
    random_score: ReferenceScore
    expert_score: ReferenceScore


LEVELS = (
    Level(
        "go-to-red-ball-grey",
        "BabyAI-GoToRedBallGrey-v0",
        random_score=_REFERENCE(mean_return=0.1287, success_rate=0.218),
        expert_score=_REFERENCE(mean_return=0.9155, success_rate=1.0),
    ),
    Level(
        "go-to-local",
        "BabyAI-GoToLocal-v0",
        random_score=_REFERENCE(mean_return=0.1747, success_rate=0.282),
        expert_score=_REFERENCE(mean_return=0.9242, success_rate=1.0),
    ),
)


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
    """Lets the bot look at the view that the last step has just computed, a fifth of the time of an episode."""
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


def make_environment(level: str, render_mode: str | None = None) -> gymnasium.Env:
    """The level as an environment whose observations are `mission` (text), `image` (28, 28, 3) and `direction`.

    `info["success"]` of a step says whether the mission is accomplished.
    """
    import gymnasium
    import minigrid  # noqa: F401  (registers the levels)

    class BabyAIView(gymnasium.Wrapper):
        """Shows the agent's view as a picture, and success in `info`."""

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

        def reset(self, **kwargs):
            # The level generator prints each layout that it rejects.
            with contextlib.redirect_stdout(io.StringIO()):
                observation, info = self.env.reset(**kwargs)
            return self._show(observation), info

        def step(self, action):
            observation, reward, terminated, truncated, info = self.env.step(action)
            # A level gives its one reward, above zero, when the mission is accomplished.
            return self._show(observation), reward, terminated, truncated, {**info, "success": reward > 0}

        @staticmethod
        def _show(observation: dict) -> dict:
            return {
                "direction": int(observation["direction"]),
                "image": draw_view(observation["image"]),
                "mission": observation["mission"],
            }

    environment = gymnasium.make(level, render_mode=render_mode, disable_env_checker=True)
    _remember_view(environment.unwrapped)
    return BabyAIView(environment)


@contextlib.contextmanager
def _limited_processor_time(seconds: float) -> Iterator[None]:
    """Raises ExpertFailed in a block that takes longer. Only the main thread can have an alarm: elsewhere no limit."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(signal_number, frame):
        raise ExpertFailed(f"the bot planned for over {seconds} s of processor time")

    previous_handler = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous_handler)


def make_expert(environment: gymnasium.Env) -> Policy:
    """minigrid's BabyAIBot for the episode that `environment` has just begun. It reads the environment's state."""
    from minigrid.utils.baby_ai_bot import BabyAIBot

    def plan(make_plan):
        try:
            with _limited_processor_time(PLANNING_SECONDS):
                return make_plan()
        except (AssertionError, TypeError) as error:  # how the bot fails in layouts that it can't solve
            raise ExpertFailed(f"the bot failed with {type(error).__name__}: {error}") from error

    bot = plan(lambda: BabyAIBot(environment.unwrapped))
    return lambda observation: int(plan(bot.replan))


TASKS = tuple(
    Task(
        id=f"babyai/{level.name}",
        extra="babyai",
        packages=("gymnasium", "minigrid"),
        make_environment=partial(make_environment, level.environment),
        make_expert=make_expert,
        expert="BabyAIBot",
        score="success",
        random_score=level.random_score,
        expert_score=level.expert_score,
    )
    for level in LEVELS
)
