# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A planner for the grid worlds of minigrid that knows only what the agent has seen in the episode.

An agent that sees only its view can therefore imitate the planner. A planner with the whole map would walk straight to
a key in a room that nobody has looked into; this one searches for it. Cells that were not seen yet count as free.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..task import ExpertFailed, Policy

if TYPE_CHECKING:
    import gymnasium

Position = tuple[int, int]
"""Column and row of a cell."""
Pose = tuple[int, int, int]
"""Column, row and direction of the agent."""

LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE, DONE = range(7)
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""The step forward, in columns and rows, for each direction of the agent."""

MOVABLE = ("key", "ball", "box")
# Extra costs of a path: an object in the way must be carried off, and a locked door needs its key.
CLEARING_COST = 10
UNLOCKING_COST = 20
# Much higher than the cost above, so that the planner, on its way to one door's key, never switches to another door.
OTHER_UNLOCKING_COST = 100


def _cells(path: list[Pose]) -> list[Position]:
    return [(x, y) for x, y, _ in path]


def _marked_cells(marks: np.ndarray) -> list[Position]:
    """Returns the cells that are True in an array (columns, rows)."""
    return [(x, y) for x, y in np.argwhere(marks).tolist()]


def _path_to(pose: Pose, came_from: dict[Pose, Pose | None]) -> list[Pose]:
    """Returns the path to a pose, given the pose before each one."""
    path = []
    before: Pose | None = pose
    while before is not None:
        path.append(before)
        before = came_from[before]
    return path[::-1]


def _front(pose: Pose) -> Position:
    x, y, direction = pose
    dx, dy = STEPS[direction]
    return x + dx, y + dy


class GridPlanner:
    """Plans in one episode of a minigrid environment. A method that returns an action returns the next one to take.

    The next action depends only on the current state of what has been seen, so it is right whichever actions were
    executed before. The planner remembers only choices that could flip from step to step: where to put down what is
    carried, and which locked door to open.

    Attributes:
        forbidden: Cells that the agent must not step on.
        clears_objects: Whether to carry off objects in the way. If False, the planner walks around them.
    """

    def __init__(
        self,
        environment: gymnasium.Env,
        *,
        known: Iterable[Position] = (),
        clears_objects: bool = True,
        objects_move: bool = False,
    ) -> None:
        """Takes in the first view.

        Args:
            environment: An environment of minigrid, after a reset.
            known: Cells that count as seen from the start, because their content never changes.
            clears_objects: Whether to carry off objects in the way.
            objects_move: Whether objects move by themselves. If so, only cells in the current view count as seen.
        """
        self.world = cast(Any, environment.unwrapped)
        self.forbidden: Collection[Position] = ()
        self.clears_objects = clears_objects
        self._objects_move = objects_move
        self._known = np.zeros((self.world.width, self.world.height), dtype=bool)
        for position in known:
            self._known[position] = True
        self._seen = self._known.copy()
        # The object to put down, and where. The place is chosen once: the best one changes with each step toward it.
        self._put_down: Any = None
        self._put_down_place: Position | None = None
        # Locked doors whose keys the planner has begun to fetch.
        self._doors_to_unlock: set[Position] = set()
        self.look()

    def look(self) -> None:
        """Takes in the current view. Call it before planning each action."""
        if self._objects_move:
            self._seen = self._known.copy()
        _, visible = self.world.gen_obs_grid()
        columns, rows = np.nonzero(visible)
        size = self.world.agent_view_size
        ahead, right = size - 1 - rows, columns - size // 2
        (x, y), (dx, dy) = self.position, STEPS[self.direction]
        xs, ys = x + dx * ahead - dy * right, y + dy * ahead + dx * right
        inside = (xs >= 0) & (xs < self.world.width) & (ys >= 0) & (ys < self.world.height)
        self._seen[xs[inside], ys[inside]] = True

    @property
    def position(self) -> Position:
        """The agent's cell."""
        x, y = self.world.agent_pos
        return int(x), int(y)

    @property
    def direction(self) -> int:
        """The agent's direction: an index into `STEPS`."""
        return int(self.world.agent_dir)

    @property
    def carried(self) -> Any:
        """The object of minigrid that the agent carries, or None."""
        return self.world.carrying

    def has_seen(self, position: Position) -> bool:
        """Returns whether the content of a cell is known."""
        return bool(self._seen[position])

    def thing_at(self, position: Position) -> Any:
        """Returns the object of minigrid known to be in a cell; None if the cell is empty or was not seen."""
        return self.world.grid.get(*position) if self._seen[position] else None

    def find(self, kind: str, color: str | None = None) -> set[Position]:
        """Returns the cells known to hold an object of this kind, and of this color if one is given."""
        return {
            position
            for position in _marked_cells(self._seen)
            if (thing := self.world.grid.get(*position)) is not None
            and thing.type == kind
            and color in (None, thing.color)
        }

    def empty_cells(self) -> set[Position]:
        """Returns the cells known to be empty. The agent may stand on one of them."""
        return {position for position in _marked_cells(self._seen) if self.world.grid.get(*position) is None}

    def approach(self, targets: Collection[Position], shut: frozenset[str] = frozenset()) -> int | None:
        """Returns the next action on the cheapest path to face one of the cells; None if the agent faces one now.

        On its path the agent opens doors, fetches the keys of locked ones, and carries objects off.

        Args:
            targets: Cells to face. If there are none, the planner explores cells that it has not seen.
            shut: Colors of locked doors that no path may lead through.

        Raises:
            ExpertFailed: There is no path, or nothing is left to explore.
        """
        if not targets:
            return self._face_unseen(shut, boxes=set())
        path = self._cheapest_path(targets, shut)
        if path is None:
            raise ExpertFailed("the planner finds no way")
        for position in _cells(path[1:]):
            thing = self.thing_at(position)
            if position == self.position or thing is None:
                continue
            if thing.type == "door" and thing.is_locked and not self._holds_key(thing.color):
                self._doors_to_unlock.add(position)
                return self._take_key(thing.color, shut, keep_free=_cells(path))
            if thing.type in MOVABLE:
                return self.take({position}, shut, keep_free=_cells(path))
        return self._follow(path)

    def enter(self, targets: Collection[Position]) -> int:
        """Returns the next action on the cheapest path onto one of the cells."""
        action = self.approach(targets)
        return FORWARD if action is None else action

    def take(
        self,
        targets: Collection[Position],
        shut: frozenset[str] = frozenset(),
        keep_free: Collection[Position] = (),
    ) -> int:
        """Returns the next action to pick up the object in one of the cells.

        What the agent carries is put down first, but not on its path and not in the cells `keep_free`.
        """
        if self.carried is not None and targets:
            path = self._cheapest_path(targets, shut) or []
            return self.put_down([*_cells(path), *keep_free])
        action = self.approach(targets, shut)
        return PICK_UP if action is None else action

    def drop_at(self, targets: Collection[Position]) -> int:
        """Returns the next action to drop what the agent carries in one of the cells."""
        action = self.approach(targets)
        return DROP if action is None else action

    def open(self, targets: Collection[Position]) -> int:
        """Returns the next action to open one of the doors in these cells, after fetching its key if it is locked."""
        for position in sorted(targets):
            door = self.thing_at(position)
            if door.is_locked and not self._holds_key(door.color):
                return self._take_key(door.color, frozenset(), keep_free=())
        action = self.approach(targets)
        return TOGGLE if action is None else action

    def put_down(self, keep_free: Collection[Position] = ()) -> int:
        """Returns the next action to put down what the agent carries.

        It goes where it blocks no passage and not in the cells `keep_free`, unless there is no such place.
        """
        free = self.empty_cells()
        path = None
        if self._put_down is self.carried and self._put_down_place in free:
            path = self._cheapest_path({self._put_down_place}, clearing=False)
        if path is None:
            path = self._path_to_put_down(free, keep_free)
            self._put_down = self.carried
            self._put_down_place = _front(path[-1])
        action = self._follow(path)
        return DROP if action is None else action

    def _path_to_put_down(self, free: set[Position], keep_free: Collection[Position]) -> list[Pose]:
        reached = self._reachable(self.position)

        def cuts_nothing_off(pose: Pose) -> bool:
            return reached - {_front(pose)} <= self._reachable(pose[:2], blocked=_front(pose))

        aside = free - set(keep_free)
        path = (
            self._cheapest_path(aside, clearing=False, accept=cuts_nothing_off)
            or self._cheapest_path(aside, clearing=False)
            or self._cheapest_path(free, clearing=False)  # a place in the way is better than none
        )
        if path is None:
            raise ExpertFailed("the planner finds no place to put down what it carries")
        return path

    def _holds_key(self, color: str) -> bool:
        return self.carried is not None and self.carried.type == "key" and self.carried.color == color

    def _take_key(self, color: str, shut: frozenset[str], keep_free: Collection[Position]) -> int:
        """Returns the next action to take a key of this color. No path to it leads through the doors it opens."""
        keys = self.find("key", color)
        if keys:
            return self.take(keys, shut | {color}, keep_free)
        if self.carried is not None and self.carried.type == "box":  # the key may be inside
            return self.put_down(keep_free)
        from minigrid.core.constants import COLOR_NAMES

        without_key = {color for color in COLOR_NAMES if not self.find("key", color)}
        return self._face_unseen(shut | without_key, boxes=self.find("box"))

    def _face_unseen(self, shut: frozenset[str], boxes: set[Position]) -> int:
        """Returns the next action to see a cell that was not seen, or to look into a box."""
        unknown = set(_marked_cells(np.logical_not(self._seen))) | boxes
        if not unknown:
            raise ExpertFailed("the planner has seen everything, and not what it looks for")
        action = self.approach(unknown, shut)
        return TOGGLE if action is None else action

    def _follow(self, path: list[Pose]) -> int | None:
        """Returns the first action of a path, which may be opening a door; None at the end of the path."""
        if len(path) == 1:
            return None
        (_, _, direction), (next_x, next_y, next_direction) = path[:2]
        if direction != next_direction:
            return RIGHT if next_direction == (direction + 1) % 4 else LEFT
        thing = self.thing_at((next_x, next_y))
        return TOGGLE if thing is not None and thing.type == "door" and not thing.is_open else FORWARD

    def _entering_cost(self, position: Position, shut: frozenset[str], clearing: bool) -> int | None:
        """Returns the cost of a step onto the cell; None if the agent cannot or must not step there."""
        if position in self.forbidden:
            return None
        thing = self.thing_at(position)
        if thing is None:
            return 1
        if thing.type == "door":
            return self._door_cost(position, thing, shut, clearing)
        if thing.type in MOVABLE:
            return 1 + CLEARING_COST if clearing and self.clears_objects else None
        return 1 if thing.type in ("goal", "floor") else None

    def _door_cost(self, position: Position, door: Any, shut: frozenset[str], clearing: bool) -> int | None:
        """Returns the cost of opening a door and stepping into it; None if it must stay locked."""
        if door.is_open and not door.is_locked:
            return 1
        if not door.is_locked or self._holds_key(door.color):
            return 2
        if door.color in shut or not clearing:
            return None
        return UNLOCKING_COST if position in self._doors_to_unlock else OTHER_UNLOCKING_COST

    def _cheapest_path(
        self,
        targets: Collection[Position],
        shut: frozenset[str] = frozenset(),
        clearing: bool = True,
        accept: Callable[[Pose], bool] = lambda pose: True,
    ) -> list[Pose] | None:
        """Finds the cheapest path by Dijkstra's algorithm over poses.

        Args:
            targets: Cells to face.
            shut: Colors of locked doors that no path may lead through.
            clearing: Whether the path may lead through locked doors and cells whose object must be carried off.
            accept: A further condition on a target. It is called once for each, nearest first, with the pose that
                faces the target.

        Returns:
            The poses from the current one to one that faces a target; None if there is no path.
        """
        start = (*self.position, self.direction)
        came_from: dict[Pose, Pose | None] = {start: None}
        costs = {start: 0}
        queue = [(0, start)]
        refused = set()
        while queue:
            cost, pose = heapq.heappop(queue)
            if cost > costs[pose]:
                continue
            x, y, direction = pose
            front = _front(pose)
            if front in targets and front not in refused:
                if accept(pose):
                    return _path_to(pose, came_from)
                refused.add(front)
            moves = [((x, y, (direction + 1) % 4), 1), ((x, y, (direction - 1) % 4), 1)]
            if self._is_inside(front):
                step_cost = self._entering_cost(front, shut, clearing)
                if step_cost is not None:
                    moves.append(((*front, direction), step_cost))
            for neighbor, step_cost in moves:
                if cost + step_cost < costs.get(neighbor, np.inf):
                    costs[neighbor] = cost + step_cost
                    came_from[neighbor] = pose
                    heapq.heappush(queue, (cost + step_cost, neighbor))
        return None

    def _is_inside(self, position: Position) -> bool:
        return 0 <= position[0] < self.world.width and 0 <= position[1] < self.world.height

    def _reachable(self, start: Position, blocked: Position | None = None) -> set[Position]:
        """Returns the cells that the agent can reach or touch without moving an object, if all doors were open."""
        reached = {start}
        border = [start]
        while border:
            x, y = border.pop()
            for dx, dy in STEPS:
                position = (x + dx, y + dy)
                if position in reached or not self._is_inside(position):
                    continue
                thing = self.thing_at(position)
                if position == blocked or (thing is not None and thing.type in ("wall", "lava")):
                    continue
                reached.add(position)
                if thing is None or thing.type not in MOVABLE:
                    border.append(position)
        return reached


NextAction = Callable[[GridPlanner], int]
"""Returns the next action toward solving one kind of level."""


def policy_of(planner: GridPlanner, next_action: NextAction) -> Policy:
    """Returns the policy that takes in each new view and then takes the next action."""

    def policy(observation: Any) -> int:
        planner.look()
        return next_action(planner)

    return policy
