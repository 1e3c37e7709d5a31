# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json

import pytest
from helpers.results import HARD, RETURN, SOLVED, control

from gato_hub.evaluation.compare import Side, compare, comparison_table, read_side
from gato_hub.evaluation.summary import summarize
from gato_hub.system.errors import GatoError


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
    with pytest.raises(GatoError, match="no task is in both"):
        compare({SOLVED: Side(1.0, 0.0)}, {HARD: Side(1.0, 0.0)})
