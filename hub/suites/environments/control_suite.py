# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A task of the DeepMind Control Suite as a gymnasium environment.

This module imports gymnasium and dm_control, so import it only inside functions that make an environment.
"""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np

with warnings.catch_warnings():
    # Without a display glfw warns, but dm_control works without it.
    warnings.simplefilter("ignore")
    from dm_control import suite

FRAME_SIZE = 240


class ControlSuiteEnvironment(gymnasium.Env):
    """A task of the suite. Observations are float32 vectors, and the seed of a reset seeds the task's random state.

    Attributes:
        physics: The simulation, as dm_control exposes it.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}

    def __init__(self, domain: str, task: str, render_mode: str | None = None) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be None or 'rgb_array', not {render_mode!r}")
        self.render_mode = render_mode
        self._shows_angles_as_points = domain == "reacher"
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

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._environment.task.random.seed(seed if seed is not None else self.np_random.integers(2**31))
        return self._show(self._environment.reset().observation), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
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

    def _show(self, observation: dict[str, Any]) -> np.ndarray:
        if self._shows_angles_as_points:
            angles = observation["position"]
            observation = {**observation, "position": np.concatenate([np.cos(angles), np.sin(angles)])}
        return np.concatenate([np.ravel(entry) for entry in observation.values()]).astype(np.float32)
