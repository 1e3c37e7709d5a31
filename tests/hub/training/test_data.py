# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

from pathlib import Path

import gymnasium
import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from helpers.training_runs import TASKS

from gato_hub.recipes.errors import RecipeError
from gato_hub.recipes.reading import check_recipe
from gato_hub.system.errors import GatoError
from gato_hub.training.data import resolve_data
from gato_hub.training.model import is_complete
from gato_hub.training.run import train


def test_episodes_of_an_environment_of_ones_own(values, tmp_path):
    """As a user has them: rows of lists, actions in the bounds of their environment."""
    environment = gymnasium.make("Pendulum-v1")
    episodes = []
    for seed in range(4):
        observation, _ = environment.reset(seed=seed)
        episode = {"continuous_observations": [], "continuous_actions": []}
        for _ in range(10):
            action = np.clip(-observation[1:2] * 4, -2, 2)
            episode["continuous_observations"].append(observation.tolist())
            episode["continuous_actions"].append(action.tolist())
            observation, *_ = environment.step(action)
        episodes.append(episode)
    (tmp_path / "mine").mkdir()
    Dataset.from_list(episodes).to_parquet(tmp_path / "mine" / "train-00000.parquet")
    section = {"path": str(tmp_path / "mine"), "environment": "Pendulum-v1"}
    values["optimization"]["steps"] = 2
    train(check_recipe(values | {"data": [section]}), tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").exists()
    del section["environment"]
    with pytest.raises(RecipeError, match=r"data: .*mine, row 0: continuous_actions .*\[-1, 1\]"):
        train(check_recipe(values | {"data": [section]}), tmp_path / "other")
    section["environment"] = "NoSuch-v0"
    with pytest.raises(RecipeError, match="data.0.path: environment: .*NoSuch"):
        train(check_recipe(values | {"data": [section]}), tmp_path / "third")


def test_a_recipe_collects_what_its_learner_does_and_trains_on_it(values, finished, tmp_path):
    _, learner = finished
    section = {"tasks": TASKS[0], "episodes": 4, "learner": str(learner), "max_steps": 8}
    values["optimization"]["steps"] = 2
    train(check_recipe(values | {"data": [section]}), tmp_path / "out", workers=0)
    (folder,) = (tmp_path / "out" / "demonstrations").iterdir()
    assert folder.name.startswith("learner-") and folder.name.endswith("-8-steps")
    rows = [row for path in folder.rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert len(rows) == 4 and max(len(row["discrete_actions"]) for row in rows) <= 8
    assert is_complete(tmp_path / "out")


def test_the_weight_of_a_section_is_shared_by_its_tasks():
    tasks = ["classic-control/pendulum", "classic-control/cart-pole", "captions/shapes"]
    recipe = {"model": {"size": "nano"}, "data": [{"tasks": tasks, "weight": 6, "episodes": 5, "noise": 0.25}]}
    parts = resolve_data(check_recipe(recipe))
    assert {part.name: part.weight for part in parts} == dict.fromkeys(tasks, 2.0)
    assert [part.episodes for part in parts] == [5, 5, 5]
    folders = {part.name: part.folder(Path("there")) for part in parts}
    assert folders["classic-control/pendulum"] == Path("there/noise-0.25")
    assert folders["captions/shapes"] == Path("there")  # documents have no noise


def test_a_row_that_can_not_be_encoded_is_named(values, tmp_path):
    values["sequence"]["length"] = 5
    with pytest.raises(RecipeError, match="data: .*, row 0: a timestep has .* tokens, more than sequence.length=5"):
        train(check_recipe(values), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("checkpoint-*"))


def test_an_expert_none_of_whose_episodes_is_good_enough(values, tmp_path, monkeypatch):
    values["data"] = [{"tasks": "classic-control/pendulum", "episodes": 2}]
    monkeypatch.setattr("gato_hub.data.chunks._reason_to_drop", lambda *arguments: "a whim")
    with pytest.raises(RecipeError, match="data.0.tasks: none of the 2 episodes of classic-control/pendulum is good"):
        train(check_recipe(values), tmp_path / "out", workers=0)


@pytest.mark.parametrize("error", [KeyError("a bug"), ValueError("a bug")])
def test_a_bug_while_demonstrations_are_collected_keeps_its_kind(values, error, tmp_path, monkeypatch):
    def broken(*arguments, **options):
        raise error

    values["data"] = [{"tasks": "classic-control/pendulum", "episodes": 2}]
    monkeypatch.setattr("gato_hub.data.chunks.run_expert", broken)
    with pytest.raises(type(error), match="a bug") as raised:
        train(check_recipe(values), tmp_path / "out", workers=0)
    assert not isinstance(raised.value, GatoError)
