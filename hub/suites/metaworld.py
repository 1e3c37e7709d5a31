# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Meta-World (Yu et al., CoRL 2019; v3: McLean et al., 2025): 50 tasks of a Sawyer arm, by way of metaworld.

The agent sees the name of the task and the numbers that the scripted policies read: the hand, how far the gripper is
open, the object, the second object if there is one, and the goal. These are 10 or 13 numbers in [-1, 1]. The rest of
the package's 39 numbers is left out: a copy of the last step, the objects' quaternions, and zeros for objects that do
not exist. An action moves the hand (3 numbers) and closes or opens the gripper (1 number). Every seed gives new places
for the goal and the objects, whereas the package's benchmarks choose from 50 placements.

As is usual, an episode is a success if the task is solved at any step. Here it ends at that step, so returns are sums
up to it; others report sums over 500 steps. The experts are the package's scripted policies, which use only the
current state. Their actions are clipped to the action space.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .environments.instruction import with_instruction
from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium

# The names of the tasks in the package, without "-v3".
NAMES = (
    "assembly",
    "basketball",
    "bin-picking",
    "box-close",
    "button-press",
    "button-press-topdown",
    "button-press-topdown-wall",
    "button-press-wall",
    "coffee-button",
    "coffee-pull",
    "coffee-push",
    "dial-turn",
    "disassemble",
    "door-close",
    "door-lock",
    "door-open",
    "door-unlock",
    "drawer-close",
    "drawer-open",
    "faucet-close",
    "faucet-open",
    "hammer",
    "hand-insert",
    "handle-press",
    "handle-press-side",
    "handle-pull",
    "handle-pull-side",
    "lever-pull",
    "peg-insert-side",
    "peg-unplug-side",
    "pick-out-of-hole",
    "pick-place",
    "pick-place-wall",
    "plate-slide",
    "plate-slide-back",
    "plate-slide-back-side",
    "plate-slide-side",
    "push",
    "push-back",
    "push-wall",
    "reach",
    "reach-wall",
    "shelf-place",
    "soccer",
    "stick-pull",
    "stick-push",
    "sweep",
    "sweep-into",
    "window-close",
    "window-open",
)

HORIZON = 500

# Indices into the package's 39 numbers: the hand and the gripper, the first object, the second one, the goal.
HAND_AND_GRIPPER, OBJECT, SECOND_OBJECT, GOAL = np.r_[0:4], np.r_[4:7], np.r_[11:14], np.r_[36:39]
TASKS_OF_TWO_OBJECTS = ("hammer", "stick-pull", "stick-push")

# In meters: the middle of the space that observations cover, and the distance from there to its edges. All that is
# within reach lies inside.
MIDDLE, REACH = np.array([0.0, 0.65, 0.2]), 0.7


def make_environment(name: str, render_mode: Literal["rgb_array"] | None = None) -> gymnasium.Env:
    """Makes the environment of a task, whose action is (4,) float32 in [-1, 1].

    Its observation is (10,) or (13,) float32 in [-1, 1]: hand, gripper (1 is open), object, second object if there is
    one, goal. A position is its difference from `MIDDLE` divided by `REACH`, clipped for things that have fallen off
    the table.

    `info["success"]` of a step says whether the task is solved. The episode ends at that step, or after 500 steps.
    """
    import gymnasium
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    objects = (OBJECT, SECOND_OBJECT) if name in TASKS_OF_TWO_OBJECTS else (OBJECT,)
    shown = np.concatenate([HAND_AND_GRIPPER, *objects, GOAL])
    positions = np.concatenate([MIDDLE, [0.5], *[MIDDLE] * (len(objects) + 1)])
    scales = np.where(np.arange(len(shown)) == 3, 0.5, REACH)

    class MetaWorldView(gymnasium.Wrapper):
        """Shows the chosen numbers, seeds the places of the objects, and ends the episode at success.

        Attributes:
            full_observation: The 39 numbers of the current step, which the scripted policies read.
        """

        def __init__(self, environment: gymnasium.Env) -> None:
            super().__init__(environment)
            self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, shown.shape, np.float32)
            self.full_observation = np.zeros(39)

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[np.ndarray, dict[str, Any]]:
            # The environment ignores the seed that its own reset is given.
            if seed is not None:
                inner: Any = self.env
                inner.seed(seed)
            self.full_observation, info = self.env.reset()
            return self._show(), info

        def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
            action = np.asarray(action, np.float32)
            if not self.action_space.contains(action):
                raise ValueError(f"An action is four numbers in [-1, 1], not {action}")
            self.full_observation, reward, _, truncated, info = self.env.step(action)
            success = bool(info["success"])
            return self._show(), float(reward), success, truncated, {**info, "success": success}

        def _show(self) -> np.ndarray:
            state = (self.full_observation[shown] - positions) / scales
            return np.clip(state, -1.0, 1.0).astype(np.float32)

    environment: Any = ALL_V3_ENVIRONMENTS[f"{name}-v3"](render_mode=render_mode)
    environment._partially_observable = False
    # Steps clip observations to this space, which was made with the goal hidden. It is made anew when next used.
    environment.__dict__.pop("sawyer_observation_space")
    # Draw goals and objects at every reset, with the generator that `seed` sets.
    environment._freeze_rand_vec = False
    environment.seeded_rand_vec = True
    environment._set_task_called = True
    return MetaWorldView(environment)


def make_expert(name: str, environment: gymnasium.Env) -> Policy:
    """Returns the package's scripted policy for a task. It reads `full_observation`, which includes the goal."""
    from metaworld.policies import ENV_POLICY_MAP

    make_scripted: Callable[[], Any] = ENV_POLICY_MAP[f"{name}-v3"]
    scripted = make_scripted()

    def policy(observation: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about each action outside the action space
            action = scripted.get_action(environment.get_wrapper_attr("full_observation"))
        return np.clip(action, -1, 1, dtype=np.float32)

    return policy


TASKS = tuple(
    with_instruction(
        Task(
            id=f"metaworld/{name}",
            extra="metaworld",
            packages=("gymnasium", "metaworld", "mujoco"),
            make_environment=partial(make_environment, name),
            make_expert=partial(make_expert, name),
            expert="scripted policy",
            score="success",
            horizon=HORIZON,
        )
    )
    for name in NAMES
)
