# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import gymnasium
import numpy as np
import pytest
from helpers.sokoban_levels import ONE_PUSH, level_of, play
from hypothesis import given, settings
from hypothesis import strategies as st

from gato_hub.suites.environments.sokoban import DOWN, LEFT, RIGHT, UP, generate_level
from gato_hub.suites.experts.sokoban_solver import Solver
from gato_hub.suites.sokoban import HORIZON, SEARCH_WEIGHT, make_environment


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


def test_every_kind_of_cell_has_its_own_color(environment):
    picture = environment.level.draw(4)
    assert picture.shape == (28, 28, 3) and picture.dtype == np.uint8
    cells = picture[::4, ::4]
    assert (picture == cells.repeat(4, axis=0).repeat(4, axis=1)).all()
    colors = {
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
    colors["player on target"] = tuple(environment.level.draw(4)[4, 16].tolist())
    assert len(set(colors.values())) == 7


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
