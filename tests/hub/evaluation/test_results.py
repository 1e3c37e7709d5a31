# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gato_hub.evaluation.compare import Side, compare, read_side
from gato_hub.evaluation.compare import markdown as comparison_table
from gato_hub.evaluation.results import (
    curve_csv,
    interquartile_mean,
    interval,
    markdown,
    normalized,
    resampled_means,
    scores_csv,
    summarize,
    write_results,
)
from gato_hub.suites import registered_task, task_ids

SOLVED, HARD, RETURN = "babyai/go-to-local", "babyai/pickup-loc", "classic-control/pendulum"


def episodes(values, success=True, first_seed=0):
    return [
        {
            "seed": first_seed + number,
            "return": float(value),
            "success": bool(value) if success else None,
            "length": 10,
        }
        for number, value in enumerate(values)
    ]


def control(values, score="success"):
    return {"kind": "control", "score": score, "episodes": episodes(values, score == "success"), "seconds": 1.0}


@pytest.fixture
def entries():
    pendulum = registered_task(RETURN)
    expert, random = (pendulum.value(score) for score in (pendulum.expert_score, pendulum.random_score))
    broken = control([1, 1, 0, 1])
    broken["episodes"][2]["error"] = "step 3: RuntimeError: lost"
    return {
        SOLVED: control([1] * 19 + [0]),
        HARD: broken,
        RETURN: control([expert, expert, random, random], "return"),
        "atari/alien": control([1.0, 2.0], "return"),
        "minigrid/unlock": {"kind": "control", "score": "success", "episodes": [], "failure": "ValueError: too long"},
        "captions/shapes": {
            "kind": "documents",
            "score": "exact match",
            "rows": 2,
            "matches": [True, False],
            "answers": ["a", "b"],
            "exact_match": 0.5,
            "bleu": 40.0,
            "chrf": 50.0,
        },
    }


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
    text = markdown({"command": "gato evaluate", **summary})
    assert "- atari/alien: no random and expert score" in text and "| captions/shapes | 2 | 0.500 |" in text


def test_results_are_written_as_tables_and_pictures(entries, tmp_path):
    results = {"command": "gato evaluate x", **summarize(entries)}
    json.dumps(results, allow_nan=False)
    write_results(tmp_path, results)
    for name in ("scores.png", "curve.png"):
        with Image.open(tmp_path / name) as picture:
            picture.load()
            assert min(picture.size) > 200
    rows = list(csv.DictReader(io.StringIO((tmp_path / "scores.csv").read_text())))
    assert {row["task"]: row["normalized"] for row in rows}["atari/alien"] == ""
    assert float({row["task"]: row for row in rows}[RETURN]["normalized"]) == pytest.approx(50)
    points = list(csv.DictReader(io.StringIO(curve_csv(results))))
    assert [point["percent_of_expert"] for point in points] == [str(number) for number in range(101)]
    counts = [int(point["tasks"]) for point in points]
    assert counts == sorted(counts, reverse=True)
    assert scores_csv(results).count("\n") == 5


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
def test_interquartile_mean_lies_between_the_quartiles_and_knows_no_order(values):
    mean = float(interquartile_mean(np.array(values)))
    ordered = sorted(values)
    assert ordered[len(values) // 4] - 1e-6 <= mean <= ordered[-(len(values) // 4) - 1] + 1e-6
    assert float(interquartile_mean(np.array(values[::-1]))) == pytest.approx(mean)


def test_interquartile_mean_leaves_the_outer_quarters_out():
    assert interquartile_mean(np.array([-1e9, 1.0, 2.0, 1e9])) == pytest.approx(1.5)
    assert interquartile_mean(np.array([1.0, 2.0, 3.0, 100.0, -100.0, 4.0])) == pytest.approx((2 + 3 + 0.5 + 2) / 3)


def test_an_interval_holds_the_true_mean_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        low, high = interval(resampled_means(random.normal(size=50), seed=trial))
        held += low <= 0 <= high
    assert 0.89 <= held / 200 <= 0.99


# ---------------------------------------------------------------------------------------------------------------
# Two results
# ---------------------------------------------------------------------------------------------------------------


def write(path, document):
    path.write_text(json.dumps(document))
    return path


def test_what_is_more_than_chance_is_marked(tmp_path):
    first = write(tmp_path / "a.json", summarize({SOLVED: control([0] * 25 + [1] * 25), HARD: control([0, 1] * 25)}))
    second = write(tmp_path / "b.json", summarize({SOLVED: control([1] * 50), HARD: control([1, 0] * 25)}))
    solved, hard = compare(read_side(first), read_side(second))
    assert solved.is_significant and solved.difference == 0.5
    assert not hard.is_significant and hard.difference == 0
    table = comparison_table([solved, hard], ("a", "b"))
    assert "b is better at 1, worse at 0" in table and table.count("| * |") == 1


def test_the_same_results_never_differ(tmp_path):
    path = write(tmp_path / "a.json", summarize({RETURN: control(list(range(-300, -250)), "return")}))
    (same,) = compare(read_side(path), read_side(path))
    assert not same.is_significant


def test_published_scores_can_be_one_side(tmp_path):
    path = write(
        tmp_path / "published.json",
        {"babyai-go-to-local": 0.9, HARD: {"mean": 0.2, "std": 0.4, "episodes": 100}, "metaworld-reach": [1, 0, 1]},
    )
    side = read_side(path)
    assert set(side) == {SOLVED, HARD, "metaworld/reach"}
    assert side[HARD].standard_error == pytest.approx(0.04)
    (solved,) = compare({SOLVED: Side(0.5, 0.1)}, side)
    assert solved.is_significant and solved.difference_interval[0] == pytest.approx(0.4 - 1.96 * 0.1, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[1]", "must hold a mapping from tasks to scores, got list"),
        ('{"babyai/open": "high"}', "babyai/open: a score must be a finite number, got 'high'"),
        ('{"babyai/open": NaN}', "a finite number, got nan"),
        ('{"babyai/open": {"std": 1}}', 'needs "mean"'),
        ('{"babyai/open": {"mean": 1, "std": -1}}', "std must not be negative"),
    ],
)
def test_files_that_are_no_scores(text, message, tmp_path):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_side(tmp_path / "bad.json")


def test_nothing_to_compare(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        read_side(tmp_path / "none.json")
    with pytest.raises(ValueError, match="no task is in both"):
        compare({SOLVED: Side(1.0, 0.0)}, {HARD: Side(1.0, 0.0)})
