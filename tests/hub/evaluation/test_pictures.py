# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
from helpers.results import finished
from PIL import Image

from gato_hub.evaluation.pictures import draw_scores
from gato_hub.evaluation.statistics import score


def test_picture_shows_tasks_with_one_and_with_several_policies(tmp_path):
    entries = [
        score("suite/one", "agent", finished([True, False], [1, 0])),
        score("suite/one", "random", finished([False, False], [0, 0])),
        score("suite/two", "agent", finished([None, None], [-3.0, 5.0])),
    ]
    path = tmp_path / "scores.png"
    draw_scores(path, entries)
    with Image.open(path) as picture:
        assert len(picture.convert("RGB").getcolors(10**6)) > 2
    assert [file.name for file in tmp_path.iterdir()] == ["scores.png"]
