# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest

from gato_hub.suites import find_task
from gato_hub.suites.environments.grid_view import draw_view, level_name


def test_view_is_drawn_row_by_row_at_four_pixels_a_cell():
    grid = np.zeros((7, 7, 3), dtype=np.uint8)
    grid[2, 5] = (10, 5, 2)  # column 2, row 5
    grid[0, 0] = (6, 0, 1)
    view = draw_view(grid)
    assert view.shape == (28, 28, 3) and view.dtype == np.uint8
    assert (view[20:24, 8:12] == 255).all()
    assert view.sum() == 16 * (3 * 255 + 153 + 128)
    assert (view[:4, :4] == (153, 0, 128)).all()


def test_every_cell_value_has_its_own_color():
    kinds = np.arange(11)
    grid = np.zeros((11, 1, 3), dtype=np.uint8)
    grid[:, 0, 0] = kinds
    assert len(np.unique(draw_view(grid)[0, ::4, 0])) == 11


def test_view_refuses_values_that_have_no_color():
    grid = np.zeros((7, 7, 3), dtype=np.uint8)
    grid[0, 0, 1] = 6
    with pytest.raises(ValueError, match="largest values"):
        draw_view(grid)
    with pytest.raises(ValueError, match="shape"):
        draw_view(np.zeros((7, 7)))


@pytest.mark.parametrize(
    ("environment_id", "name"),
    [
        ("BabyAI-GoToRedBallGrey-v0", "go-to-red-ball-grey"),
        ("BabyAI-GoToObjMazeS4R2-v0", "go-to-obj-maze-s4r2"),
        ("BabyAI-GoToObjS6-v1", "go-to-obj-s6"),
        ("MiniGrid-Empty-Random-5x5-v0", "empty-random-5x5"),
        ("MiniGrid-ObstructedMaze-1Dlhb-v0", "obstructed-maze-1dlhb"),
    ],
)
def test_levels_are_named_by_their_words(environment_id, name):
    assert level_name(environment_id) == name


def test_what_is_no_level_has_no_name():
    with pytest.raises(ValueError, match="CartPole-v1"):
        level_name("CartPole-v1")


def test_level_begins_where_the_first_layout_is_too_full_for_the_agent():
    environment = find_task("babyai/synth-s5r2").make_environment()
    observation, _ = environment.reset(seed=1073741831)
    assert observation["mission"] == "put the yellow ball next to the red door"


def test_view_that_the_bot_looks_at_is_the_present_one():
    environment = find_task("babyai/go-to-local").make_environment()
    level = environment.unwrapped
    for seed in (0, 1):
        environment.reset(seed=seed)
        for action in (0, 2, 1, 2, 2, 3, 5, 4):
            environment.step(action)
            grid, visible = level.gen_obs_grid()
            fresh_grid, freshly_visible = type(level).gen_obs_grid(level)
            np.testing.assert_array_equal(grid.encode(visible), fresh_grid.encode(freshly_visible))
    environment.close()


def test_environment_remembers_the_action_that_was_executed():
    environment = find_task("babyai/go-to-local").make_environment()
    environment.reset(seed=0)
    assert environment.last_action is None
    environment.step(np.int64(2))
    assert environment.last_action == 2
    environment.reset(seed=1)
    assert environment.last_action is None
    environment.close()
