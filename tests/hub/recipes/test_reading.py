# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest
import torch
import yaml

from gato_hub.recipes.errors import RecipeError
from gato_hub.recipes.reading import RECIPES, as_yaml, check_recipe, load_recipe
from gato_hub.suites import matching_task_ids
from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

NAMES = sorted(path.stem for path in RECIPES.glob("*.yaml"))


def test_the_recipes_that_ship():
    assert NAMES == ["baseline", "finetune", "generalist", "large", "quickstart", "small"]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_that_ships_can_be_run(name):
    recipe = load_recipe(name)
    for section in recipe.data:
        assert matching_task_ids(section.tasks)
    if recipe.model.size:
        getattr(GatoConfig, recipe.model.size)(**recipe.model.config)
        GatoProcessor(**recipe.processor.options)


@pytest.mark.parametrize(("name", "millions"), [("small", 78.8), ("baseline", 365.1), ("large", 1179.0)])
def test_the_papers_sizes_have_the_papers_counts(name, millions):
    model = load_recipe(name).model
    kwargs = GatoProcessor().model_kwargs | model.config
    with torch.device("meta"):
        count = GatoForCausalLM(getattr(GatoConfig, model.size)(**kwargs)).num_parameters()
    assert count / 1e6 == pytest.approx(millions, abs=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_of_a_recipe_is_the_same_recipe(name, tmp_path):
    recipe = load_recipe(name)
    path = tmp_path / "again.yaml"
    path.write_text(as_yaml(recipe))
    assert load_recipe(path) == recipe


def test_values_on_the_command_line_go_before_those_of_the_file():
    values = ["optimization.optimizer=adamw", "optimization.matrix_learning_rate_ratio=1", "lora.rank=4"]
    recipe = load_recipe("quickstart", ["optimization.steps=7", "data.1.weight=3", "precision=fp32", *values])
    assert recipe.optimization.steps == 7
    assert [section.weight for section in recipe.data] == [load_recipe("quickstart").data[0].weight, 3]
    assert recipe.lora.rank == 4 and recipe.precision == "fp32"


def test_a_recipe_extends_another(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: quickstart\noptimization: {steps: 7}\n")
    (tmp_path / "yours.yaml").write_text("extends: mine.yaml\ndata: [{tasks: minigrid, weight: 1}]\n")
    recipe, original = load_recipe(tmp_path / "yours.yaml"), load_recipe("quickstart")
    assert recipe.optimization == original.optimization.model_copy(update={"steps": 7})
    assert [section.tasks for section in recipe.data] == [["minigrid"]]
    assert recipe.model == original.model


def test_a_recipe_can_not_extend_itself(tmp_path):
    (tmp_path / "one.yaml").write_text("extends: two.yaml\n")
    (tmp_path / "two.yaml").write_text("extends: one.yaml\n")
    with pytest.raises(RecipeError, match="extends itself"):
        load_recipe(tmp_path / "one.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [("model: [", "is no YAML"), ("- 1\n", "must hold a mapping"), ("extends: nothing\n", "there is no file nothing")],
)
def test_a_file_that_is_no_recipe(text, message, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message):
        load_recipe(path)


def test_a_name_that_is_no_recipe_tells_those_there_are():
    with pytest.raises(RecipeError, match="baseline, finetune, generalist, large, quickstart, small"):
        load_recipe("huge")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps", "must have the form KEY=VALUE"),
        ("data.7.weight=1", "7 must be a number below 2"),
        ("data.first.weight=1", "first must be a number below 2"),
        ("model.size.x=1", "size holds no other keys"),
        ("seed=[", "is no YAML"),
    ],
)
def test_a_bad_value_on_the_command_line(override, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe("quickstart", [override])


def test_yaml_of_a_recipe_has_no_empty_keys():
    recipe = check_recipe({"model": {"size": "nano"}, "data": [{"tasks": "babyai/go-to-local"}]})
    assert "null" not in as_yaml(recipe) and yaml.safe_load(as_yaml(recipe))["model"]["size"] == "nano"
