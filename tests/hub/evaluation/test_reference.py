# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json

import pytest

from gato_hub.acting.rollout import random_policy, run_episode
from gato_hub.evaluation.reference import measure, tokens_a_step
from gato_hub.suites import find_task
from gato_hub.system.errors import GatoError

TASK = "classic-control/cart-pole"


def test_measured_scores_are_added_to_those_of_other_tasks(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"other/task": {"tokens_a_step": 7}}))
    finished = []
    measure([TASK], 3, workers=0, path=path, progress=finished.append)
    entries = json.loads(path.read_text())
    assert entries["other/task"] == {"tokens_a_step": 7} and finished == [TASK]
    entry = entries[TASK]
    assert set(entry) == {"random", "expert", "tokens_a_step", "command", "git_commit", "versions"}
    assert entry["random"]["episodes"] == 3 and "gymnasium" in entry["versions"]
    assert entry["random"]["first_seed"] == find_task(TASK).evaluation_seeds[-3]
    assert entry["expert"]["mean_return"] > entry["random"]["mean_return"]


@pytest.mark.parametrize(("task_id", "tokens"), [(TASK, 6), ("babyai/go-to-local", 7)])
def test_tokens_of_a_step_are_those_of_observation_separator_and_action(task_id, tokens):
    task = find_task(task_id)
    environment = task.make_environment()
    rollout = run_episode(environment, 0, random_policy)
    assert tokens_a_step(environment, rollout) == tokens == task.reference.tokens_a_step
    environment.close()


@pytest.mark.parametrize(
    ("options", "message"), [((0, 1), "episodes must be at least 1"), ((1, -1), "workers must be")]
)
def test_numbers_that_measure_nothing_are_refused(options, message, tmp_path):
    episodes, workers = options
    with pytest.raises(GatoError, match=message):
        measure([TASK], episodes, workers=workers, path=tmp_path / "scores.json")
