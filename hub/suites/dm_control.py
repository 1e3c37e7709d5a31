# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The DeepMind Control Suite (Tassa et al., 2018): articulated bodies as state vectors, by way of dm_control.

The agent sees the name of the task and one vector: the entries of the task's own observation in their order. The
joint angles of the reacher are shown as cosines and sines, as the suite itself shows those of its pendulums. An
episode has 1000 steps, each with a reward between 0 and 1. The experts are formulas of that vector, or matrices
trained by augmented random search (`train_linear_policy`), stored in `linear_policies`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .environments.instruction import with_instruction
from .experts.linear_policy import linearize, make_trained_expert, mujoco_transition, solve_regulator
from .experts.two_link_arm import reach_angles
from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium


def make_environment(domain: str, task: str, render_mode: str | None = None) -> gymnasium.Env:
    """Makes the environment of a task. Rendering, `rgb_array` (240, 320, 3), needs OpenGL.

    Raises:
        ValueError: The render mode is another one.
    """
    from .environments.control_suite import ControlSuiteEnvironment

    return ControlSuiteEnvironment(domain, task, render_mode)


@cache
def _upright_regulator(
    domain: str, task: str, state_cost: tuple[float, ...], control_cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns gains (n,) and cost matrix (n, n) of a regulator that holds a pole upright.

    The state (n,) is the positions, then the velocities; all are zero upright.
    """
    environment: Any = make_environment(domain, task)
    transition = mujoco_transition(environment.physics.model.ptr, simulation_steps=1)
    by_state, by_control = linearize(transition, np.zeros(len(state_cost)), np.zeros(1))
    gains, cost = solve_regulator(by_state, by_control, np.array(state_cost), np.array([control_cost]))
    environment.close()
    return gains[0], cost


def make_cart_pole_expert(environment: gymnasium.Env) -> Policy:
    """Returns a policy that pumps energy into the pole (Astrom and Furuta, 2000) and regulates it near upright."""
    gains, cost = _upright_regulator("cartpole", "balance", state_cost=(1, 20, 0.15, 0.1), control_cost=0.27)

    def policy(observation: np.ndarray) -> np.ndarray:
        position, cosine, sine, velocity, angular_velocity = map(float, observation)
        state = np.array([position, math.atan2(sine, cosine), velocity, angular_velocity])
        if state @ cost @ state < 300:  # from here the regulator succeeds, although the force has limits
            control = -gains @ state
        else:
            # Energy divided by the mass, zero at rest upright. The center is at 0.5 m, the inertia 0.342 m^2.
            energy = 0.5 * 0.342 * angular_velocity**2 + 9.81 * 0.5 * (cosine - 1)
            pump = 2.1 * (energy + 0.27) * math.tanh(0.6 * angular_velocity * cosine)
            control = pump - 0.6 * position - 0.8 * velocity
        return np.clip([control], -1, 1).astype(np.float32)

    return policy


def make_pendulum_expert(environment: gymnasium.Env) -> Policy:
    """Returns a policy that pumps energy into the pendulum (Astrom and Furuta, 2000) and regulates it near upright."""
    gains, cost = _upright_regulator("pendulum", "swingup", state_cost=(1, 0.1), control_cost=1)

    def policy(observation: np.ndarray) -> np.ndarray:
        cosine, sine, velocity = map(float, observation)
        state = np.array([math.atan2(sine, cosine), velocity])
        if state @ cost @ state < 20:  # from here the regulator succeeds, although the torque has limits
            control = -gains @ state
        else:
            # Energy divided by the inertia, for a mass at 0.5 m, zero at rest upright. On the way up 0.5 is lost.
            energy = 0.5 * velocity**2 + 9.81 / 0.5 * (cosine - 1)
            control = math.copysign(min(abs(energy - 0.5), 1), -(energy - 0.5) * velocity)
        return np.clip([control], -1, 1).astype(np.float32)

    return policy


def make_point_mass_expert(environment: gymnasium.Env) -> Policy:
    """Returns a policy that drives straight to the target, once it knows in which direction each actuator pushes.

    In the hard task the directions differ between episodes and are not observed. The expert tries both actuators in
    turn, and estimates the directions from the velocities that followed the controls of all steps so far.
    """
    world: Any = environment.unwrapped
    physics = world.physics
    mass, damping, time_step = physics.model.body_mass[-1], physics.model.dof_damping[0], physics.timestep()
    kept_velocity = mass / (mass + time_step * damping)
    # Least squares of pushes = controls @ answer, from the sums over steps of control' control and control' push.
    control_squares, control_pushes = np.zeros((2, 2)), np.zeros((2, 2))
    steps = 0
    velocity_before: np.ndarray | None = None

    def policy(observation: np.ndarray) -> np.ndarray:
        nonlocal steps, velocity_before
        position, velocity = observation[:2].astype(float), observation[2:].astype(float)
        at_wall = (np.abs(position) > 0.28).any()  # there the wall pushes too
        if velocity_before is not None and not at_wall:
            control = physics.control()  # as it was executed
            control_squares[:] += np.outer(control, control)
            control_pushes[:] += np.outer(control, velocity - kept_velocity * velocity_before)
        velocity_before, steps = velocity, steps + 1
        if np.linalg.eigvalsh(control_squares)[0] < 0.1:
            # Try the actuators in turn, in the other direction after 20 steps in case they push against a wall.
            return np.eye(2, dtype=np.float32)[steps % 2] * (-1) ** (steps // 20)
        answer = np.linalg.solve(control_squares, control_pushes)
        control = np.linalg.solve(answer.T, -0.1 * position)
        return (control / max(1, np.abs(control).max())).astype(np.float32)

    return policy


def make_reacher_expert(environment: gymnasium.Env) -> Policy:
    """Returns a controller that turns both joints to the angles that put the finger on the target."""
    link = 0.12

    def policy(observation: np.ndarray) -> np.ndarray:
        angles, finger_to_target, velocities = (
            np.arctan2(observation[2:4], observation[:2]),
            *np.split(observation[4:], 2),
        )
        directions = np.cumsum(angles)  # in which the links point
        finger = link * np.array([np.cos(directions).sum(), np.sin(directions).sum()])
        targets = reach_angles(finger + finger_to_target, link, link, angles)
        return np.clip(3 * (targets - angles) - 0.3 * velocities, -1, 1).astype(np.float32)

    return policy


_REGULATOR = "energy shaping and linear quadratic regulator"
_TRAINED = "linear policy trained by augmented random search"

# Domain, task, name of the expert, and how to make it; None for the trained policy.
_EXPERTS = (
    ("cartpole", "balance", "linear quadratic regulator", make_cart_pole_expert),
    ("cartpole", "balance_sparse", "linear quadratic regulator", make_cart_pole_expert),
    ("cartpole", "swingup", _REGULATOR, make_cart_pole_expert),
    ("cartpole", "swingup_sparse", _REGULATOR, make_cart_pole_expert),
    ("pendulum", "swingup", _REGULATOR, make_pendulum_expert),
    ("point_mass", "easy", "identification and proportional control", make_point_mass_expert),
    ("point_mass", "hard", "identification and proportional control", make_point_mass_expert),
    ("reacher", "easy", "inverse kinematics", make_reacher_expert),
    ("reacher", "hard", "inverse kinematics", make_reacher_expert),
    ("ball_in_cup", "catch", _TRAINED, None),
)


def _task(domain: str, name: str, expert: str, make_expert: Callable[[gymnasium.Env], Policy] | None) -> Task:
    task_id = f"dm-control/{domain}-{name}".replace("_", "-")
    return with_instruction(
        Task(
            id=task_id,
            extra="dm-control",
            packages=("gymnasium", "dm-control", "mujoco"),
            make_environment=partial(make_environment, domain, name),
            make_expert=make_expert or partial(make_trained_expert, task_id),
            expert=expert,
            score="return",
            horizon=1000,
        )
    )


TASKS = tuple(_task(*entry) for entry in _EXPERTS)
