# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A folder of demonstrations with its card."""

import pytest

from gato_hub.sharing.dataset import make_dataset
from gato_hub.sharing.dataset_card import FOLDER_IN_EXAMPLE, config_name
from gato_hub.system.errors import GatoError

TASKS = ["classic-control/cart-pole", "captions/shapes"]


def test_a_folder_has_its_episodes_counts_and_card(tmp_path):
    made = make_dataset(TASKS, tmp_path / "data", 2, workers=0)
    files = sorted((tmp_path / "data").rglob("*.parquet"))
    assert (made.tasks, made.rows) == (2, 4) and made.steps > 0
    assert made.num_bytes == sum(file.stat().st_size for file in files)
    card = (tmp_path / "data" / "README.md").read_text()
    assert made.content_hash in card and f'load_dataset("{FOLDER_IN_EXAMPLE}"' in card
    for task in TASKS:
        assert f"- config_name: {config_name(task)}\n  data_files: {task}/" in card
        assert f"| {task} | 2 | 0 |" in card


def test_a_folder_that_is_made_again_has_the_same_content(tmp_path):
    first, second = (make_dataset(TASKS[:1], tmp_path / name, 3, workers=0) for name in ("first", "second"))
    assert first.content_hash == second.content_hash
    again = make_dataset(TASKS[:1], tmp_path / "first", 3, workers=0)
    assert (again.rows, again.steps, again.content_hash) == (first.rows, first.steps, first.content_hash)


def test_an_unknown_task_is_told(tmp_path):
    with pytest.raises(GatoError, match="There is no task 'chess'"):
        make_dataset(["chess"], tmp_path, 1)
