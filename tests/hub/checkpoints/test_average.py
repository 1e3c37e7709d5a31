# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The mean of several checkpoints' weights."""

import json

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from gato_hub.checkpoints.ancestry import training_of
from gato_hub.checkpoints.average import average_checkpoints
from gato_hub.checkpoints.loading import CheckpointError, load_checkpoint
from gato_hub.cli.app import app
from gato_hub.sharing.model_card import model_card
from modeling_gato import GatoForCausalLM
from tokenization_gato import GatoProcessor


@pytest.fixture(scope="module")
def others(checkpoint, tmp_path_factory):
    """Two more checkpoints of the same model, with weights of their own; the first has settings of acting."""
    folders = []
    for seed in (1, 2):
        folder = tmp_path_factory.mktemp("other")
        model = GatoForCausalLM.from_pretrained(checkpoint)
        torch.manual_seed(seed)
        with torch.no_grad():
            for weight in model.parameters():
                weight += 0.1 * torch.randn_like(weight)
        if seed == 1:
            model.generation_config.temperature = 0.5
            model.generation_config.do_sample = True
        model.save_pretrained(folder)
        GatoProcessor.from_pretrained(checkpoint).save_pretrained(folder)
        folders.append(folder)
    return folders


def test_the_mean_is_of_all_weights_by_their_shares(checkpoint, others, tmp_path):
    average_checkpoints([checkpoint, *others], tmp_path / "mean", [1, 2, 1])
    weights = [load_file(folder / "model.safetensors") for folder in (checkpoint, *others)]
    mean = load_file(tmp_path / "mean" / "model.safetensors")
    assert mean.keys() == weights[0].keys()
    for name, weight in mean.items():
        expected = 0.25 * weights[0][name] + 0.5 * weights[1][name] + 0.25 * weights[2][name]
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-7)


def test_the_mean_acts_as_the_first_is_told_to_and_leaves_it_as_it_was(checkpoint, others, tmp_path):
    before = load_file(others[0] / "model.safetensors")
    load_checkpoint(others[0])
    average_checkpoints([others[0], checkpoint], tmp_path / "mean")
    model, processor = load_checkpoint(tmp_path / "mean")
    assert model.generation_config.temperature == 0.5
    assert processor.to_dict() == GatoProcessor.from_pretrained(checkpoint).to_dict()
    for weights in (load_checkpoint(others[0])[0].state_dict(), load_file(others[0] / "model.safetensors")):
        assert all(weights[name].equal(weight) for name, weight in before.items())


def test_the_mean_keeps_its_precision(checkpoint, tmp_path):
    for name in ("first", "second"):
        GatoForCausalLM.from_pretrained(checkpoint, dtype=torch.bfloat16).save_pretrained(tmp_path / name)
        GatoProcessor.from_pretrained(checkpoint).save_pretrained(tmp_path / name)
    average_checkpoints([tmp_path / "first", tmp_path / "second"], tmp_path / "mean", [1.0, 2.0])
    before, mean = (load_file(tmp_path / name / "model.safetensors") for name in ("first", "mean"))
    assert all(weight.dtype == torch.bfloat16 and weight.equal(before[name]) for name, weight in mean.items())


def test_the_card_tells_of_the_mean_and_of_each_training_once(checkpoint, others, tmp_path, monkeypatch):
    first = {
        "command": "gato train first.yaml",
        "git_commit": "abc123",
        "versions": {},
        "recipe": {
            "seed": 7,
            "sequence": {"length": 256},
            "optimization": {"steps": 100, "batch_size": 8},
            "data": [{"weight": 1.0, "tasks": ["babyai/go-to-obj"], "episodes": 50}],
        },
        "earlier": None,
    }
    second = first | {"command": "gato train second.yaml", "earlier": first}
    for folder, training in zip(others, (first, second), strict=True):
        (folder / "training.json").write_text(json.dumps(training))
    arguments = ["average", str(others[0]), str(others[1]), "--share", "3", "--share", "1", "--out"]
    monkeypatch.setattr("sys.argv", ["gato", *arguments, "mean"])
    assert CliRunner().invoke(app, [*arguments, str(tmp_path / "mean")]).exit_code == 0
    training = training_of(tmp_path / "mean")
    assert [part["share"] for part in training.record["average_of"]] == [0.75, 0.25]
    assert [parent.digest for parent in training.parents()] == [training_of(folder).digest for folder in others]
    model, processor = load_checkpoint(tmp_path / "mean")
    text = str(model_card("ada/mean", model, processor, tmp_path / "mean"))
    assert f"gato average {others[0]}" in text and f"0.75 of `{others[0]}`" in text
    assert text.count("| `gato train first.yaml` |") == text.count("| `gato train second.yaml` |") == 1
    for command in ("first", "second"):
        assert f"The data of <code>gato train {command}.yaml</code>" in text


def test_what_has_no_mean(checkpoint, others, tmp_path):
    other_vocabulary = tmp_path / "vocabulary"
    GatoForCausalLM.from_pretrained(checkpoint).save_pretrained(other_vocabulary)
    GatoProcessor(repeat_text_observations=True).save_pretrained(other_vocabulary)
    other_heads = tmp_path / "heads"
    config = GatoForCausalLM.from_pretrained(checkpoint).config
    config.num_attention_heads *= 2  # the shapes of the weights are the same
    config.head_dim //= 2
    GatoForCausalLM(config).save_pretrained(other_heads)
    GatoProcessor.from_pretrained(checkpoint).save_pretrained(other_heads)
    out = tmp_path / "mean"
    for checkpoints, shares, message in (
        ([checkpoint], None, "two checkpoints or more, got 1"),
        ([checkpoint, others[0]], [1.0], "a share for each of the 2 checkpoints, got 1"),
        ([checkpoint, others[0]], [1.0, float("nan")], "positive numbers, got 1, nan"),
        ([checkpoint, others[0]], [2.0, 0.0], "positive numbers, got 2, 0"),
        ([checkpoint, tmp_path / "none"], None, "none can't be loaded"),
    ):
        with pytest.raises(ValueError, match=message):
            average_checkpoints(checkpoints, out, shares)
    for folder, message in ((other_vocabulary, "the processor's repeat_text_observations"), (other_heads, "head_dim")):
        with pytest.raises(CheckpointError, match=f"{folder} and {checkpoint} differ in .*{message}"):
            average_checkpoints([checkpoint, folder], out)
    assert not list(tmp_path.glob("*mean*"))
    with pytest.raises(ValueError, match="is there already"):
        average_checkpoints([checkpoint, others[0]], checkpoint)
