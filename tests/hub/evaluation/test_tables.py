# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import csv
import io
import json

import pytest
from helpers.results import RETURN, entries_of_six_tasks, finished
from PIL import Image
from rich.console import Console

from gato_hub.evaluation.statistics import score
from gato_hub.evaluation.summary import summarize
from gato_hub.evaluation.tables import (
    curve_csv,
    printed_scores,
    results_table,
    score_table,
    scores_csv,
    write_results,
)


@pytest.fixture
def entries():
    return entries_of_six_tasks()


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


def test_results_as_markdown_tell_every_task(entries):
    lines = results_table({"command": "gato evaluate", **summarize(entries)}).splitlines()
    assert lines[0] == "`gato evaluate`"
    assert "| captions/shapes | 2 | 0.500 | 40.0 | 50.0 | - |" in lines
    assert "- atari/alien: no random and expert score that are apart" in lines
    assert "| atari/alien | - | - | 1.500 | 2 |" in lines
    assert any(line.startswith("| babyai | 2 | ") for line in lines) and any(
        line.startswith("| all | 3 | ") for line in lines
    )
    assert any(line.startswith("| babyai/pickup-loc | ") and line.endswith("| 4, 1 with an error |") for line in lines)


@pytest.mark.parametrize("kept", ["captions/shapes", "atari/alien", "minigrid/unlock"])
def test_results_without_some_sections(entries, kept):
    text = results_table(summarize({kept: entries[kept]}))
    assert kept in text and "| suite |" not in text
    assert ("| documents |" in text) == (kept == "captions/shapes")
    assert ("In no mean:" in text) == (kept != "captions/shapes")


def test_tables_hold_every_score():
    entries = [
        score("suite/task", "agent", finished([True, True, False, True], [1, 1, 0, 1])),
        score("suite/task", "random", finished([False] * 4, [0] * 4)),
    ]
    lines = score_table(entries).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert lines[2] == ("| suite/task | agent | 0.75 (0.30 to 0.95) | 0.750 (0.250 to 1.000) | 4 | 6.5 |")
    console = Console(width=200, record=True)
    console.print(printed_scores(entries))
    text = console.export_text()
    assert "0.75 (0.30 to 0.95)" in text and "random" in text
