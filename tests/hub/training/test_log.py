# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

import pytest
from PIL import Image

from gato_hub.training.log import draw_learning_curve, hours_of, read_log


def test_a_log_whose_last_line_was_cut_off(tmp_path):
    path = tmp_path / "log.jsonl"
    assert read_log(path) == []
    path.write_text('{"step": 2, "loss": 3.0}\n{"step": 4, "loss": 2.5}\n{"step": 6, "lo')
    assert read_log(path) == [{"step": 2, "loss": 3.0}, {"step": 4, "loss": 2.5}]


def test_hours_are_those_of_the_steps_at_their_speed():
    entries = [
        {"step": 10, "tokens_per_second": 100.0},
        {"step": 10, "score/a": 0.5},
        {"step": 30, "tokens_per_second": 50.0},
    ]
    assert hours_of(entries, tokens_per_step=3600) == pytest.approx(10 * 36 / 3600 + 20 * 72 / 3600)


@pytest.mark.parametrize("scores", [{}, {"score/a": 0.5, "score/b": -0.1}])
def test_a_learning_curve_with_and_without_scores(scores, tmp_path):
    entries = [
        {"step": step, "loss": 3.0, "loss/text": 2.0, "loss/continuous_action": 4.0, **scores} for step in (1, 2)
    ]
    draw_learning_curve(tmp_path / "curve.png", entries)
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.height > (1000 if scores else 500)
