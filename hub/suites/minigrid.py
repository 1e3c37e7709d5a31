# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""MiniGrid (Chevalier-Boisvert et al., NeurIPS 2023): goals, keys, doors and lava in a grid world.

`environments.grid_view` describes what the agent sees. The expert is the planner of `experts.grid_planner`. It knows
what has been in view, and the goal's cell if a level always has it in the same place. Each kind of level has a
function below that returns the next action. An episode is a success if the level gives its reward.

Some levels are left out: those whose episodes are all the same (Empty without Random, DistShift), those without a
reward (Playground), those whose files the package lacks (WFC), and those that newer versions replace.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .environments.grid_view import level_name, make_environment
from .experts.grid_planner import DONE, LEFT, GridPlanner, NextAction, Position, policy_of
from .task import ExpertFailed, Policy, Task

if TYPE_CHECKING:
    import gymnasium


def _goal_cells(environment: gymnasium.Env) -> list[Position]:
    world: Any = environment.unwrapped
    grid = world.grid
    return [
        (x, y)
        for x in range(grid.width)
        for y in range(grid.height)
        if grid.get(x, y) is not None and grid.get(x, y).type == "goal"
    ]


def reach_goal(planner: GridPlanner) -> int:
    """Returns the next action toward entering the goal."""
    return planner.enter(planner.find("goal"))


def reach_goal_among_moving_balls(planner: GridPlanner) -> int:
    """Returns the next action toward the goal. A step onto a cell that is free now never hits a ball."""
    try:
        return reach_goal(planner)
    except ExpertFailed:  # the balls leave no path: turn, to pass the time
        return LEFT


def take_object(planner: GridPlanner) -> int:
    """Returns the next action toward picking up the object of the mission."""
    target = planner.world.obj
    return planner.take(planner.find(target.type, target.color))


def fetch_object(planner: GridPlanner) -> int:
    """Returns the next action toward picking up an object of the mission's kind and color."""
    return planner.take(planner.find(planner.world.targetType, planner.world.targetColor))


def stand_before_door(planner: GridPlanner) -> int:
    """Returns the next action toward facing the door of the mission, then `DONE`."""
    action = planner.approach(planner.find("door", planner.world.target_color))
    return DONE if action is None else action


def stand_before_object(planner: GridPlanner) -> int:
    """Returns the next action toward facing the object of the mission, then `DONE`."""
    world = planner.world
    targets = planner.find(world.targetType, world.target_color)
    if not targets and planner.carried is not None:
        return planner.drop_at({world.target_pos})  # a random action picked it up
    action = planner.approach(targets)
    return DONE if action is None else action


def put_near(planner: GridPlanner) -> int:
    """Returns the next action toward dropping one object beside another."""
    world = planner.world
    if planner.carried is None:
        return planner.take(planner.find(world.move_type, world.moveColor))
    targets = planner.find(world.target_type, world.target_color)
    return planner.drop_at(
        {(x, y) for x, y in planner.empty_cells() for tx, ty in targets if max(abs(x - tx), abs(y - ty)) == 1}
    )


def open_door(planner: GridPlanner) -> int:
    """Returns the next action toward opening a door."""
    return planner.open(planner.find("door"))


def open_red_door_then_blue(planner: GridPlanner) -> int:
    """Returns the next action toward opening the red door, then the blue one."""
    planner.forbidden = planner.find("door")  # both are in the walls of the room where the agent is
    return planner.open(planner.find("door", "blue" if planner.world.red_door.is_open else "red"))


def walk_to_the_match(planner: GridPlanner) -> int:
    """Returns the next action toward the object at the end that matches the one in the start room.

    The agent first looks at the object in the start room, then at one of the two at the end.
    """
    world = planner.world
    cue = (1, world.height // 2 - 1)
    ends = (world.success_pos, world.failure_pos)
    planner.forbidden = ends
    if not planner.has_seen(cue):
        action = planner.approach({cue})
    elif not any(planner.has_seen((x, y + (1 if y > world.height // 2 else -1))) for x, y in ends):
        action = planner.approach(ends)
    else:
        action = planner.enter({world.success_pos})
    assert action is not None  # the agent has seen every cell that it faces
    return action


def make_expert(
    next_action: NextAction, goal_never_moves: bool, planner_options: dict[str, bool], environment: gymnasium.Env
) -> Policy:
    """Returns the planner for the episode that has just begun. It reads the environment's state."""
    known = _goal_cells(environment) if goal_never_moves else ()
    return policy_of(GridPlanner(environment, known=known, **planner_options), next_action)


def _tasks(
    next_action: NextAction, horizons: dict[str, int], *, goal_never_moves: bool = False, **planner_options: bool
) -> list[Task]:
    """Returns the tasks of one kind of level, given its environments and the most steps of an episode in each."""
    return [
        Task(
            id=f"minigrid/{level_name(environment)}",
            extra="babyai",
            packages=("gymnasium", "minigrid"),
            make_environment=partial(make_environment, environment),
            make_expert=partial(make_expert, next_action, goal_never_moves, planner_options),
            expert="planner",
            score="success",
            horizon=horizon,
            expert_seconds=0.5,
        )
        for environment, horizon in horizons.items()
    ]


TASKS: tuple[Task, ...] = (
    *_tasks(
        reach_goal,
        {
            "MiniGrid-Empty-Random-5x5-v0": 100,
            "MiniGrid-Empty-Random-6x6-v0": 144,
            "MiniGrid-LavaCrossingS9N1-v0": 324,
            "MiniGrid-LavaCrossingS9N2-v0": 324,
            "MiniGrid-LavaCrossingS9N3-v0": 324,
            "MiniGrid-LavaCrossingS11N5-v0": 484,
            "MiniGrid-SimpleCrossingS9N1-v0": 324,
            "MiniGrid-SimpleCrossingS9N2-v0": 324,
            "MiniGrid-SimpleCrossingS9N3-v0": 324,
            "MiniGrid-SimpleCrossingS11N5-v0": 484,
            "MiniGrid-LavaGapS5-v0": 100,
            "MiniGrid-LavaGapS6-v0": 144,
            "MiniGrid-LavaGapS7-v0": 196,
            "MiniGrid-DoorKey-5x5-v0": 250,
            "MiniGrid-DoorKey-6x6-v0": 360,
            "MiniGrid-DoorKey-8x8-v0": 640,
            "MiniGrid-DoorKey-16x16-v0": 2560,
        },
        goal_never_moves=True,
    ),
    *_tasks(
        reach_goal_among_moving_balls,
        {
            "MiniGrid-Dynamic-Obstacles-5x5-v0": 100,
            "MiniGrid-Dynamic-Obstacles-Random-5x5-v0": 100,
            "MiniGrid-Dynamic-Obstacles-6x6-v0": 144,
            "MiniGrid-Dynamic-Obstacles-Random-6x6-v0": 144,
            "MiniGrid-Dynamic-Obstacles-8x8-v0": 256,
            "MiniGrid-Dynamic-Obstacles-16x16-v0": 1024,
        },
        goal_never_moves=True,
        clears_objects=False,
        objects_move=True,
    ),
    *_tasks(
        reach_goal,
        {
            "MiniGrid-FourRooms-v0": 100,
            "MiniGrid-MultiRoom-N2-S4-v0": 40,
            "MiniGrid-MultiRoom-N4-S5-v1": 80,
            "MiniGrid-MultiRoom-N6-v0": 120,
            "MiniGrid-LockedRoom-v0": 190,
        },
    ),
    *_tasks(
        take_object,
        {
            "MiniGrid-UnlockPickup-v0": 288,
            "MiniGrid-BlockedUnlockPickup-v0": 576,
            "MiniGrid-KeyCorridorS3R1-v0": 270,
            "MiniGrid-KeyCorridorS3R2-v0": 270,
            "MiniGrid-KeyCorridorS3R3-v0": 270,
            "MiniGrid-KeyCorridorS4R3-v0": 480,
            "MiniGrid-KeyCorridorS5R3-v0": 750,
            "MiniGrid-KeyCorridorS6R3-v0": 1080,
            "MiniGrid-ObstructedMaze-1Dl-v0": 288,
            "MiniGrid-ObstructedMaze-1Dlh-v0": 288,
            "MiniGrid-ObstructedMaze-1Dlhb-v0": 288,
            "MiniGrid-ObstructedMaze-2Dl-v0": 576,
            "MiniGrid-ObstructedMaze-2Dlh-v0": 576,
            "MiniGrid-ObstructedMaze-2Dlhb-v1": 576,
            "MiniGrid-ObstructedMaze-1Q-v1": 720,
            "MiniGrid-ObstructedMaze-2Q-v1": 1584,
            "MiniGrid-ObstructedMaze-Full-v1": 3600,
        },
    ),
    *_tasks(
        fetch_object,
        {
            "MiniGrid-Fetch-5x5-N2-v0": 125,
            "MiniGrid-Fetch-6x6-N2-v0": 180,
            "MiniGrid-Fetch-8x8-N3-v0": 320,
        },
        clears_objects=False,
    ),
    *_tasks(
        stand_before_object,
        {
            "MiniGrid-GoToObject-6x6-N2-v0": 180,
            "MiniGrid-GoToObject-8x8-N2-v0": 320,
        },
        clears_objects=False,
    ),
    *_tasks(
        stand_before_door,
        {
            "MiniGrid-GoToDoor-5x5-v0": 100,
            "MiniGrid-GoToDoor-6x6-v0": 144,
            "MiniGrid-GoToDoor-8x8-v0": 256,
        },
    ),
    *_tasks(
        put_near,
        {
            "MiniGrid-PutNear-6x6-N2-v0": 30,
            "MiniGrid-PutNear-8x8-N3-v0": 40,
        },
        clears_objects=False,
    ),
    *_tasks(
        open_door,
        {
            "MiniGrid-Unlock-v0": 288,
        },
    ),
    *_tasks(
        open_red_door_then_blue,
        {
            "MiniGrid-RedBlueDoors-6x6-v0": 720,
            "MiniGrid-RedBlueDoors-8x8-v0": 1280,
        },
    ),
    *_tasks(
        walk_to_the_match,
        {
            "MiniGrid-MemoryS17Random-v0": 1445,
            "MiniGrid-MemoryS13Random-v0": 845,
            "MiniGrid-MemoryS13-v0": 845,
            "MiniGrid-MemoryS11-v0": 605,
            "MiniGrid-MemoryS9-v0": 405,
            "MiniGrid-MemoryS7-v0": 245,
        },
    ),
)
