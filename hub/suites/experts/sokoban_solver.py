# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Finds short solutions of a Sokoban level by A* search (Hart, Nilsson and Raphael, 1968; weighted: Pohl, 1970)."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from ..task import ExpertFailed

if TYPE_CHECKING:
    from ..environments.sokoban import Level

Boxes = frozenset[int]
Position = tuple[int, Boxes]  # the cells of the player and of the boxes

MOST_POSITIONS = 20_000  # a few seconds


class Solver:
    """Solves any position of one level. Walls and targets are fixed; the player and the boxes may be anywhere.

    The search goes from push to push. A push costs its own step and the walk to it, so solutions are short in steps,
    not only in pushes. The lower bound on the steps left is the least number of pushes that take each box to a target
    of its own, if no other box were there. A position is skipped if a box could not reach a target even alone, or if
    boxes block each other forever.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        self._pushes = [self._least_pushes(target) for target in sorted(level.targets)]
        self._useful_cells = frozenset(itertools.chain.from_iterable(self._pushes))
        self._bounds: dict[Boxes, float] = {}

    def solve(self, level: Level, weight: float = 1.0, most_positions: int = MOST_POSITIONS) -> list[int]:
        """Returns the actions of a solution.

        Args:
            level: The position to start from, with the walls and targets of this solver's level.
            weight: Weight of the bound in the search. 1 gives a shortest solution. A larger weight is faster and gives
                a solution of at most `weight` times as many steps.
            most_positions: Give up after this many positions.

        Raises:
            ExpertFailed: There is no solution, or none was found among `most_positions` positions.
        """
        start, directions = (level.player, level.boxes), level.directions
        steps = {start: 0}
        pushes: dict[Position, tuple[Position, int]] = {}  # the position before each one, and the direction
        done: set[Position] = set()
        order = itertools.count()  # breaks ties: first found, first searched
        queue = [(weight * self._bound(level.boxes), 0, next(order), start)]
        while queue:
            position = heapq.heappop(queue)[-1]
            if position in done:
                continue
            player, boxes = position
            if boxes == level.targets:
                return self._actions(position, pushes)
            done.add(position)
            if len(done) > most_positions:
                raise ExpertFailed(f"found no solution among {most_positions} positions")
            walks = replace(level, player=player, boxes=boxes).walks()
            for box, direction in itertools.product(sorted(boxes), directions):
                ahead = box + direction
                if box - direction not in walks or ahead not in self._useful_cells or ahead in boxes:
                    continue
                pushed = (box, boxes - {box} | {ahead})
                pushed_steps = steps[position] + walks[box - direction] + 1
                if pushed_steps >= steps.get(pushed, math.inf):
                    continue
                bound = self._bound(pushed[1])
                if bound < math.inf and not self._holds_boxes_off_target(ahead, pushed[1]):
                    steps[pushed] = pushed_steps
                    pushes[pushed] = position, direction
                    heapq.heappush(queue, (pushed_steps + weight * bound, -pushed_steps, next(order), pushed))
        raise ExpertFailed("the level can't be solved any more")

    def _least_pushes(self, target: int) -> dict[int, int]:
        """Returns how many pushes take a box from each cell to the target, if no other box is in the level."""
        floor = self.level.floor
        pushes = {target: 0}
        queue = deque(pushes)
        while queue:
            cell = queue.popleft()
            for direction in self.level.directions:
                origin, player = cell - direction, cell - 2 * direction
                if origin in floor and player in floor and origin not in pushes:
                    pushes[origin] = pushes[cell] + 1
                    queue.append(origin)
        return pushes

    def _bound(self, boxes: Boxes) -> float:
        """Returns the least number of pushes that put each box on a target of its own; infinite if impossible."""
        if boxes not in self._bounds:
            sums = {0: 0}  # pushes of the boxes so far, by the set of targets they take, one bit each
            for box in boxes:
                longer: dict[int, int] = {}
                for taken, pushes in sums.items():
                    for index, pushes_to_target in enumerate(self._pushes):
                        if not taken >> index & 1 and box in pushes_to_target:
                            both, pushes_of_both = taken | 1 << index, pushes + pushes_to_target[box]
                            longer[both] = min(longer.get(both, pushes_of_both), pushes_of_both)
                sums = longer
            self._bounds[boxes] = min(sums.values(), default=math.inf)
        return self._bounds[boxes]

    def _holds_boxes_off_target(self, box: int, boxes: Boxes) -> bool:
        """Returns whether the box is stuck for good together with others, and not all of them are on targets."""
        return not self._held_with(box, boxes, frozenset()) <= self.level.targets

    def _held_with(self, box: int, boxes: Boxes, held: Boxes) -> Boxes:
        """Returns the stuck boxes around this one, itself included, if those in `held` do not move; else no box.

        A box is stuck if it can move neither along its row nor along its column.
        """
        held |= {box}
        for direction in (1, self.level.columns):
            sides = box - direction, box + direction
            if any(side not in self.level.floor or side in held for side in sides):
                continue
            if not any(side in self._useful_cells for side in sides):
                continue
            groups = (self._held_with(side, boxes, held) for side in sides if side in boxes)
            held = next((group for group in groups if group), frozenset())
            if not held:
                return held
        return held

    def _actions(self, position: Position, pushes: dict[Position, tuple[Position, int]]) -> list[int]:
        """Returns the walks and pushes from the start to the position."""
        actions: list[int] = []
        while position in pushes:
            pushed_box = position[0]  # the player stands where the box was
            position, direction = pushes[position]
            actions.append(self.level.directions.index(direction))
            player, boxes = position
            level = replace(self.level, player=player, boxes=boxes)
            actions += reversed(_walk(level, pushed_box - direction))
        return actions[::-1]


def _walk(level: Level, goal: int) -> list[int]:
    """Returns the actions of a shortest walk to the goal."""
    back = replace(level, player=goal).walks()
    actions = []
    cell = level.player
    while cell != goal:
        action, cell = next(
            (action, cell + direction)
            for action, direction in enumerate(level.directions)
            if back.get(cell + direction) == back[cell] - 1
        )
        actions.append(action)
    return actions
