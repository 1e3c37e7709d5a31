# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Lunar Lander on Box2D (Brockman et al., 2016), with discrete and with continuous engines, by way of gymnasium.

The agent sees the name of the task and the state that gymnasium shows: position, velocity, tilt, angular velocity, and
which legs touch the ground. The expert is proportional and derivative control of that state. Its gains were found by
random search.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .environments.instruction import with_instruction
from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium

NO_ENGINE, LEFT_ENGINE, MAIN_ENGINE, RIGHT_ENGINE = 0, 1, 2, 3
HORIZON = 1000


@dataclass(frozen=True)
class Gains:
    """The gains of the controller, which has a target tilt and a target height.

    Attributes:
        tilt_by_position, tilt_by_velocity: Target tilt toward the pad, per horizontal position and velocity.
        largest_tilt: Largest target tilt, in radians.
        height_by_position: Target height per horizontal distance from the pad, so that the lander descends in a cone.
        turn_by_tilt, turn_by_velocity: Turn per missing tilt, and against the angular velocity.
        climb_by_height, climb_by_velocity: Climb per missing height, and against the vertical velocity.
        brake: Climb against the vertical velocity once a leg touches the ground.
        threshold: A discrete engine fires if the turn or the climb exceeds this.
        offset: Subtracted from the climb.
    """

    tilt_by_position: float
    tilt_by_velocity: float
    largest_tilt: float
    height_by_position: float
    turn_by_tilt: float
    turn_by_velocity: float
    climb_by_height: float
    climb_by_velocity: float
    brake: float
    threshold: float
    offset: float

    def steer(self, observation: np.ndarray) -> tuple[float, float]:
        """Returns how much to turn to the left and how much to climb."""
        x, height, x_velocity, climb_rate, tilt, angular_velocity, *legs_touch = map(float, observation)
        if any(legs_touch):
            return 0.0, -self.brake * climb_rate
        target_tilt = self.tilt_by_position * x + self.tilt_by_velocity * x_velocity
        target_tilt = min(max(target_tilt, -self.largest_tilt), self.largest_tilt)
        turn = self.turn_by_tilt * (target_tilt - tilt) - self.turn_by_velocity * angular_velocity
        missing_height = self.height_by_position * abs(x) - height
        return turn, self.climb_by_height * missing_height - self.climb_by_velocity * climb_rate - self.offset

    def choose_engine(self, observation: np.ndarray) -> int:
        """Returns the discrete engine for the larger of turn and climb."""
        turn, climb = self.steer(observation)
        if climb > max(abs(turn), self.threshold):
            return MAIN_ENGINE
        if abs(turn) > self.threshold:
            return LEFT_ENGINE if turn > 0 else RIGHT_ENGINE
        return NO_ENGINE

    def set_throttles(self, observation: np.ndarray) -> np.ndarray:
        """Returns the throttles of the main and the side engines, (2,) float32 from -1 to 1."""
        turn, climb = self.steer(observation)
        # The main engine is off below 0, the side engines between -0.5 and 0.5.
        return np.clip([20 * climb - 1, -20 * turn], -1, 1).astype(np.float32)


DISCRETE_GAINS = Gains(
    tilt_by_position=0.69,
    tilt_by_velocity=0.72,
    largest_tilt=0.21,
    height_by_position=0.63,
    turn_by_tilt=0.51,
    turn_by_velocity=0.72,
    climb_by_height=0.38,
    climb_by_velocity=0.5,
    brake=0.46,
    threshold=0.03,
    offset=0.05,
)
CONTINUOUS_GAINS = Gains(
    tilt_by_position=0.47,
    tilt_by_velocity=1.0,
    largest_tilt=0.55,
    height_by_position=0.73,
    turn_by_tilt=0.5,
    turn_by_velocity=1.0,
    climb_by_height=0.58,
    climb_by_velocity=0.53,
    brake=0.35,
    threshold=0.05,
    offset=0.0,
)


def make_environment(continuous: bool, render_mode: str | None = None) -> gymnasium.Env:
    """Makes gymnasium's Lunar Lander, with its own limit of steps."""
    import gymnasium

    return gymnasium.make("LunarLander-v3", continuous=continuous, render_mode=render_mode, disable_env_checker=True)


def make_expert(continuous: bool, environment: gymnasium.Env) -> Policy:
    """Returns the controller, which flies down a cone onto the pad."""
    return CONTINUOUS_GAINS.set_throttles if continuous else DISCRETE_GAINS.choose_engine


TASKS = tuple(
    with_instruction(
        Task(
            id=f"box2d/{name}",
            extra="box2d",
            packages=("gymnasium", "box2d"),
            make_environment=partial(make_environment, continuous),
            make_expert=partial(make_expert, continuous),
            expert="proportional and derivative control",
            score="return",
            horizon=HORIZON,
        )
    )
    for name, continuous in (("lunar-lander", False), ("lunar-lander-continuous", True))
)
