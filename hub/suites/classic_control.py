# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Classic control (Barto et al., 1983; Moore, 1990; Sutton, 1996): small mechanical systems, by way of gymnasium.

The agent sees the name of the task and the state that gymnasium shows, two to six numbers. The experts are formulas of
that state: linear feedback, energy pumping, one step of look-ahead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .environments.instruction import with_instruction
from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium

PUSH_LEFT, NO_PUSH, PUSH_RIGHT = 0, 1, 2


def make_environment(name: str, render_mode: str | None = None) -> gymnasium.Env:
    """Makes the environment of gymnasium, with its own limit of steps."""
    import gymnasium

    return gymnasium.make(name, render_mode=render_mode, disable_env_checker=True)


def balance_cart_pole(observation: np.ndarray) -> int:
    """Pushes to the side that the sign of a stabilizing linear feedback gives."""
    position, velocity, angle, angular_velocity = observation
    return int(0.05 * position + 0.15 * velocity + angle + 0.25 * angular_velocity > 0)


def swing_acrobot(observation: np.ndarray) -> int:
    """Pumps energy into the first link by bending the second one against its swing."""
    velocity_of_first_link = observation[4]
    return PUSH_LEFT if velocity_of_first_link > 0 else PUSH_RIGHT


def drive_mountain_car(observation: np.ndarray) -> int:
    """Returns the push after which the car reaches the flag sooner, if it is then pushed along its velocity.

    Pushing along the velocity raises the energy in every step. One step of look-ahead improves on it.
    """
    position, velocity = map(float, observation)
    steps = {push: _steps_to_flag(*_move_car(position, velocity, push)) for push in (PUSH_LEFT, PUSH_RIGHT)}
    return min(steps, key=lambda push: (steps[push], -push))


def _move_car(position: float, velocity: float, push: int) -> tuple[float, float]:
    """Returns the position and velocity of the car one step later (Moore, 1990)."""
    velocity += 0.001 * (push - NO_PUSH) - 0.0025 * math.cos(3 * position)
    velocity = min(max(velocity, -0.07), 0.07)
    position = min(max(position + velocity, -1.2), 0.6)
    return position, max(velocity, 0.0) if position == -1.2 else velocity


def _steps_to_flag(position: float, velocity: float) -> int:
    """Returns the steps to the flag of a car that is pushed along its velocity, at most 200."""
    for steps in range(200):
        if position >= 0.5:
            return steps
        position, velocity = _move_car(position, velocity, PUSH_RIGHT if velocity >= 0 else PUSH_LEFT)
    return 200


def drive_mountain_car_continuous(observation: np.ndarray) -> np.ndarray:
    """Pushes along the velocity with 0.6 of the full force, because the reward falls with the square of the force."""
    return np.array([0.6 if observation[1] >= 0 else -0.6], dtype=np.float32)


def swing_up_pendulum(observation: np.ndarray) -> np.ndarray:
    """Brings the pendulum to the energy it has upright (Astrom and Furuta, 2000), then holds it there once near."""
    cosine, sine, velocity = map(float, observation)
    # The energy that belongs to the equation of motion, acceleration = 15 sin(angle) + 3 torque. It is zero at rest
    # upright.
    energy = 0.5 * velocity**2 + 15 * (cosine - 1)
    if cosine > 0.8 and abs(energy) < 4:
        torque = -10 * math.atan2(sine, cosine) - 3 * velocity
    elif abs(velocity) > 0.01:
        torque = -energy * velocity
    else:
        torque = -math.copysign(2, energy)
    return np.array([min(max(torque, -2.0), 2.0)], dtype=np.float32)


@dataclass(frozen=True)
class System:
    """A task of this suite.

    Attributes:
        name: Name of the task.
        environment: Id of its environment in gymnasium.
        act: The expert: returns the action for an observation.
        expert: Name of the expert.
        horizon: The most steps of an episode.
    """

    name: str
    environment: str
    act: Callable[[np.ndarray], int | np.ndarray]
    expert: str
    horizon: int

    def make_expert(self, environment: gymnasium.Env) -> Policy:
        """Returns the expert, which needs nothing of the environment."""
        return self.act


SYSTEMS = (
    System("cart-pole", "CartPole-v1", balance_cart_pole, "linear feedback", 500),
    System("acrobot", "Acrobot-v1", swing_acrobot, "energy pumping", 500),
    System("mountain-car", "MountainCar-v0", drive_mountain_car, "energy pumping with look-ahead", 200),
    System(
        "mountain-car-continuous",
        "MountainCarContinuous-v0",
        drive_mountain_car_continuous,
        "energy pumping",
        999,
    ),
    System("pendulum", "Pendulum-v1", swing_up_pendulum, "energy shaping and linear feedback", 200),
)

TASKS = tuple(
    with_instruction(
        Task(
            id=f"classic-control/{system.name}",
            extra="classic-control",
            packages=("gymnasium",),
            make_environment=partial(make_environment, system.environment),
            make_expert=system.make_expert,
            expert=system.expert,
            score="return",
            horizon=system.horizon,
        )
    )
    for system in SYSTEMS
)
