# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses

import pytest

from gato_hub.data.collect import collect
from gato_hub.data.parquet import read_episodes
from gato_hub.data.prompts import demonstration
from gato_hub.suites import find_task
from gato_hub.system.errors import GatoError

TASK = "classic-control/cart-pole"


def test_the_expert_makes_a_prompt_from_a_seed_that_is_not_evaluated():
    task = find_task(TASK)
    row = demonstration(task)
    assert row["task"] == TASK and row["expert"] == task.expert
    assert row["seed"] in task.train_seeds and row["seed"] not in task.evaluation_seeds


def test_a_prompt_from_data(tmp_path):
    collect([TASK], tmp_path / "data", 2, workers=0)
    task, other = find_task(TASK), find_task("classic-control/pendulum")
    expected = read_episodes(tmp_path / "data" / TASK)[0]
    for place in ("data", f"data/{TASK}", "data/*/*/train-*.parquet"):
        row = demonstration(task, str(tmp_path / place))
        assert row["task"] == TASK and row["discrete_actions"].tolist() == expected["discrete_actions"]
    with pytest.raises(GatoError, match="no episode of 'classic-control/pendulum' for a prompt, only of classic-"):
        demonstration(other, str(tmp_path / "data" / TASK))
    with pytest.raises(GatoError, match="can't be found on the Hub"):
        demonstration(task, str(tmp_path / "nothing"))


def test_no_expert_and_one_that_never_succeeds():
    task = find_task("babyai/go-to-obj-s4")
    with pytest.raises(GatoError, match="has no expert to show it in a prompt"):
        demonstration(dataclasses.replace(task, make_expert=None))
    turning = dataclasses.replace(task, make_expert=lambda environment: lambda observation: 0)
    with pytest.raises(GatoError, match="has no success to show in a prompt"):
        demonstration(turning)
