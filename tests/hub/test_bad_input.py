# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What each public function says to input it can't use: (name, call, type of the error, pattern of its message)."""

import pytest
from gymnasium import spaces

from gato_hub.data.checks import check_episode
from gato_hub.data.collect import collect
from gato_hub.data.columns import episode_features
from gato_hub.data.parquet import read_episodes

TASK = "babyai/go-to-local"
NOWHERE = "no/such/folder"

BAD_INPUT_CASES = [
    ("collect_no_episodes", lambda: collect([TASK], NOWHERE, 0), ValueError, "episodes must be at least 1, not 0"),
    ("collect_no_workers", lambda: collect([TASK], NOWHERE, 1, workers=-1), ValueError, "workers must be at least 0"),
    ("collect_unknown_task", lambda: collect(["chess"], NOWHERE, 1), ValueError, "no task 'chess'"),
    (
        "collect_evaluation_seeds",
        lambda: collect([TASK], NOWHERE, 1, first_seed=2**31 - 5),
        ValueError,
        "training seeds",
    ),
    (
        "collect_discrete_noise_over_one",
        lambda: collect([TASK], NOWHERE, 1, workers=0, noise=2.0),
        ValueError,
        "a probability, got 2.0",
    ),
    (
        "collect_documents_past_the_last",
        lambda: collect(["text/gymnasium-docs"], NOWHERE, 1, first_seed=10**9),
        ValueError,
        "none from 1000000000 on",
    ),
    (
        "episode_with_nan",
        lambda: check_episode(
            {"continuous_observations": [[0.0], [float("nan")]], "discrete_actions": [0, 1], "rewards": [0.0, 0.0]},
            "row 7",
        ),
        ValueError,
        "row 7.*continuous_observations",
    ),
    (
        "episode_of_unequal_columns",
        lambda: check_episode({"discrete_observations": [0, 1], "discrete_actions": [0], "rewards": [0.0]}, "row 7"),
        ValueError,
        "row 7",
    ),
    ("read_nowhere", lambda: read_episodes(NOWHERE), ValueError, "no episodes in no/such/folder"),
    (
        "episodes_of_an_unknown_space",
        lambda: episode_features(spaces.Sequence(spaces.Discrete(2)), spaces.Discrete(2)),
        ValueError,
        "hold values of a Sequence",
    ),
]


def test_every_case_has_a_name_of_its_own():
    assert len({name for name, *_ in BAD_INPUT_CASES}) == len(BAD_INPUT_CASES)


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in BAD_INPUT_CASES], ids=[case[0] for case in BAD_INPUT_CASES]
)
def test_bad_input_gives_a_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
