# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GenerationConfig

import modeling_gato  # noqa: F401  (registers the classes)
import tokenization_gato  # noqa: F401
from gato_hub.checkpoints.ancestry import training_of
from gato_hub.recipes.reading import check_recipe
from gato_hub.training.run import train


def test_a_run_leaves_how_to_act_and_a_run_from_there_changes_what_it_says(finished, values, tmp_path):
    _, output = finished
    said = {"temperature": 0.5, "tasks": {"classic-control": {"context_steps": 2, "continuous_actions": "mean"}}}
    assert GenerationConfig.from_pretrained(output).agent == said
    del values["processor"]
    values["model"] = {"pretrained": str(output)}
    values["acting"] = {"do_sample": False, "tasks": {"babyai": {"temperature": 2.0}}}
    values["optimization"] |= {"steps": 1, "warmup_steps": 0}
    train(check_recipe(values, "mine"), tmp_path / "more")
    said |= {"do_sample": False, "tasks": said["tasks"] | {"babyai": {"temperature": 2.0}}}
    assert GenerationConfig.from_pretrained(tmp_path / "more").agent == said


def test_layers_added_to_a_pretrained_model_change_nothing_until_they_are_trained(finished, values, tmp_path):
    _, output = finished
    del values["processor"]
    trained = AutoModelForCausalLM.from_pretrained(output)
    depth = trained.config.num_hidden_layers + 2
    values["model"] = {"pretrained": str(output), "config": {"num_hidden_layers": depth}}
    ids = torch.arange(40)[None]
    distances = []
    for learning_rate in (1e-12, 1e-2):
        values["optimization"] |= {"steps": 2, "warmup_steps": 0, "learning_rate": learning_rate}
        folder = tmp_path / str(learning_rate)
        train(check_recipe(values, "mine"), folder)
        model = AutoModelForCausalLM.from_pretrained(folder)
        assert model.config.num_hidden_layers == depth
        assert model.generation_config.agent == trained.generation_config.agent
        distances.append((model(ids).logits - trained(ids).logits).abs().max().item())
        new_layers = [layer.mlp.down_proj.weight.abs().max().item() for layer in model.model.layers[-2:]]
    assert distances[0] < 1e-5 and min(new_layers) > 1e-3


@pytest.mark.slow
def test_adapters_leave_a_merged_model_and_themselves(values, finished, tmp_path):
    _, pretrained = finished
    recipe = {key: value for key, value in values.items() if key != "processor"}
    recipe |= {"model": {"pretrained": str(pretrained)}, "lora": {"rank": 2}}
    recipe["optimization"] = values["optimization"] | {"optimizer": "adam", "schedule": "constant", "dropout": 0.1}
    train(check_recipe(recipe), tmp_path / "out")
    before, after = (load_file(folder / "model.safetensors") for folder in (pretrained, tmp_path / "out"))
    assert before.keys() == after.keys()
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed and all("_proj" in name for name in changed)
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").exists()
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").config.hidden_dropout == 0.0
    training, earlier = training_of(tmp_path / "out"), training_of(pretrained)
    assert [parent.record for parent in training.parents()] == [earlier.record] and earlier.parents() == []
    assert training.record["hours"] >= 0.0
