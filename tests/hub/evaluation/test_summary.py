# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
from helpers.results import HARD, RETURN, SOLVED, entries_of_six_tasks

from gato_hub.evaluation.summary import normalized, summarize
from gato_hub.suites import registered_task, task_ids


@pytest.fixture
def entries():
    return entries_of_six_tasks()


def test_random_is_0_and_the_expert_100():
    for task_id in (SOLVED, RETURN):
        task = registered_task(task_id)
        assert normalized(task, task.value(task.random_score)) == pytest.approx(0)
        assert normalized(task, task.value(task.expert_score)) == pytest.approx(100)


def test_scores_of_tasks_suites_and_all(entries):
    summary = summarize(entries)
    assert summary["tasks"][RETURN]["normalized"] == pytest.approx(50)
    assert summary["tasks"][SOLVED]["success_rate"] == 0.95
    assert summary["tasks"][HARD]["success_rate"] == 1.0 and summary["tasks"][HARD]["errors"] == 1
    for name, entry in summary["tasks"].items():
        if "normalized" in entry:
            low, high = entry["normalized_interval"]
            assert low <= entry["normalized"] <= high, name
    scores = [summary["tasks"][name]["normalized"] for name in (SOLVED, HARD, RETURN)]
    assert summary["all"]["tasks"] == 3
    assert summary["all"]["mean"] == pytest.approx(np.mean(scores))
    assert summary["suites"]["babyai"]["mean"] == pytest.approx(np.mean(scores[:2]))
    assert "success_rate" in summary["suites"]["babyai"] and "success_rate" not in summary["all"]
    assert summary["curve"]["0"] == 3 and summary["curve"]["60"] == 2


def test_what_equals_the_expert_reaches_all_of_its_score():
    solved = {"seed": 0, "return": 1.0, "success": True, "length": 3}
    tasks = [task for task in map(registered_task, task_ids()) if task.score == "success" and task.counts_in_means]
    names = [task.id for task in tasks if task.expert_score.success_rate == 1.0]
    summary = summarize({name: {"kind": "control", "score": "success", "episodes": [solved] * 3} for name in names})
    assert summary["curve"]["100"] == len(names) > 100


def test_tasks_without_a_reference_or_an_episode_are_listed_and_in_no_mean(entries):
    summary = summarize(entries)
    assert set(summary["not_averaged"]) == {"atari/alien", "minigrid/unlock"}
    assert "too long" in summary["not_averaged"]["minigrid/unlock"]
