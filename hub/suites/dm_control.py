# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The DeepMind Control Suite (Tassa et al., 2018): articulated bodies as state vectors, by way of dm_control.

The agent is told the task's name, and sees the entries of its observation one after the other, in the task's own
order, as one vector; the angles of the reacher's joints as cosines and sines, as the suite itself shows those of its
pendulums. An episode has 1000 steps; a step pays between 0 and 1. The experts are formulas of that vector,
or matrices trained by augmented random search (`train_linear_policy`), which lie in `linear_policies`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from .environments.instruction import with_instruction
from .experts.linear_policy import linearise, make_trained_expert, mujoco_transition, solve_regulator
from .experts.two_link_arm import reach_angles
from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium

FRAME_SIZE = 240


def make_environment(domain: str, task: str, render_mode: str | None = None) -> gymnasium.Env:
    """A task of the suite as a gymnasium environment. Rendering, `rgb_array` (240, 320, 3), needs OpenGL.

    Raises:
        ValueError: another render mode.
    """
    import gymnasium

    with warnings.catch_warnings():
        # Without a display glfw warns, and dm_control goes on without it.
        warnings.simplefilter("ignore")
        from dm_control import suite

    if render_mode not in (None, "rgb_array"):
        raise ValueError(f"render_mode must be None or 'rgb_array', not {render_mode!r}")

    class ControlSuiteEnvironment(gymnasium.Env):
        """Observations are float32 vectors; the reset seeds the random state of the task."""

        metadata = {"render_modes": ["rgb_array"], "render_fps": 50}

        def __init__(self):
            self.render_mode = render_mode
            self._environment = suite.load(domain, task, task_kwargs={"random": 0})
            self.physics = self._environment.physics
            self.metadata = self.metadata | {"render_fps": round(1 / self._environment.control_timestep())}
            self.observation_space = gymnasium.spaces.Box(
                -np.inf, np.inf, self._show(self._environment.reset().observation).shape, np.float32
            )
            actions = self._environment.action_spec()
            self.action_space = gymnasium.spaces.Box(
                actions.minimum.astype(np.float32), actions.maximum.astype(np.float32), actions.shape, np.float32
            )

        def reset(self, *, seed: int | None = None, options: dict | None = None):
            super().reset(seed=seed)
            self._environment.task.random.seed(seed if seed is not None else self.np_random.integers(2**31))
            return self._show(self._environment.reset().observation), {}

        def step(self, action: np.ndarray):
            step = self._environment.step(action)
            ended = step.last()
            terminated = ended and step.discount == 0
            return self._show(step.observation), float(step.reward), terminated, ended and not terminated, {}

        def render(self) -> np.ndarray | None:
            if self.render_mode is None:
                return None
            return self.physics.render(height=FRAME_SIZE, width=FRAME_SIZE * 4 // 3, camera_id=0)

        def close(self) -> None:
            self._environment.close()

        @staticmethod
        def _show(observation: dict) -> np.ndarray:
            if domain == "reacher":
                angles = observation["position"]
                observation = {**observation, "position": np.concatenate([np.cos(angles), np.sin(angles)])}
            return np.concatenate([np.ravel(entry) for entry in observation.values()]).astype(np.float32)

    return ControlSuiteEnvironment()


@cache
def _upright_regulator(
    domain: str, task: str, state_cost: tuple, control_cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gains (n,) and cost matrix (n, n) that hold a pole upright, where its positions and velocities (n,) are zero."""
    environment = make_environment(domain, task)
    transition = mujoco_transition(environment.unwrapped.physics.model.ptr, simulation_steps=1)
    by_state, by_control = linearise(transition, np.zeros(len(state_cost)), np.zeros(1))
    gains, cost = solve_regulator(by_state, by_control, np.array(state_cost), np.array([control_cost]))
    environment.close()
    return gains[0], cost


def make_cart_pole_expert(environment: gymnasium.Env) -> Policy:
    """Pumps energy into the pole (Astrom and Furuta, 2000), and from near upright is a linear quadratic regulator."""
    gains, cost = _upright_regulator("cartpole", "balance", state_cost=(1, 20, 0.15, 0.1), control_cost=0.27)

    def policy(observation: np.ndarray) -> np.ndarray:
        position, cosine, sine, velocity, angular_velocity = map(float, observation)
        state = np.array([position, math.atan2(sine, cosine), velocity, angular_velocity])
        if state @ cost @ state < 300:  # from here the regulator gets there, although the force has limits
            control = -gains @ state
        else:
            # Of the pole by its mass, zero upright and at rest: its centre is at 0.5 m, its inertia 0.342 m^2.
            energy = 0.5 * 0.342 * angular_velocity**2 + 9.81 * 0.5 * (cosine - 1)
            pump = 2.1 * (energy + 0.27) * math.tanh(0.6 * angular_velocity * cosine)
            control = pump - 0.6 * position - 0.8 * velocity
        return np.clip([control], -1, 1).astype(np.float32)

    return policy


def make_pendulum_expert(environment: gymnasium.Env) -> Policy:
    """Pumps energy into the pendulum (Astrom and Furuta, 2000), and near upright is a linear quadratic regulator."""
    gains, cost = _upright_regulator("pendulum", "swingup", state_cost=(1, 0.1), control_cost=1)

    def policy(observation: np.ndarray) -> np.ndarray:
        cosine, sine, velocity = map(float, observation)
        state = np.array([math.atan2(sine, cosine), velocity])
        if state @ cost @ state < 20:  # from here the regulator gets there, although the torque has limits
            control = -gains @ state
        else:
            # Divided by the inertia, of a mass at 0.5 m; zero upright and at rest. 0.5 more is lost on the way up.
            energy = 0.5 * velocity**2 + 9.81 / 0.5 * (cosine - 1)
            control = math.copysign(min(abs(energy - 0.5), 1), -(energy - 0.5) * velocity)
        return np.clip([control], -1, 1).astype(np.float32)

    return policy


def make_point_mass_expert(environment: gymnasium.Env) -> Policy:
    """Drives to the target in a straight line, once it knows to where each actuator pushes.

    In the hard task that differs between episodes and is not observed: the expert tries one actuator and the other,
    and goes by how the velocity has answered to the controls of all steps so far.
    """
    physics = environment.unwrapped.physics
    mass, damping, time_step = physics.model.body_mass[-1], physics.model.dof_damping[0], physics.timestep()
    kept_velocity = mass / (mass + time_step * damping)
    # Least squares of pushes = controls @ answer, by the sums over steps of control' control and control' push.
    control_squares, control_pushes = np.zeros((2, 2)), np.zeros((2, 2))
    steps, velocity_before = 0, None

    def policy(observation: np.ndarray) -> np.ndarray:
        nonlocal steps, velocity_before
        position, velocity = observation[:2].astype(float), observation[2:].astype(float)
        at_wall = (np.abs(position) > 0.28).any()  # where the wall pushes too
        if velocity_before is not None and not at_wall:
            control = physics.control()  # as it was executed
            control_squares[:] += np.outer(control, control)
            control_pushes[:] += np.outer(control, velocity - kept_velocity * velocity_before)
        velocity_before, steps = velocity, steps + 1
        if np.linalg.eigvalsh(control_squares)[0] < 0.1:
            # Either actuator in turn, and the other way after 20 steps, in case it pushes against a wall.
            return np.eye(2, dtype=np.float32)[steps % 2] * (-1) ** (steps // 20)
        answer = np.linalg.solve(control_squares, control_pushes)
        control = np.linalg.solve(answer.T, -0.1 * position)
        return (control / max(1, np.abs(control).max())).astype(np.float32)

    return policy


def make_reacher_expert(environment: gymnasium.Env) -> Policy:
    """Turns both joints, by proportional and derivative control, to the angles that put the finger on the target."""
    link = 0.12

    def policy(observation: np.ndarray) -> np.ndarray:
        angles, finger_to_target, velocities = (
            np.arctan2(observation[2:4], observation[:2]),
            *np.split(observation[4:], 2),
        )
        directions = np.cumsum(angles)  # of both links
        finger = link * np.array([np.cos(directions).sum(), np.sin(directions).sum()])
        wanted = reach_angles(finger + finger_to_target, link, link, angles)
        return np.clip(3 * (wanted - angles) - 0.3 * velocities, -1, 1).astype(np.float32)

    return policy


_REGULATOR = "energy shaping and linear quadratic regulator"
_TRAINED = "linear policy trained by augmented random search"

# Domain, task, and the expert: its name and how to make it, None where it is trained.
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
