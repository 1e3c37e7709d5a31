# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What the README shows is true: its examples run as they stand, its commands have the options that it uses."""

import re
import shlex
from pathlib import Path

import datasets
import pytest
import torch
import typer
import yaml

from gato_hub.cli.app import app
from gato_hub.data.collect import collect
from gato_hub.recipes.reading import check_recipe
from gato_hub.sharing.dataset_card import write_dataset_card
from gato_hub.suites import find_task
from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def folder_with_a_checkpoint(tmp_path, monkeypatch) -> Path:
    torch.manual_seed(0)
    processor = GatoProcessor(repeat_text_observations=False)
    processor.save_pretrained(tmp_path / "gato-quickstart")
    model = GatoForCausalLM(GatoConfig.nano(**processor.model_kwargs))
    model.save_pretrained(tmp_path / "gato-quickstart")
    task_id = "babyai/go-to-local"
    collections = collect([task_id], tmp_path / "data", 2, workers=0)
    write_dataset_card(tmp_path / "data", {task_id: find_task(task_id)}, collections, "gato collect", None)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_examples_run_one_after_the_other(folder_with_a_checkpoint):
    torch.manual_seed(0)
    namespace: dict = {}
    assert len(blocks("python")) == 7
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)
    assert namespace["env"].action_space.contains(namespace["action"])
    assert namespace["actions"].shape == (4,)
    assert namespace["picture"].shape == (28, 28, 3) and namespace["rollout"].success
    # Random actions reach the goal in some 15 of 50 episodes.
    assert sum(namespace["reached"]) >= 40


def test_the_commands_have_the_options_that_are_shown():
    commands = typer.main.get_command(app).commands
    lines = re.findall(r"^gato .*", "\n".join(blocks("bash")), re.MULTILINE)
    assert len(lines) > 15
    for line in lines:
        _, name, *words = shlex.split(line, comments=True)
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_the_recipe_is_one():
    (recipe,) = blocks("yaml")
    assert len(check_recipe(yaml.safe_load(recipe), "README.md").data) == 7


def test_the_parameter_counts_in_the_table_are_those_of_the_models():
    for size, millions in re.findall(r"\| `(small|baseline|large)\(\)` \| ([\d.]+) M \|", README):
        with torch.device("meta"):
            model = GatoForCausalLM(getattr(GatoConfig, size)())
        assert f"{model.num_parameters() / 1e6:.1f}" == millions
