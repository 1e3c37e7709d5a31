# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""BabyAI (Chevalier-Boisvert et al., ICLR 2019): instructions in a grid world, by way of minigrid.

`environments.grid_view` describes what the agent sees. The expert is the bot that comes with minigrid. It knows the
part of the layout that was in view, and keeps a stack of subgoals, which it repairs if an action other than its own
was executed. Two levels that the bot cannot solve have the planner of `experts.grid_planner` as their expert.

Five levels are left out: the three Carrying levels, whose first view is drawn before the agent holds the object, and
the two OpenDoorsOrder Debug levels, where opening the first door fails the mission in two of three episodes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .environments.grid_view import level_name, make_environment
from .experts.grid_planner import GridPlanner, NextAction, policy_of
from .minigrid import open_door
from .task import ExpertFailed, Policy, Task

if TYPE_CHECKING:
    import gymnasium

# The levels that the generalist agent JAT (Gallouedec et al., 2024) learned, with the mean return of the bot that its
# authors published.
_JAT_LEVELS = {
    "BabyAI-GoToRedBallGrey-v0": 0.917,
    "BabyAI-GoToRedBall-v0": 0.925,
    "BabyAI-GoToRedBallNoDists-v0": 0.93,
    "BabyAI-GoToObj-v0": 0.93,
    "BabyAI-GoToLocal-v0": 0.925,
    "BabyAI-GoTo-v0": 0.917,
    "BabyAI-GoToImpUnlock-v0": 0.829,
    "BabyAI-GoToSeq-v0": 0.939,
    "BabyAI-GoToRedBlueBall-v0": 0.917,
    "BabyAI-GoToDoor-v0": 0.989,
    "BabyAI-GoToObjDoor-v0": 0.991,
    "BabyAI-Open-v0": 0.952,
    "BabyAI-OpenRedDoor-v0": 0.915,
    "BabyAI-OpenDoor-v0": 0.988,
    "BabyAI-OpenTwoDoors-v0": 0.983,
    "BabyAI-OpenDoorsOrderN4-v0": 0.987,
    "BabyAI-Pickup-v0": 0.916,
    "BabyAI-UnblockPickup-v0": 0.913,
    "BabyAI-PickupLoc-v0": 0.915,
    "BabyAI-PickupDist-v0": 0.856,
    "BabyAI-PickupAbove-v0": 0.908,
    "BabyAI-PutNextLocal-v0": 0.915,
    "BabyAI-PutNextS7N4-v0": 0.96,
    "BabyAI-Unlock-v0": 0.866,
    "BabyAI-UnlockLocal-v0": 0.978,
    "BabyAI-UnlockPickup-v0": 0.754,
    "BabyAI-BlockedUnlockPickup-v0": 0.947,
    "BabyAI-UnlockToUnlock-v0": 0.964,
    "BabyAI-ActionObjDoor-v0": 0.987,
    "BabyAI-FindObjS5-v0": 0.945,
    "BabyAI-KeyCorridor-v0": 0.907,
    "BabyAI-OneRoomS8-v0": 0.918,
    "BabyAI-MoveTwoAcrossS8N9-v0": 0.964,
    "BabyAI-Synth-v0": 0.934,
    "BabyAI-SynthLoc-v0": 0.94,
    "BabyAI-SynthSeq-v0": 0.947,
    "BabyAI-MiniBossLevel-v0": 0.893,
    "BabyAI-BossLevel-v0": 0.942,
    "BabyAI-BossLevelNoUnlock-v0": 0.943,
}

_MORE_LEVELS = (
    "BabyAI-GoToObjS4-v0",
    "BabyAI-GoToObjS6-v1",
    "BabyAI-GoToLocalS5N2-v0",
    "BabyAI-GoToLocalS6N2-v0",
    "BabyAI-GoToLocalS6N3-v0",
    "BabyAI-GoToLocalS6N4-v0",
    "BabyAI-GoToLocalS7N4-v0",
    "BabyAI-GoToLocalS7N5-v0",
    "BabyAI-GoToLocalS8N2-v0",
    "BabyAI-GoToLocalS8N3-v0",
    "BabyAI-GoToLocalS8N4-v0",
    "BabyAI-GoToLocalS8N5-v0",
    "BabyAI-GoToLocalS8N6-v0",
    "BabyAI-GoToLocalS8N7-v0",
    "BabyAI-GoToOpen-v0",
    "BabyAI-GoToObjMaze-v0",
    "BabyAI-GoToObjMazeOpen-v0",
    "BabyAI-GoToObjMazeS4R2-v0",
    "BabyAI-GoToObjMazeS4-v0",
    "BabyAI-GoToObjMazeS5-v0",
    "BabyAI-GoToObjMazeS6-v0",
    "BabyAI-GoToObjMazeS7-v0",
    "BabyAI-GoToSeqS5R2-v0",
    "BabyAI-OpenDoorDebug-v0",
    "BabyAI-OpenDoorColor-v0",
    "BabyAI-OpenDoorLoc-v0",
    "BabyAI-OpenRedBlueDoors-v0",
    "BabyAI-OpenRedBlueDoorsDebug-v0",
    "BabyAI-OpenDoorsOrderN2-v0",
    "BabyAI-PickupDistDebug-v0",
    "BabyAI-PutNextLocalS5N3-v0",
    "BabyAI-PutNextLocalS6N4-v0",
    "BabyAI-PutNextS4N1-v0",
    "BabyAI-PutNextS5N2-v0",
    "BabyAI-PutNextS5N1-v0",
    "BabyAI-PutNextS6N3-v0",
    "BabyAI-UnlockLocalDist-v0",
    "BabyAI-KeyInBox-v0",
    "BabyAI-UnlockPickupDist-v0",
    "BabyAI-FindObjS6-v0",
    "BabyAI-FindObjS7-v0",
    "BabyAI-KeyCorridorS3R1-v0",
    "BabyAI-KeyCorridorS3R2-v0",
    "BabyAI-KeyCorridorS3R3-v0",
    "BabyAI-KeyCorridorS4R3-v0",
    "BabyAI-KeyCorridorS5R3-v0",
    "BabyAI-KeyCorridorS6R3-v0",
    "BabyAI-OneRoomS12-v0",
    "BabyAI-OneRoomS16-v0",
    "BabyAI-OneRoomS20-v0",
    "BabyAI-MoveTwoAcrossS5N2-v0",
    "BabyAI-SynthS5R2-v0",
)


def take_the_ball(planner: GridPlanner) -> int:
    """Returns the next action toward picking up a ball."""
    return planner.take(planner.find("ball"))


# Levels that the bot cannot solve. It never looks into boxes, and in UnlockToUnlock it often plans forever, because
# the key of one door is behind the other.
_PLANNER_LEVELS: dict[str, NextAction] = {
    "BabyAI-KeyInBox-v0": open_door,
    "BabyAI-UnlockToUnlock-v0": take_the_ball,
}


def _task_id(environment_id: str) -> str:
    return f"babyai/{level_name(environment_id)}"


JAT_LEVELS = {_task_id(environment_id): mean_return for environment_id, mean_return in _JAT_LEVELS.items()}
"""The tasks that JAT learned too, with the mean return of its expert."""


def make_bot(environment: gymnasium.Env) -> Policy:
    """Returns minigrid's BabyAIBot for the episode that has just begun. It reads the environment's state."""
    from minigrid.utils.baby_ai_bot import BabyAIBot, DisappearedBoxError

    def plan(make_plan: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return make_plan(*arguments)
        except (AssertionError, AttributeError, DisappearedBoxError, IndexError, TypeError) as error:
            # The bot fails with these in layouts that it can't solve.
            raise ExpertFailed(f"the bot failed with {type(error).__name__}: {error}") from error

    bot = plan(BabyAIBot, environment.unwrapped)
    return lambda observation: int(plan(bot.replan, environment.get_wrapper_attr("last_action")))


def make_planner(next_action: NextAction, environment: gymnasium.Env) -> Policy:
    """Returns our planner for the episode that has just begun. It reads the environment's state."""
    return policy_of(GridPlanner(environment), next_action)


def _task(environment_id: str) -> Task:
    next_action = _PLANNER_LEVELS.get(environment_id)
    return Task(
        id=_task_id(environment_id),
        extra="babyai",
        packages=("gymnasium", "minigrid"),
        make_environment=partial(make_environment, environment_id),
        make_expert=partial(make_planner, next_action) if next_action else make_bot,
        expert="planner" if next_action else "BabyAIBot",
        score="success",
        # A plan takes a few milliseconds, but in rare layouts the bot plans forever. The limit is far from both, so
        # that every machine gives up the same episodes.
        expert_seconds=2.0,
    )


TASKS = tuple(_task(environment_id) for environment_id in (*_JAT_LEVELS, *_MORE_LEVELS))
