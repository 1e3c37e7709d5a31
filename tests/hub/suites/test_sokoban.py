# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import textwrap
from collections import deque

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gato_hub.acting.noise import action_noise
from gato_hub.acting.rollout import random_policy, run_episode, run_expert
from gato_hub.suites import ExpertFailed
from gato_hub.suites.environments.sokoban import DOWN, LEFT, RIGHT, UP, Level, generate_level
from gato_hub.suites.experts.sokoban_solver import Solver
from gato_hub.suites.sokoban import HORIZON, SEARCH_WEIGHT, TASKS, make_environment, make_expert

ONE_PUSH = """
#####
#@$.#
#####
"""
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
    "corner": """
        #####
        #$  #
        # @ #
        #  .#
        #####""",
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


def level_of(text: str) -> Level:
    """Reads a level: `#` wall, ` ` floor, `.` target, `$` box, `*` box on a target, `@` player, `+` on a target."""
    lines = textwrap.dedent(text).strip("\n").split("\n")
    columns = max(map(len, lines))
    letters = "".join(line.ljust(columns, "#") for line in lines)

    def cells(kinds: str) -> frozenset[int]:
        return frozenset(cell for cell, letter in enumerate(letters) if letter in kinds)

    (player,) = cells("@+")
    return Level(len(lines), columns, cells(" .$*@+"), cells(".*+"), cells("$*"), player)


def play(level: Level, actions: list[int]) -> Level:
    for action in actions:
        level = level.after(action)
    return level


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


# ---------------------------------------------------------------------------------------------------------------
# Tasks and expert
# ---------------------------------------------------------------------------------------------------------------


def test_there_are_five_sizes():
    assert [task.id for task in TASKS] == [
        "sokoban/7x7-1-box",
        "sokoban/7x7-2-boxes",
        "sokoban/8x8-2-boxes",
        "sokoban/8x8-3-boxes",
        "sokoban/10x10-4-boxes",
    ]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_expert_solves_every_level(task):
    environment = task.make_environment()
    rollouts = [run_expert(task, environment, seed) for seed in task.evaluation_seeds[-8:]]
    assert all(rollout.success and rollout.failure is None for rollout in rollouts)
    for rollout in rollouts:
        assert all(map(environment.observation_space.contains, rollout.observations))
        assert rollout.rewards[-1] == pytest.approx(10.9)


def test_random_actions_solve_little():
    environment = TASKS[1].make_environment()
    rollouts = [run_episode(environment, seed, random_policy) for seed in range(20)]
    assert np.mean([rollout.success for rollout in rollouts]) <= 0.2
    assert max(rollout.length for rollout in rollouts) == HORIZON


@pytest.mark.parametrize("task", TASKS[:4], ids=lambda task: task.id)
def test_expert_goes_on_from_where_noise_took_it(task):
    environment = task.make_environment()
    disturb = action_noise(environment.action_space, 0.1, seed=0)
    rollouts = [run_expert(task, environment, seed, disturb) for seed in range(20)]
    assert any(rollout.actions != rollout.executed_actions for rollout in rollouts)
    assert np.mean([rollout.success for rollout in rollouts]) >= 0.8
    assert all(rollout.success or "can't be solved any more" in rollout.failure for rollout in rollouts)


def test_expert_gives_up_a_level_that_noise_made_unsolvable():
    environment = make_environment(5, 1)
    environment.reset(seed=0)
    environment.level = level_of(UNSOLVABLE["corner"])
    expert = make_expert(environment)
    with pytest.raises(ExpertFailed, match="can't be solved"):
        expert(None)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_a_seed_repeats_its_episode_whatever_came_before(task):
    environment, fresh = task.make_environment(), task.make_environment()
    first = run_expert(task, environment, 2**31 - 1)
    run_episode(environment, 3, random_policy)
    environment.reset()
    for replaying in (environment, fresh):
        actions = iter(first.actions)
        again = run_episode(replaying, 2**31 - 1, lambda environment, seed, actions=actions: lambda _: next(actions))
        np.testing.assert_array_equal(again.observations, first.observations)
        assert again.rewards == first.rewards
    other, _ = environment.reset(seed=2**31 - 2)
    assert not np.array_equal(other, first.observations[0])


# ---------------------------------------------------------------------------------------------------------------
# Rules, pictures, bad input
# ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def environment():
    environment = make_environment(7, 2, render_mode="rgb_array")
    environment.reset(seed=0)
    environment.level = level_of(
        """
        #######
        #@$ . #
        # $$  #
        #  .  #
        #   . #
        #    *#
        #######"""
    )
    return environment


def test_the_player_pushes_one_box_where_there_is_room(environment):
    _, reward, terminated, truncated, info = environment.step(RIGHT)
    assert environment.level.player == 9 and 10 in environment.level.boxes
    assert reward == pytest.approx(-0.1) and not terminated and not truncated and info["success"] is False
    assert environment.step(RIGHT)[1] == pytest.approx(0.9)  # onto the target
    assert environment.step(RIGHT)[1] == pytest.approx(-1.1)  # off it
    before = environment.level
    assert environment.step(RIGHT)[1] == pytest.approx(-0.1)  # against the wall
    assert environment.level == before


def test_two_boxes_in_a_row_and_walls_stop_the_player(environment):
    environment.step(DOWN)
    before = environment.level
    environment.step(RIGHT)
    environment.step(LEFT)
    assert environment.level == before
    environment.step(UP)
    environment.step(UP)
    assert environment.level.player == 8


def test_the_last_box_on_a_target_ends_the_episode():
    environment = make_environment(5, 1)
    environment.reset(seed=0)
    environment.level = level_of(ONE_PUSH)
    _, reward, terminated, truncated, info = environment.step(RIGHT)
    assert reward == pytest.approx(10.9) and terminated and not truncated and info["success"] is True


def test_the_episode_is_cut_at_the_horizon(environment):
    ends = [environment.step(UP)[2:4] for _ in range(HORIZON)]
    assert ends == [(False, False)] * (HORIZON - 1) + [(False, True)]


def test_every_kind_of_cell_has_its_own_colour(environment):
    picture = environment.level.draw(4)
    assert picture.shape == (28, 28, 3) and picture.dtype == np.uint8
    cells = picture[::4, ::4]
    assert (picture == cells.repeat(4, axis=0).repeat(4, axis=1)).all()
    colours = {
        kind: tuple(cells[row, column].tolist())
        for kind, row, column in (
            ("player", 1, 1),
            ("box", 1, 2),
            ("floor", 1, 3),
            ("target", 1, 4),
            ("box on target", 5, 5),
            ("wall", 0, 0),
        )
    }
    environment.level = play(environment.level, [RIGHT] * 3)
    colours["player on target"] = tuple(environment.level.draw(4)[4, 16].tolist())
    assert len(set(colours.values())) == 7


def test_the_observation_is_the_level_and_the_rendered_picture_a_larger_one(environment):
    observation, *_ = environment.step(RIGHT)
    np.testing.assert_array_equal(observation, environment.level.draw(4))
    frame = environment.render()
    assert frame.shape == (224, 224, 3) and frame.dtype == np.uint8
    np.testing.assert_array_equal(frame[16::32, 16::32], observation[::4, ::4])
    assert make_environment(7, 2).render_mode is None


@pytest.mark.parametrize("action", [4, -1, 1.0, None, "up", np.array([1, 2])])
def test_other_actions_are_refused(environment, action):
    with pytest.raises(ValueError, match="An action is 0, 1, 2 or 3"):
        environment.step(action)


def test_a_step_needs_a_reset():
    with pytest.raises(gymnasium.error.ResetNeeded):
        make_environment(7, 1).step(UP)


def test_unknown_render_modes_are_refused():
    with pytest.raises(ValueError, match="render_mode"):
        make_environment(7, 1, render_mode="human")


# ---------------------------------------------------------------------------------------------------------------
# Levels drawn at random
# ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    size_and_boxes=st.sampled_from([(5, 1), (6, 2), (7, 1), (7, 2), (8, 2), (8, 3)]), seed=st.integers(0, 2**31 - 1)
)
def test_generated_levels_can_be_solved(size_and_boxes, seed):
    size, boxes = size_and_boxes
    level = generate_level(size, boxes, np.random.default_rng(seed))
    assert level == generate_level(size, boxes, np.random.default_rng(seed))
    assert len(level.boxes) == len(level.targets) == boxes
    assert level.boxes | level.targets | {level.player} <= level.floor
    assert level.player not in level.boxes and not level.boxes & level.targets
    assert all(0 < cell // size < size - 1 and 0 < cell % size < size - 1 for cell in level.floor)
    assert play(level, Solver(level).solve(level, SEARCH_WEIGHT)).solved


def test_generated_levels_differ():
    levels = {generate_level(7, 1, np.random.default_rng(seed)) for seed in range(200)}
    assert len(levels) == 200


@pytest.mark.parametrize(("size", "boxes"), [(4, 1), (7, 0), (5, 9), (6, 20)])
def test_sizes_without_room_are_refused(size, boxes):
    with pytest.raises(ValueError, match="level"):
        generate_level(size, boxes, np.random.default_rng(0))


# ---------------------------------------------------------------------------------------------------------------
# Solver
# ---------------------------------------------------------------------------------------------------------------


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
