# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A* search (Hart, Nilsson and Raphael, 1968; weighted: Pohl, 1970) for short solutions of a Sokoban level."""

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
Position = tuple[int, Boxes]  # the player's cell and those of the boxes

MOST_POSITIONS = 20_000  # a few seconds


class Solver:
    """Solves positions of one level: walls and targets stay, player and boxes may be anywhere.

    The search goes from push to push. A push costs its step and the walk to it, so solutions are short in steps, not
    in pushes alone. The bound on the steps left is the least number of pushes that take each box to a target of its
    own, as if no other were there. Left out is what can't be solved any more: a box in a cell from which it reaches no
    target even alone, and boxes that hold each other for ever.
    """

    def __init__(self, level: Level):
        self.level = level
        self._pushes = [self._least_pushes(target) for target in sorted(level.targets)]
        self._useful_cells = frozenset(itertools.chain.from_iterable(self._pushes))
        self._bounds: dict[Boxes, float] = {}

    def solve(self, level: Level, weight: float = 1.0, most_positions: int = MOST_POSITIONS) -> list[int]:
        """The actions of a solution of `level`, which has the walls and targets of this solver's level.

        Args:
            level: the position to start from.
            weight: of the bound in the search. 1 gives a shortest solution; a larger weight is faster and gives one
                of at most `weight` times as many steps.
            most_positions: the search gives up after as many.

        Raises:
            ExpertFailed: there is no solution, or none was found among `most_positions` positions.
        """
        start, directions = (level.player, level.boxes), level.directions
        steps = {start: 0}
        pushes: dict[Position, tuple[Position, int]] = {}  # what led to a position: the one before, the direction
        done: set[Position] = set()
        order = itertools.count()  # of two equal positions the first found goes first
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
        """How many pushes take a lone box to the target, from each cell from which it can get there."""
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
        """The least sum of pushes with each box on a target of its own, infinite where that can't be."""
        if boxes not in self._bounds:
            sums = {0: 0}  # of the boxes so far, by the set of targets that they take, a bit each
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
        """Whether the box can never move again, or only to no use, and is off the targets or holds a box there."""
        return not self._held_with(box, boxes, frozenset()) <= self.level.targets

    def _held_with(self, box: int, boxes: Boxes, held: Boxes) -> Boxes:
        """The boxes that hold this one and each other, itself among them, if those in `held` do not move; else none.

        A box is held where it can move neither along the row nor along the column.
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
        """The walks and pushes from the start to the position."""
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
    """The actions of a shortest walk to the goal."""
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
