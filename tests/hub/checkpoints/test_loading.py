# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Loading a checkpoint."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from gato_hub.checkpoints.loading import CheckpointError, checkpoint_location, load_checkpoint, weights_digest


def _edited(name, **changes):
    def edit(folder):
        values = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(values | changes))

    return edit


def _with_a_nan(folder):
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "holds no model: there is no config.json"),
        (lambda folder: (folder / "processor_config.json").unlink(), "holds no processor"),
        (lambda folder: (folder / "model.safetensors").unlink(), "can't be loaded: .*model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 100), "can't be loaded: .*damaged"),
        (lambda folder: (folder / "config.json").write_text("{"), "can't be loaded: .*not a valid JSON"),
        (_edited("config.json", hidden_size="wide"), "can't be loaded: .*hidden_size"),
        (
            _edited("config.json", intermediate_size=128),
            "can't be loaded: .*have another shape",
        ),
        (_edited("config.json", model_type="llama"), "can't be loaded: .*'llama', not 'gato'"),
        (_with_a_nan, "holds weights that are not finite: model.norm.weight"),
    ],
    ids=["no-config", "no-processor", "no-weights", "no-safetensors", "no-json", "type", "shape", "llama", "nan"],
)
def test_a_damaged_checkpoint_is_told_in_words(checkpoint, tmp_path, damage, message):
    folder = tmp_path / "damaged"
    shutil.copytree(checkpoint, folder)
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


def test_a_name_on_the_hub_that_is_not_there():
    with pytest.raises(CheckpointError, match="no/where can't be loaded"):
        load_checkpoint("no/where")


def test_a_bug_keeps_its_traceback(checkpoint, tmp_path, monkeypatch):
    shutil.copytree(checkpoint, tmp_path / "copy")

    def broken(*_, **__):
        raise AssertionError("a bug")

    monkeypatch.setattr("tokenization_gato.GatoProcessor.from_pretrained", broken)
    with pytest.raises(AssertionError, match="a bug"):
        load_checkpoint(tmp_path / "copy")


def test_a_folder_comes_before_a_checkpoint_of_this_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert checkpoint_location("gato-mini").endswith("gato-mini") and checkpoint_location("gato-mini") != "gato-mini"
    (tmp_path / "gato-mini").mkdir()
    assert checkpoint_location("gato-mini") == "gato-mini"
    assert checkpoint_location("ada/gato-mini") == "ada/gato-mini"


def test_the_digest_is_that_of_the_weights(checkpoint):
    model, _ = load_checkpoint(checkpoint)
    before = weights_digest(model)
    with torch.no_grad():
        model.model.norm.weight[0] += 1.0
        changed = weights_digest(model)
        model.model.norm.weight[0] -= 1.0
    assert before != changed and len(before) == 64
