# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A planner for the grid worlds of minigrid that knows no more than the agent has seen in the episode.

So its demonstrations can be imitated from the views: where a planner with the whole map would walk straight to a key
in a room that nobody has looked into, this one looks for it. What is not seen yet counts as free until it is seen.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

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
# What a way costs beside its actions: an object in the way has to be carried off, a locked door needs its key.
CLEARING_COST = 10
UNLOCKING_COST = 20
# Far over the first, so that the planner does not turn to another locked door while it fetches the key of one.
OTHER_UNLOCKING_COST = 100


def _cells(way: list[Pose]) -> list[Position]:
    return [(x, y) for x, y, _ in way]


def _front(pose: Pose) -> Position:
    x, y, direction = pose
    dx, dy = STEPS[direction]
    return x + dx, y + dy


class GridPlanner:
    """Plans in one episode of an environment of minigrid. Methods that give an action give the next one to take.

    The next action follows from the true present state of what has been seen, so it is right whatever was executed
    before. Kept from call to call are only choices that would waver: where to put down what is carried, and which
    locked door to open.

    Attributes:
        forbidden: cells not to step on.
        clears_objects: whether objects in the way are carried off; otherwise they are walked around.
    """

    def __init__(
        self,
        environment: gymnasium.Env,
        *,
        known: Iterable[Position] = (),
        clears_objects: bool = True,
        objects_move: bool = False,
    ):
        """Begins with the present view, and with cells whose content is `known` because it never changes.

        Where `objects_move` by themselves, only what is in view now counts as seen.
        """
        self.world = environment.unwrapped
        self.forbidden: Collection[Position] = ()
        self.clears_objects = clears_objects
        self._objects_move = objects_move
        self._known = np.zeros((self.world.width, self.world.height), dtype=bool)
        for position in known:
            self._known[position] = True
        self._seen = self._known.copy()
        # What is to be put down, and where. Chosen once: the best place changes with each step towards it.
        self._put_down = None
        self._put_down_place: Position | None = None
        # Locked doors whose keys were set out for.
        self._doors_to_unlock: set[Position] = set()
        self.look()

    def look(self) -> None:
        """Takes in the present view. To be called before each action is planned."""
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
        x, y = self.world.agent_pos
        return int(x), int(y)

    @property
    def direction(self) -> int:
        return int(self.world.agent_dir)

    @property
    def carried(self):
        """The object in the agent's hands, or None."""
        return self.world.carrying

    def has_seen(self, position: Position) -> bool:
        return bool(self._seen[position])

    def thing_at(self, position: Position):
        """The object of minigrid that is known to be there; None where the cell is empty or not yet seen."""
        return self.world.grid.get(*position) if self._seen[position] else None

    def find(self, kind: str, colour: str | None = None) -> set[Position]:
        """The cells that are known to hold such an object."""
        return {
            position
            for position in map(tuple, np.argwhere(self._seen).tolist())
            if (thing := self.world.grid.get(*position)) is not None
            and thing.type == kind
            and colour in (None, thing.color)
        }

    def empty_cells(self) -> set[Position]:
        """The cells that are known to be empty. The agent may stand on one of them."""
        return {
            position
            for position in map(tuple, np.argwhere(self._seen).tolist())
            if self.world.grid.get(*position) is None
        }

    def approach(self, targets: Collection[Position], shut: frozenset[str] = frozenset()) -> int | None:
        """The next action on the cheapest way to face one of the cells; None when the agent faces one.

        On the way doors are opened, keys are fetched for locked ones, and objects are carried off.

        Args:
            targets: cells to face. Without any the planner looks at what it has not seen, to find some.
            shut: colours of locked doors that are no way.

        Raises:
            ExpertFailed: there is no way, or nothing left to look at.
        """
        if not targets:
            return self._face_unseen(shut, boxes=set())
        way = self._cheapest_way(targets, shut)
        if way is None:
            raise ExpertFailed("the planner finds no way")
        for position in _cells(way[1:]):
            thing = self.thing_at(position)
            if position == self.position or thing is None:
                continue
            if thing.type == "door" and thing.is_locked and not self._holds_key(thing.color):
                self._doors_to_unlock.add(position)
                return self._take_key(thing.color, shut, keep_free=_cells(way))
            if thing.type in MOVABLE:
                return self.take({position}, shut, keep_free=_cells(way))
        return self._follow(way)

    def enter(self, targets: Collection[Position]) -> int:
        """The next action on the cheapest way onto one of the cells."""
        action = self.approach(targets)
        return FORWARD if action is None else action

    def take(
        self,
        targets: Collection[Position],
        shut: frozenset[str] = frozenset(),
        keep_free: Collection[Position] = (),
    ) -> int:
        """The next action to pick up what lies in one of the cells. What is carried is put down first, not on the
        way, nor in the cells `keep_free`."""
        if self.carried is not None and targets:
            way = self._cheapest_way(targets, shut) or []
            return self.put_down([*_cells(way), *keep_free])
        action = self.approach(targets, shut)
        return PICK_UP if action is None else action

    def drop_at(self, targets: Collection[Position]) -> int:
        """The next action to drop what is carried in one of the cells."""
        action = self.approach(targets)
        return DROP if action is None else action

    def open(self, targets: Collection[Position]) -> int:
        """The next action to open one of the doors in these cells, fetching its key if it is locked."""
        for position in sorted(targets):
            door = self.thing_at(position)
            if door.is_locked and not self._holds_key(door.color):
                return self._take_key(door.color, frozenset(), keep_free=())
        action = self.approach(targets)
        return TOGGLE if action is None else action

    def put_down(self, keep_free: Collection[Position] = ()) -> int:
        """The next action to put down what is carried, where it cuts nothing off and not in the cells `keep_free`."""
        free = self.empty_cells()
        way = None
        if self._put_down is self.carried and self._put_down_place in free:
            way = self._cheapest_way({self._put_down_place}, clearing=False)
        if way is None:
            way = self._way_to_put_down(free, keep_free)
            self._put_down = self.carried
            self._put_down_place = _front(way[-1])
        action = self._follow(way)
        return DROP if action is None else action

    def _way_to_put_down(self, free: set[Position], keep_free: Collection[Position]) -> list[Pose]:
        reached = self._reachable(self.position)

        def cuts_nothing_off(pose: Pose) -> bool:
            return reached - {_front(pose)} <= self._reachable(pose[:2], blocked=_front(pose))

        aside = free - set(keep_free)
        way = (
            self._cheapest_way(aside, clearing=False, accept=cuts_nothing_off)
            or self._cheapest_way(aside, clearing=False)
            or self._cheapest_way(free, clearing=False)  # rather in the way than not at all
        )
        if way is None:
            raise ExpertFailed("the planner finds no place to put down what it carries")
        return way

    def _holds_key(self, colour: str) -> bool:
        return self.carried is not None and self.carried.type == "key" and self.carried.color == colour

    def _take_key(self, colour: str, shut: frozenset[str], keep_free: Collection[Position]) -> int:
        """The next action to hold a key of that colour. The doors that it opens are no way to it."""
        keys = self.find("key", colour)
        if keys:
            return self.take(keys, shut | {colour}, keep_free)
        if self.carried is not None and self.carried.type == "box":  # the key may be in it
            return self.put_down(keep_free)
        from minigrid.core.constants import COLOR_NAMES

        without_key = {colour for colour in COLOR_NAMES if not self.find("key", colour)}
        return self._face_unseen(shut | without_key, boxes=self.find("box"))

    def _face_unseen(self, shut: frozenset[str], boxes: set[Position]) -> int:
        """The next action to see a cell that was not seen, or to look into a box."""
        unknown = set(map(tuple, np.argwhere(~self._seen).tolist())) | boxes
        if not unknown:
            raise ExpertFailed("the planner has seen everything, and not what it looks for")
        action = self.approach(unknown, shut)
        return TOGGLE if action is None else action

    def _follow(self, way: list[Pose]) -> int | None:
        """The first action on the way, None at its end. A closed door before the agent is opened."""
        if len(way) == 1:
            return None
        (_x, _y, direction), (next_x, next_y, next_direction) = way[:2]
        if direction != next_direction:
            return RIGHT if next_direction == (direction + 1) % 4 else LEFT
        thing = self.thing_at((next_x, next_y))
        return TOGGLE if thing is not None and thing.type == "door" and not thing.is_open else FORWARD

    def _entering_cost(self, position: Position, shut: frozenset[str], clearing: bool) -> int | None:
        """Cost of a step onto the cell, None where no step leads there."""
        if position in self.forbidden:
            return None
        thing = self.thing_at(position)
        if thing is None:
            return 1
        if thing.type == "door":
            if not thing.is_locked:
                return 1 if thing.is_open else 2
            if self._holds_key(thing.color):
                return 2
            if thing.color in shut or not clearing:
                return None
            return UNLOCKING_COST if position in self._doors_to_unlock else OTHER_UNLOCKING_COST
        if thing.type in MOVABLE:
            return 1 + CLEARING_COST if clearing and self.clears_objects else None
        return 1 if thing.type in ("goal", "floor") else None

    def _cheapest_way(
        self,
        targets: Collection[Position],
        shut: frozenset[str] = frozenset(),
        clearing: bool = True,
        accept: Callable[[Pose], bool] = lambda pose: True,
    ) -> list[Pose] | None:
        """Dijkstra's algorithm over poses (column, row, direction).

        Args:
            targets: cells to face.
            shut: colours of locked doors that are no way.
            clearing: whether the way may lead over what has to be carried off, and through locked doors.
            accept: further condition on a target, asked once of each, the nearest first, with the pose that faces it.

        Returns:
            The poses from the present one to one that faces a target, None if there are none.
        """
        start = (*self.position, self.direction)
        came_from = {start: None}
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
                    way = [pose]
                    while (pose := came_from[pose]) is not None:
                        way.append(pose)
                    return way[::-1]
                refused.add(front)
            moves = [((x, y, (direction + 1) % 4), 1), ((x, y, (direction - 1) % 4), 1)]
            if self._is_inside(front):
                step_cost = self._entering_cost(front, shut, clearing)
                if step_cost is not None:
                    moves.append(((*front, direction), step_cost))
            for neighbour, step_cost in moves:
                if cost + step_cost < costs.get(neighbour, np.inf):
                    costs[neighbour] = cost + step_cost
                    came_from[neighbour] = pose
                    heapq.heappush(queue, (cost + step_cost, neighbour))
        return None

    def _is_inside(self, position: Position) -> bool:
        return 0 <= position[0] < self.world.width and 0 <= position[1] < self.world.height

    def _reachable(self, start: Position, blocked: Position | None = None) -> set[Position]:
        """The cells that can be got to, or touched, without moving an object; all doors count as open."""
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
"""Gives the next action towards the end of one kind of level."""


def policy_of(planner: GridPlanner, next_action: NextAction) -> Policy:
    """The policy that looks at each new view and then takes the next action."""

    def policy(observation) -> int:
        planner.look()
        return next_action(planner)

    return policy
