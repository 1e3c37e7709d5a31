# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
from collections import deque

import numpy as np
import pytest
from helpers.sokoban_levels import IN_A_CORNER, ONE_PUSH, level_of, play
from hypothesis import given, settings
from hypothesis import strategies as st

from gato_hub.suites import ExpertFailed
from gato_hub.suites.environments.sokoban import DOWN, LEFT, RIGHT, UP, Level, generate_level
from gato_hub.suites.experts.sokoban_solver import Solver
from gato_hub.suites.sokoban import SEARCH_WEIGHT

AROUND_THE_BOX = """
######
#    #
#.$@ #
#    #
######
"""
TWO_BOXES = """
#######
#.   .#
# $ $ #
#  @  #
#######
"""
UNSOLVABLE = {
    "corner": IN_A_CORNER,
    "wall without target": """
        ######
        # $  #
        #  @ #
        #  . #
        ######""",
    "pair at a wall": """
        ######
        # $$ #
        #  @ #
        #..  #
        ######""",
    "square of boxes": """
        #######
        #     #
        # $$  #
        # $$@ #
        #     #
        #.. ..#
        #######""",
    "one box too many at a wall": """
        #######
        #.$ $ #
        #  @  #
        #  .  #
        #######""",
    "closed room": """
        #######
        #@ #  #
        #  #$.#
        #######""",
}


def shortest_length(level: Level) -> int | None:
    """By a search through every position that can be reached, None where none is solved."""
    lengths = {level: 0}
    queue = deque(lengths)
    while queue:
        position = queue.popleft()
        if position.solved:
            return lengths[position]
        for action in (UP, DOWN, LEFT, RIGHT):
            following = position.after(action)
            if following not in lengths:
                lengths[following] = lengths[position] + 1
                queue.append(following)
    return None


def test_solutions_of_hand_made_levels_are_known():
    level = level_of(ONE_PUSH)
    assert Solver(level).solve(level) == [RIGHT]
    level = level_of(AROUND_THE_BOX)
    assert Solver(level).solve(level) == [LEFT]
    # Each box goes up once and aside once: under it, up, around to its inner side, aside.
    level = level_of(TWO_BOXES)
    solution = Solver(level).solve(level)
    assert play(level, solution).solved and len(solution) == shortest_length(level)


@settings(max_examples=60)
@given(
    size_and_boxes=st.sampled_from([(5, 1), (5, 2), (6, 2)]),
    seed=st.integers(0, 2**31 - 1),
    steps=st.lists(st.sampled_from([UP, DOWN, LEFT, RIGHT]), max_size=30),
)
def test_solutions_are_the_shortest_and_missing_only_where_there_is_none(size_and_boxes, seed, steps):
    level = generate_level(*size_and_boxes, np.random.default_rng(seed))
    solver = Solver(level)
    level = play(level, steps)
    shortest = shortest_length(level)
    if shortest is None:
        with pytest.raises(ExpertFailed, match="can't be solved any more"):
            solver.solve(level)
    else:
        solution = solver.solve(level)
        assert play(level, solution).solved and len(solution) == shortest
        faster = solver.solve(level, SEARCH_WEIGHT)
        assert play(level, faster).solved and len(faster) <= SEARCH_WEIGHT * shortest


@pytest.mark.parametrize("kind", UNSOLVABLE)
def test_levels_without_solution_are_given_up(kind):
    level = level_of(UNSOLVABLE[kind])
    with pytest.raises(ExpertFailed, match="can't be solved any more"):
        Solver(level).solve(level)


def test_long_searches_are_given_up():
    level = generate_level(10, 4, np.random.default_rng(0))
    with pytest.raises(ExpertFailed, match="among 3 positions"):
        Solver(level).solve(level, most_positions=3)
