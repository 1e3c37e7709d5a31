# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Gymnasium's MuJoCo tasks, version 5 (Brockman et al., 2016; Todorov et al., 2012): bodies as state vectors.

The agent sees the name of the task and the state that gymnasium shows. The experts of the pendulums are linear
quadratic regulators of the linearized simulation; that of the arm is inverse kinematics. The experts of the swimmer,
the hopper and the half-cheetah are matrices trained by augmented random search (`train_linear_policy`), stored in
`linear_policies`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .environments.instruction import with_instruction
from .experts.linear_policy import linearize, make_trained_expert, mujoco_transition, solve_regulator
from .experts.two_link_arm import reach_angles
from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium


def make_environment(name: str, render_mode: str | None = None) -> gymnasium.Env:
    """Makes the environment of gymnasium, with its own limit of steps. Rendering needs OpenGL."""
    import gymnasium

    # Gymnasium's default camera stays behind when a body runs off. Bodies that stay in place have no camera "track".
    return gymnasium.make(name, render_mode=render_mode, camera_name="track", disable_env_checker=True)


@cache
def _pendulum_gains(name: str) -> np.ndarray:
    """Returns the gains, (controls, positions + velocities), that hold a pendulum upright at position 0."""
    environment: Any = make_environment(name).unwrapped
    model = environment.model
    upright, no_control = np.zeros(2 * model.nq), np.zeros(model.nu)
    by_state, by_control = linearize(mujoco_transition(model, environment.frame_skip), upright, no_control)
    environment.close()
    # A state is the position of the cart, those of the poles, then the velocities in the same order.
    state_cost = np.concatenate([[1.0], np.full(model.nq - 1, 10.0), np.full(model.nq, 0.1)])
    gains, _ = solve_regulator(by_state, by_control, state_cost, np.full(model.nu, 0.1))
    return gains


def make_pendulum_expert(environment: gymnasium.Env) -> Policy:
    """Returns a linear quadratic regulator. It reads positions and velocities from the simulation."""
    assert environment.spec is not None  # gymnasium made it
    gains = _pendulum_gains(environment.spec.id)
    space: Any = environment.action_space
    world: Any = environment.unwrapped
    data = world.data

    def policy(observation: np.ndarray) -> np.ndarray:
        control = -gains @ np.concatenate([data.qpos, data.qvel])
        return np.clip(control, space.low, space.high).astype(np.float32)

    return policy


def make_reacher_expert(environment: gymnasium.Env) -> Policy:
    """Returns a controller that turns both joints to the angles that put the fingertip on the target."""

    def policy(observation: np.ndarray) -> np.ndarray:
        angles, target, velocities = np.arctan2(observation[2:4], observation[:2]), observation[4:6], observation[6:8]
        targets = reach_angles(target, first_link=0.1, second_link=0.11, angles=angles)
        return np.clip(0.3 * (targets - angles) - 0.05 * velocities, -1, 1).astype(np.float32)

    return policy


@dataclass(frozen=True)
class Body:
    """A task of this suite.

    Attributes:
        name: Name of the task.
        environment: Id of its environment in gymnasium.
        expert: Name of the expert.
        make_expert: Makes the expert; None for the trained policy.
        horizon: The most steps of an episode.
    """

    name: str
    environment: str
    expert: str = "linear policy trained by augmented random search"
    make_expert: Callable[[gymnasium.Env], Policy] | None = None
    horizon: int = 1000


BODIES = (
    Body("inverted-pendulum", "InvertedPendulum-v5", "linear quadratic regulator", make_pendulum_expert),
    Body("inverted-double-pendulum", "InvertedDoublePendulum-v5", "linear quadratic regulator", make_pendulum_expert),
    Body("reacher", "Reacher-v5", "inverse kinematics", make_reacher_expert, horizon=50),
    Body("swimmer", "Swimmer-v5"),
    Body("hopper", "Hopper-v5"),
    Body("half-cheetah", "HalfCheetah-v5"),
)

TASKS = tuple(
    with_instruction(
        Task(
            id=f"mujoco/{body.name}",
            extra="mujoco",
            packages=("gymnasium", "mujoco"),
            make_environment=partial(make_environment, body.environment),
            make_expert=body.make_expert or partial(make_trained_expert, f"mujoco/{body.name}"),
            expert=body.expert,
            score="return",
            horizon=body.horizon,
        )
    )
    for body in BODIES
)
