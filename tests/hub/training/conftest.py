# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest
from helpers.commands import gato_here
from helpers.training_runs import TASKS, write

from gato_hub.data.collect import collect


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    collect(TASKS, folder, 12, workers=0, chunk_size=4)
    return folder


@pytest.fixture
def values(demonstrations):
    """A recipe for a very small model, as YAML has it."""
    return {
        "model": {
            "size": "nano",
            "config": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "hidden_dropout": 0.1},
        },
        "processor": {"options": {"repeat_text_observations": False}},
        "data": [{"path": str(demonstrations / task), "task": task} for task in TASKS],
        "sequence": {"length": 96},
        "optimization": {"steps": 12, "batch_size": 4, "learning_rate": 0.003, "warmup_steps": 2},
        "logging": {"every": 2},
        "checkpoints": {"every": 3},
        "data_workers": 0,
    }


@pytest.fixture(scope="module")
def finished(demonstrations, tmp_path_factory):
    """The recipe of a run, and its output folder."""
    folder = tmp_path_factory.mktemp("run")
    config = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    recipe = {
        "model": {"size": "nano", "config": config},
        "data": [{"path": str(demonstrations / task), "task": task} for task in TASKS],
        "sequence": {"length": 96},
        "acting": {
            "temperature": 0.5,
            "tasks": {"classic-control": {"context_steps": 2, "continuous_actions": "mean"}},
        },
        "optimization": {"steps": 8, "batch_size": 4, "learning_rate": 0.003, "warmup_steps": 2},
        "evaluation": {"every": 4, "tasks": "classic-control/pendulum", "episodes": 1},
        "logging": {"every": 2, "report_to": "tensorboard"},
        "data_workers": 1,
    }
    path = write(recipe, folder / "mine.yaml")
    completed = gato_here("train", path, "--output", folder / "out")
    assert completed.returncode == 0, completed.stderr
    return path, folder / "out"
