# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest

from gato_hub.suites import ExpertFailed, find_task
from gato_hub.suites.experts.grid_planner import FORWARD, LEFT, PICK_UP, GridPlanner


def begin(drawing, direction=0, task_id="minigrid/empty-random-6x6"):
    """A level as drawn: # wall, . free, > agent, G goal, D door, L locked door, K its key, B box, O ball."""
    from minigrid.core.grid import Grid
    from minigrid.core.world_object import Ball, Box, Door, Goal, Key, Wall

    make = {
        "#": Wall,
        "G": Goal,
        "D": lambda: Door("red"),
        "L": lambda: Door("red", is_locked=True),
        "K": lambda: Key("red"),
        "B": lambda: Box("blue", contains=Key("red")),
        "O": lambda: Ball("green"),
    }
    environment = find_task(task_id).make_environment()
    environment.reset(seed=0)
    level = environment.unwrapped
    rows = drawing.split()
    level.width, level.height = len(rows[0]), len(rows)
    level.grid = Grid(level.width, level.height)
    for y, row in enumerate(rows):
        for x, mark in enumerate(row):
            if mark in make:
                level.put_obj(make[mark](), x, y)
            elif mark == ">":
                level.agent_pos, level.agent_dir = (x, y), direction
    level.see_through_walls = False
    level.step_count = 0
    return environment


def solve(environment, next_action, known=(), most_steps=200):
    """The number of steps to the goal."""
    planner = GridPlanner(environment, known=known)
    for steps in range(1, most_steps):
        planner.look()
        _, _reward, terminated, _, _ = environment.step(next_action(planner))
        if terminated:
            return steps
    raise AssertionError("not solved")


def reach_goal(planner):
    return planner.enter(planner.find("goal"))


def test_shortest_way_is_taken():
    environment = begin(
        """
        #######
        #>...G#
        #######
        """
    )
    assert solve(environment, reach_goal) == 4


def test_closed_doors_are_opened():
    environment = begin(
        """
        #######
        #>.D.G#
        #######
        """
    )
    assert solve(environment, reach_goal, known=[(5, 1)]) == 5


def test_key_is_fetched_for_a_locked_door():
    environment = begin(
        """
        #######
        #>..#G#
        #...L.#
        #K..###
        #######
        """
    )
    solve(environment, reach_goal)


def test_box_is_opened_where_no_key_is_in_sight():
    environment = begin(
        """
        #######
        #>..#G#
        #...L.#
        #B..###
        #######
        """
    )
    solve(environment, reach_goal)


def test_object_in_the_way_is_carried_off_also_where_it_hides_the_key():
    for hindrance in ("OK", "B."):
        environment = begin(
            f"""
            #######
            #>..#G#
            #..{hindrance[0]}L.#
            #{hindrance[1]}..###
            #######
            """
        )
        solve(environment, reach_goal)


def test_what_has_not_been_seen_is_not_known():
    """The goal is round two corners behind the agent: it is looked for, not walked to."""
    environment = begin(
        """
        #########
        #...>...#
        ###.#####
        #G..#####
        #########
        """
    )
    planner = GridPlanner(environment)
    assert planner.find("goal") == set()
    assert not planner.has_seen((1, 3))
    assert GridPlanner(environment, known=[(1, 3)]).find("goal") == {(1, 3)}
    assert solve(environment, reach_goal) > 8


def test_object_is_not_put_down_in_the_way_nor_where_it_cuts_something_off():
    environment = begin(
        """
        #######
        #>O...#
        ###.###
        ###K###
        #######
        """
    )
    planner = GridPlanner(environment)
    level = environment.unwrapped
    while level.carrying is None or level.carrying.type != "key":
        planner.look()
        environment.step(planner.take(planner.find("key")))
        assert level.step_count < 50
    assert planner.find("ball") <= {(1, 1), (5, 1)}


def test_object_is_not_put_down_behind_the_agent_where_it_shuts_the_way_back():
    environment = begin(
        """
        #######
        #..K..#
        ###.###
        ###O###
        ###.###
        ###.###
        #######
        """
    )
    level = environment.unwrapped
    level.agent_pos, level.agent_dir, level.carrying = (3, 3), 1, level.grid.get(3, 3)
    level.grid.set(3, 3, None)
    planner = GridPlanner(environment, known=[(x, y) for x in range(7) for y in range(7)])
    while level.carrying is not None:
        planner.look()
        environment.step(planner.put_down())
        assert level.step_count < 50
    assert planner.find("ball") <= {(1, 1), (5, 1), (3, 5)}


def test_planner_says_where_there_is_no_way():
    environment = begin(
        """
        #####
        #>.L#
        #####
        """
    )
    with pytest.raises(ExpertFailed):
        solve(environment, reach_goal)


def test_next_action_follows_from_the_true_state_whatever_was_executed():
    environment = begin(
        """
        #####
        #>.K#
        #####
        """
    )
    planner = GridPlanner(environment)

    def plan():
        planner.look()
        return planner.take({(3, 1)})

    assert plan() == FORWARD
    environment.step(1)  # it turned right instead
    assert plan() == LEFT
    environment.step(LEFT)
    environment.step(FORWARD)
    assert plan() == PICK_UP
