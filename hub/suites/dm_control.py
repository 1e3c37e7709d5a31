# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The DeepMind Control Suite (Tassa et al., 2018): articulated bodies as state vectors, by way of dm_control.

The agent sees the entries of the task's observation one after the other, in the task's own order, as one vector. An
episode has 1000 steps; a step pays between 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from .linear import LinearPolicy, linearise, mujoco_transition, solve_regulator, trained_policy_path
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
            entries = self._environment.observation_spec().values()
            size = sum(math.prod(entry.shape) for entry in entries)
            self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)
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
            return np.concatenate([np.ravel(entry) for entry in observation.values()]).astype(np.float32)

    return ControlSuiteEnvironment()


@cache
def _cart_pole_regulator() -> tuple[np.ndarray, np.ndarray]:
    """Gains (4,) and cost matrix (4, 4) for cart position, pole angle and their velocities, with the pole upright."""
    environment = make_environment("cartpole", "balance")
    by_state, by_control = linearise(mujoco_transition(environment.physics.model.ptr, 1), np.zeros(4), np.zeros(1))
    gains, cost = solve_regulator(by_state, by_control, np.array([1, 20, 0.15, 0.1]), np.array([0.27]))
    return gains[0], cost


def make_cart_pole_expert(environment: gymnasium.Env) -> Policy:
    """Pumps energy into the pole (Astrom and Furuta, 2000), and from near upright is a linear quadratic regulator."""
    gains, cost = _cart_pole_regulator()

    def policy(observation: np.ndarray) -> np.ndarray:
        position, cosine, sine, velocity, angular_velocity = map(float, observation)
        state = np.array([position, math.atan2(sine, cosine), velocity, angular_velocity])
        if state @ cost @ state < 300:  # the regulator gets there from here, although the force has limits
            control = -gains @ state
        else:
            # Of the pole by its mass, zero upright and at rest: its centre is at 0.5 m, its inertia 0.342 m^2.
            energy = 0.5 * 0.342 * angular_velocity**2 + 9.81 * 0.5 * (cosine - 1)
            pump = 2.1 * (energy + 0.27) * math.tanh(0.6 * angular_velocity * cosine)
            control = pump - 0.6 * position - 0.8 * velocity
        return np.clip([control], -1, 1).astype(np.float32)

    return policy


def make_pendulum_expert(environment: gymnasium.Env) -> Policy:
    """Pumps energy into the pendulum until it has that of upright, and holds it there by linear feedback."""

    def policy(observation: np.ndarray) -> np.ndarray:
        cosine, sine, velocity = map(float, observation)
        # Divided by the inertia of 1 kg at 0.5 m; zero upright and at rest.
        energy = 0.5 * velocity**2 + 9.81 / 0.5 * (cosine - 1)
        if cosine > 0.95 and abs(energy) < 2:
            control = -12 * math.atan2(sine, cosine) - 2 * velocity
        elif energy > 0:
            control = -velocity * energy
        else:
            control = math.copysign(1, velocity)
        return np.clip([control], -1, 1).astype(np.float32)

    return policy


def make_point_mass_expert(environment: gymnasium.Env) -> Policy:
    """Drives to the target in a straight line, once it knows in which direction each actuator pushes.

    That differs between the episodes of the hard task and is not observed: the expert tries one actuator, then the
    other, and goes by how the velocity answered to the controls of all steps so far.
    """
    physics = environment.unwrapped.physics
    mass, damping, time_step = physics.model.body_mass[-1], physics.model.dof_damping[0], physics.timestep()
    kept_velocity = mass / (mass + time_step * damping)
    controls, pushes = [], []
    previous_velocity = None

    def policy(observation: np.ndarray) -> np.ndarray:
        nonlocal previous_velocity
        position, velocity = observation[:2].astype(float), observation[2:].astype(float)
        at_wall = (np.abs(position) > 0.28).any()  # where the wall pushes too
        if previous_velocity is not None and not at_wall:
            controls.append(physics.control().copy())
            pushes.append(velocity - kept_velocity * previous_velocity)
        previous_velocity = velocity
        for actuator in range(2):
            if not any(abs(control[actuator]) > 0.1 for control in controls):
                return np.eye(2, dtype=np.float32)[actuator]
        push_of_control, *_ = np.linalg.lstsq(np.array(controls), np.array(pushes), rcond=None)
        control = np.linalg.solve(push_of_control.T, -0.05 * position)
        return (control / max(1, np.abs(control).max())).astype(np.float32)

    return policy
