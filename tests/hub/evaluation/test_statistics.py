# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from gato_hub.evaluation.policies import EpisodeResult
from gato_hub.evaluation.statistics import (
    bootstrap_interval,
    draw_scores,
    markdown_table,
    rich_table,
    score,
    wilson_interval,
)


def results(successes, returns):
    return [
        EpisodeResult(seed=100 + i, episode_return=value, success=success, length=5 + i)
        for i, (success, value) in enumerate(zip(successes, returns, strict=True))
    ]


@pytest.mark.parametrize(
    ("successes", "episodes", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (29, 29, 0.8830, 1.0)],
)
def test_wilson_interval_agrees_with_published_values(successes, episodes, low, high):
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert wilson_interval(successes, episodes) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "episodes"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_interval_refuses_impossible_counts(successes, episodes):
    with pytest.raises(ValueError, match="have no rate"):
        wilson_interval(successes, episodes)


def test_bootstrap_interval_is_that_of_the_mean():
    values = np.random.default_rng(3).normal(2.0, 3.0, size=400)
    low, high = bootstrap_interval(values)
    half_width = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half_width, abs=0.05)
    assert high == pytest.approx(values.mean() + half_width, abs=0.05)
    assert bootstrap_interval(values) == (low, high)
    assert bootstrap_interval([4.0, 4.0]) == (4.0, 4.0)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_bootstrap_interval_refuses_what_has_no_mean(values):
    with pytest.raises(ValueError, match="undefined"):
        bootstrap_interval(values)


def test_score_sums_up_the_episodes():
    entry = score("suite/task", "agent", results([True, False, True, True], [1.0, 0.0, 0.5, 0.9]))
    assert entry.success_rate == 0.75 and entry.success_interval == wilson_interval(3, 4)
    assert entry.mean_return == pytest.approx(0.6)
    assert entry.headline == (0.75, wilson_interval(3, 4))
    document = json.loads(json.dumps(entry.as_json()))
    assert document["seeds"] == [100, 101, 102, 103]
    assert document["successes"] == [True, False, True, True]
    assert document["returns"] == [1.0, 0.0, 0.5, 0.9]
    assert document["mean_length"] == 6.5


def test_a_task_without_success_is_scored_by_its_return():
    entry = score("suite/task", "agent", results([None, None], [10.0, 20.0]))
    assert entry.success_rate is None
    assert entry.headline == (15.0, entry.return_interval)
    assert "| - |" in markdown_table([entry])


def test_no_episodes_no_score():
    with pytest.raises(ValueError, match="nothing to score"):
        score("suite/task", "agent", [])


def test_tables_hold_every_score():
    entries = [
        score("suite/task", "agent", results([True, True, False, True], [1, 1, 0, 1])),
        score("suite/task", "random", results([False] * 4, [0] * 4)),
    ]
    lines = markdown_table(entries).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert lines[2] == ("| suite/task | agent | 0.75 (0.30 to 0.95) | 0.750 (0.250 to 1.000) | 4 | 6.5 |")
    console = Console(width=200, record=True)
    console.print(rich_table(entries))
    text = console.export_text()
    assert "0.75 (0.30 to 0.95)" in text and "random" in text


def test_picture_shows_tasks_with_one_and_with_several_policies(tmp_path):
    entries = [
        score("suite/one", "agent", results([True, False], [1, 0])),
        score("suite/one", "random", results([False, False], [0, 0])),
        score("suite/two", "agent", results([None, None], [-3.0, 5.0])),
    ]
    path = tmp_path / "scores.png"
    draw_scores(path, entries)
    with Image.open(path) as picture:
        assert len(picture.convert("RGB").getcolors(10**6)) > 2
    assert [file.name for file in tmp_path.iterdir()] == ["scores.png"]
