# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Experts that are one matrix, either solved for (a linear quadratic regulator) or trained (`train_linear_policy`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...system.files import write_text
from ..task import Policy

if TYPE_CHECKING:
    import gymnasium
    import mujoco

Transition = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Takes a state (n,) and a control (m,) and returns the state (n,) one step later."""

TRAINED_POLICIES = Path(__file__).parents[1] / "linear_policies"


def mujoco_transition(model: mujoco.MjModel, simulation_steps: int) -> Transition:
    """Returns the transition of a MuJoCo model over `simulation_steps` of its steps, with a constant control.

    A state is `qpos` followed by `qvel`.

    Raises:
        ValueError: The model has a joint that is neither a hinge nor a slide.
    """
    import mujoco

    if model.nq != model.nv:
        raise ValueError("the model has joints with quaternions, whose positions can't be linearized as they are")
    data = mujoco.MjData(model)

    def transition(state: np.ndarray, control: np.ndarray) -> np.ndarray:
        mujoco.mj_resetData(model, data)
        data.qpos, data.qvel = np.split(state, 2)
        data.ctrl = control
        mujoco.mj_step(model, data, simulation_steps)
        return np.concatenate([data.qpos, data.qvel])

    return transition


def linearize(
    transition: Transition, state: np.ndarray, control: np.ndarray, distance: float = 1e-5
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the derivatives of a transition at a point, by central differences.

    Args:
        transition: The transition, of states (n,) and controls (m,).
        state, control: The point.
        distance: How far the differences go to each side.

    Returns:
        The derivatives by the state, (n, n), and by the control, (n, m).
    """

    def derivative(function: Callable[[np.ndarray], np.ndarray], size: int) -> np.ndarray:
        shifts = distance * np.eye(size)
        return np.stack([(function(shift) - function(-shift)) / (2 * distance) for shift in shifts], axis=1)

    by_state = derivative(lambda shift: transition(state + shift, control), len(state))
    by_control = derivative(lambda shift: transition(state, control + shift), len(control))
    return by_state, by_control


def solve_regulator(
    by_state: np.ndarray,
    by_control: np.ndarray,
    state_cost: np.ndarray,
    control_cost: np.ndarray,
    steps: int = 100_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Solves the discrete linear quadratic regulator: `control = -K @ state` brings the state to zero.

    The regulator minimizes the sum over time of `x' Q x + u' R u`. The Riccati equation is iterated until it settles.

    Args:
        by_state, by_control: The matrices A (n, n) and B (n, m) of `x_next = A @ x + B @ u`.
        state_cost, control_cost: The diagonals of Q and R, (n,) and (m,).
        steps: The most iterations.

    Returns:
        The gains K (m, n), and the cost matrix P (n, n): the cost still to come from a state is `x' P x`.

    Raises:
        ValueError: The iteration does not settle, because the control can't bring the state to zero.
    """
    cost_to_go = np.diag(state_cost).astype(float)
    for _ in range(steps):
        weighted = by_control.T @ cost_to_go
        gains = np.linalg.solve(np.diag(control_cost) + weighted @ by_control, weighted @ by_state)
        previous, cost_to_go = cost_to_go, by_state.T @ cost_to_go @ (by_state - by_control @ gains)
        cost_to_go += np.diag(state_cost)
        if np.allclose(previous, cost_to_go, rtol=1e-10, atol=0):
            return gains, cost_to_go
    raise ValueError("the Riccati equation does not settle: the control can't bring the state to zero")


@dataclass(frozen=True)
class LinearPolicy:
    """A policy whose action is `clip(matrix @ ((observation - observation_mean) / observation_std))`.

    Attributes:
        matrix: Maps a normalized observation (n,) to an action (m,); (m, n).
        observation_mean, observation_std: Normalize observations; (n,).
    """

    matrix: np.ndarray
    observation_mean: np.ndarray
    observation_std: np.ndarray

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2:
            raise ValueError(f"matrix must have two axes, not {self.matrix.ndim}")
        size = (self.matrix.shape[1],)
        if self.observation_mean.shape != size or self.observation_std.shape != size:
            raise ValueError(
                f"a matrix of shape {self.matrix.shape} goes with a mean and a std of shape {size}, not "
                f"{self.observation_mean.shape} and {self.observation_std.shape}"
            )

    def action(self, observation: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Returns the action (m,), float32, clipped to the bounds `low` and `high` (m,)."""
        action = self.matrix @ ((observation - self.observation_mean) / self.observation_std)
        return np.clip(action, low, high).astype(np.float32)

    def bound_to(self, environment: gymnasium.Env) -> Policy:
        """Returns the policy with actions clipped to the action space of an environment."""
        space: Any = environment.action_space
        return lambda observation: self.action(observation, space.low, space.high)

    def save(self, path: Path, **facts: Any) -> None:
        """Writes the policy, and facts about how it was made, as JSON with one entry a line."""
        value = facts | {
            "observation_mean": self.observation_mean.tolist(),
            "observation_std": self.observation_std.tolist(),
            "matrix": self.matrix.tolist(),
        }
        rows = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(entry, allow_nan=False)}" for name, entry in value.items()
        )
        write_text(path, "{\n" + rows + "\n}\n")

    @classmethod
    def load(cls, path: Path) -> LinearPolicy:
        """Reads a policy that `save` wrote."""
        value = json.loads(path.read_text(encoding="utf-8"))
        return cls(*(np.array(value[name]) for name in ("matrix", "observation_mean", "observation_std")))


def trained_policy_path(task_id: str) -> Path:
    """Returns the path of the trained policy of a task, whether the file exists or not."""
    return TRAINED_POLICIES / f"{task_id.replace('/', '-')}.json"


@cache
def trained_policy(task_id: str) -> LinearPolicy:
    """Returns the trained policy of a task.

    Raises:
        FileNotFoundError: The task has none.
    """
    return LinearPolicy.load(trained_policy_path(task_id))


def make_trained_expert(task_id: str, environment: gymnasium.Env) -> Policy:
    """Returns the trained policy of a task for an environment. `Task.make_expert` is this with the id filled in."""
    return trained_policy(task_id).bound_to(environment)
