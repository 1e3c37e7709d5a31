# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Every error that a recipe alone can show comes before any work, and before anything is written."""

import dataclasses

import pytest
from helpers.training_runs import TASKS

from gato_hub.recipes.errors import RecipeError
from gato_hub.recipes.reading import check_recipe
from gato_hub.system.errors import MissingPackageError
from gato_hub.training.plan import resolve
from gato_hub.training.run import train


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": [{"tasks": "babyai/go-to-locla"}]}, "data.0.tasks: There is no task .*go-to-local"),
        ({"data": [{"tasks": "classic-control", "first_seed": 2**31}]}, "data.0.tasks: .*training seeds"),
        ({"data": [{"tasks": "text/gymnasium-docs", "first_seed": 10**9}]}, "data.0.tasks: .*none from 1000000000 on"),
        ({"data": [{"tasks": "babyai/go-to-local", "learner": "/nowhere"}]}, "data.0.learner: .*nowhere"),
        (
            {"data": [{"tasks": "captions/shapes", "learner": "gato-mini"}]},
            "data.0.learner: .*a learner acts in environments.*captions/shapes",
        ),
        ({"data": [{"path": "/nowhere"}]}, "data.0.path: /nowhere is no folder"),
        (
            {"model": {"size": "nano", "config": {"max_position_embeddings": 64}}},
            r"sequence.length \(96\) must be at most .*max_position_embeddings",
        ),
        ({"model": {"size": "nano", "config": {"dtype": "float99"}}}, "model.config: .*float99"),
        ({"model": {"pretrained": "/nowhere"}, "processor": {}}, "model.pretrained: .*nowhere"),
        (
            {"model": {"pretrained": "gato-mini", "config": {"intermediate_size": 96}}, "processor": {}},
            "model.config does not fit the weights of gato-mini: .* has the shape .*, not ",
        ),
        (
            {"model": {"pretrained": "gato-mini", "config": {"hiden_size": 96}}, "processor": {}},
            "model.config: GatoConfig has no field hiden_size",
        ),
        (
            {"model": {"pretrained": "gato-mini", "config": {"num_attention_heads": 7}}, "processor": {}},
            "model.config: `num_attention_heads` .*7",
        ),
        ({"evaluation": {"every": 1, "tasks": "moon/land"}}, "evaluation.tasks: There is no task 'moon/land'"),
        ({"processor": {"options": {"mu": -1}}}, "processor.options: .*mu"),
        ({"processor": {"options": {"num_bin": 1}}}, "processor.options: .*num_bin"),
        ({"processor": {"tokenizer": "/nowhere"}}, "processor.tokenizer: .*nowhere"),
        ({"lora": {"target_modules": ["nothing"]}}, "lora: .*nothing"),
        ({"logging": {"report_to": "a-notebook"}}, "logging.report_to: a-notebook is not supported"),
        (
            {"optimization": {"steps": 2, "batch_size": 3, "micro_batch_size": 3, "warmup_steps": 3}},
            r"optimization: warmup_steps \(3\) must be at most steps \(2\)",
        ),
    ],
)
def test_a_bad_recipe_is_refused_before_any_work(values, changes, message, tmp_path):
    with pytest.raises(RecipeError, match=message):
        train(check_recipe(values | changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_told_with_the_command_that_installs_it(values, tmp_path):
    with pytest.raises(MissingPackageError, match=r"logging.report_to .*pip install 'gato-transformers\[trackio\]'"):
        train(check_recipe(values | {"logging": {"report_to": "trackio"}}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_plan_has_all_that_is_made_of_a_recipe_before_there_are_weights(values):
    values["acting"] = {"temperature": 0.5, "tasks": {"classic-control": {"context_steps": 2}}}
    plan = resolve(check_recipe(values))
    assert [part.name for part in plan.data] == list(TASKS)
    assert plan.config.vocab_size == plan.processor.vocabulary.size
    assert plan.config.max_position_embeddings == values["sequence"]["length"]
    assert plan.acting == values["acting"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.recipe = None
