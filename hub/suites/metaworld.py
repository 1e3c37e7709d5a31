# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Meta-World (Yu et al., CoRL 2019; v3: McLean et al., 2025): 50 tasks of a Sawyer arm, by way of metaworld.

The agent is told the task in words, and sees what the scripted policies read: the hand, how far the gripper is open,
the object, the second one where the task has two, and the goal, 10 or 13 numbers in [-1, 1]. Left out of the package's
39 numbers are its copy of the last step, the objects' quaternions, and the zeros of objects that are not there. The
action moves the hand (3) and closes or opens the gripper (1). Every seed places goal and objects anew, where the
package's benchmarks choose from 50 placements.

An episode is a success where the task is solved at any step, the field's measure, and ends there: so returns are sums
up to that step, not the sums over 500 steps that others report. The experts are the package's scripted policies, which
look at the present state alone; their actions are clipped to the action space.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .environments.instruction import with_instruction
from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium

# The tasks by their names in the package, less the "-v3".
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

# In the package's 39 numbers: the hand and the gripper, the first object, the second one, the goal.
HAND_AND_GRIPPER, OBJECT, SECOND_OBJECT, GOAL = np.r_[0:4], np.r_[4:7], np.r_[11:14], np.r_[36:39]
TASKS_OF_TWO_OBJECTS = ("hammer", "stick-pull", "stick-push")

# Positions, in metres: of the middle of what is shown, and from there to its edges. All that is within reach.
MIDDLE, REACH = np.array([0.0, 0.65, 0.2]), 0.7


def make_environment(name: str, render_mode: str | None = None) -> gymnasium.Env:
    """The task as an environment whose action is (4,) float32 in [-1, 1].

    Its observation is (10,) or (13,) float32 in [-1, 1]: hand, gripper (1 is open), object, second object if there is
    one, goal. A position is its distance from `MIDDLE` in parts of `REACH`; what has fallen off the table is shown at
    the edge.

    `info["success"]` of a step says whether the task is solved; the episode ends there, or after 500 steps.
    """
    import gymnasium
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    objects = (OBJECT, SECOND_OBJECT) if name in TASKS_OF_TWO_OBJECTS else (OBJECT,)
    shown = np.concatenate([HAND_AND_GRIPPER, *objects, GOAL])
    positions = np.concatenate([MIDDLE, [0.5], *[MIDDLE] * (len(objects) + 1)])
    scales = np.where(np.arange(len(shown)) == 3, 0.5, REACH)

    class MetaWorldView(gymnasium.Wrapper):
        """Shows the task, the present and the goal, places objects by the seed, ends the episode at success.

        Attributes:
            full_observation: the 39 numbers of the present step, which the scripted policies read.
        """

        def __init__(self, environment: gymnasium.Env):
            super().__init__(environment)
            self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, shown.shape, np.float32)
            self.full_observation = np.zeros(39)

        def reset(self, *, seed: int | None = None, options: dict | None = None):
            # The environment ignores the seed of its own reset.
            if seed is not None:
                self.env.seed(seed)
            self.full_observation, info = self.env.reset()
            return self._show(), info

        def step(self, action):
            action = np.asarray(action, np.float32)
            if not self.action_space.contains(action):
                raise ValueError(f"An action is four numbers in [-1, 1], not {action}")
            self.full_observation, reward, _, truncated, info = self.env.step(action)
            success = bool(info["success"])
            return self._show(), float(reward), success, truncated, {**info, "success": success}

        def _show(self) -> np.ndarray:
            state = (self.full_observation[shown] - positions) / scales
            return np.clip(state, -1.0, 1.0).astype(np.float32)

    environment = ALL_V3_ENVIRONMENTS[f"{name}-v3"](render_mode=render_mode)
    environment._partially_observable = False
    # Made with the goal hidden, and steps clip what is seen to it: made anew when it is next looked at.
    environment.__dict__.pop("sawyer_observation_space")
    # Goals and objects are drawn at every reset, by the generator that `seed` sets.
    environment._freeze_rand_vec = False
    environment.seeded_rand_vec = True
    environment._set_task_called = True
    return MetaWorldView(environment)


def make_expert(name: str, environment: gymnasium.Env) -> Policy:
    """The package's scripted policy for that task. It reads the goal and all else of `full_observation`."""
    from metaworld.policies import ENV_POLICY_MAP

    scripted = ENV_POLICY_MAP[f"{name}-v3"]()

    def policy(observation: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of each action that is to be clipped
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
