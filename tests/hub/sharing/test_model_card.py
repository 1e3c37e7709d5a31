# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The card of a checkpoint."""

import pytest

from gato_hub.checkpoints.loading import SHIPPED, load_checkpoint
from gato_hub.sharing import model_card as module
from gato_hub.sharing.model_card import model_card
from gato_hub.system.files import read_json

FOLDER = SHIPPED / "gato-mini"


@pytest.fixture(scope="module")
def card_of():
    """Makes the card of the checkpoint that comes with the package."""
    model, processor = load_checkpoint("gato-mini")
    results = read_json(FOLDER / "results.json")
    return lambda: model_card("ada/mini", model, processor, FOLDER, results)


def test_the_scores_of_many_tasks_are_left_to_their_table(card_of):
    card = card_of()
    text = str(card)
    assert len(text.splitlines()) < 400 and "[results.md](results.md)" in text
    shown = {one.dataset_name for one in card.data.eval_results}
    assert "all, 233 tasks" in shown and "captions/shapes" in shown and "babyai/go-to-local" not in shown
    assert "| babyai | 91 |" in text and "| babyai/go-to-local |" not in text


def test_the_scores_of_few_tasks_are_shown(card_of, monkeypatch):
    monkeypatch.setattr(module, "MOST_TASKS_SHOWN", 1000)
    card = card_of()
    assert "babyai/go-to-local" in {one.dataset_name for one in card.data.eval_results}
    assert "| babyai/go-to-local |" in str(card) and "results.md](" not in str(card)


def test_each_stage_of_the_weights_is_a_line(card_of):
    text = str(card_of())
    stages = text.partition("| stage | command | commit | steps | hours |\n")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(stages) == 10 and all(line.count("|") == 6 for line in stages)
