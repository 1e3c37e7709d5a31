# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest

from gato_hub.data.collect import collect
from gato_hub.data.exchange.replay import replay_episode
from gato_hub.data.parquet import read_episodes
from gato_hub.suites import find_task
from gato_hub.system.errors import GatoError

TASK = "classic-control/cart-pole"
STEP_COLUMNS = (
    "text_observations",
    "continuous_observations",
    "discrete_actions",
    "executed_discrete_actions",
    "rewards",
)


@pytest.fixture(scope="module")
def environment():
    environment = find_task(TASK).make_environment()
    yield environment
    environment.close()


@pytest.fixture(scope="module")
def row(tmp_path_factory):
    folder = tmp_path_factory.mktemp("episodes")
    collect([TASK], folder, 1, workers=0, noise=0.2, smallest_score=0.0)
    return read_episodes(folder / TASK)[0]


def test_a_replay_has_the_last_observation_and_the_executed_actions(row, environment):
    replayed = replay_episode(row, environment, "row 0")
    steps = len(row["rewards"])
    states, instructions = replayed["observations"]["state"], replayed["observations"]["instruction"]
    assert states.shape == (steps + 1, 4) and instructions == ["cart pole"] * (steps + 1)
    np.testing.assert_array_equal(states[:-1], np.float32(row["continuous_observations"]))
    assert replayed["actions"].tolist() == row["executed_discrete_actions"] != row["discrete_actions"]
    assert replayed["rewards"].tolist() == row["rewards"]
    assert not replayed["terminations"][:-1].any() and not replayed["truncations"][:-1].any()
    assert replayed["terminations"][-1] != replayed["truncations"][-1]


def test_an_episode_that_was_cut_is_truncated(row, environment):
    replayed = replay_episode(row | {name: row[name][:3] for name in STEP_COLUMNS}, environment, "row 0")
    assert replayed["truncations"].tolist() == [False, False, True] and not replayed["terminations"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": None}, "has no seed to replay it from"),
        ({"rewards": None}, "has no rewards, so no steps"),
        ({"rewards": []}, "has no rewards, so no steps"),
        ({"continuous_observations": [[0.0] * 4] * 500}, "continuous_observations are not those .* from seed 0"),
        ({"continuous_observations": None}, "continuous_observations are not those"),
        ({"discrete_actions": None, "executed_discrete_actions": None}, "needs the column discrete_actions"),
    ],
)
def test_episodes_that_can_not_be_replayed(row, environment, change, message):
    with pytest.raises(GatoError, match=message):
        replay_episode(row | change, environment, "row 0")


def test_an_episode_that_goes_on_after_its_end(row, environment):
    longer = row | {name: row[name] + row[name][-1:] * 600 for name in STEP_COLUMNS}
    with pytest.raises(GatoError, match=r"row 0 has \d+ steps, replayed it ends after \d+"):
        replay_episode(longer, environment, "row 0")
