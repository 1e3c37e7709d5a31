# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

import math

import pytest
from helpers.training_runs import sha256
from transformers import AutoProcessor

import modeling_gato  # noqa: F401  (registers the classes)
import tokenization_gato  # noqa: F401
from gato_hub.recipes.reading import check_recipe
from gato_hub.training.errors import TrainingError
from gato_hub.training.log import read_log
from gato_hub.training.run import train


@pytest.mark.slow
def test_a_full_disk_leaves_the_checkpoint_before(values, tmp_path, monkeypatch):
    def full(*arguments, **options):
        # As torch.save on a full disk: a part of the file is there.
        (tmp_path / "out" / "checkpoints").mkdir(exist_ok=True)
        raise RuntimeError("[enforce fail at inline_container.cc] PytorchStreamWriter failed writing file: no space")

    from gato_hub.training.trainer import MixtureTrainer

    original = MixtureTrainer._save_optimizer_and_scheduler
    monkeypatch.setattr(
        MixtureTrainer,
        "_save_optimizer_and_scheduler",
        lambda self, folder: full() if self.state.global_step > 3 else original(self, folder),
    )
    with pytest.raises(TrainingError, match="checkpoint-6 could not be written, with .* MiB left on the disk"):
        train(check_recipe(values), tmp_path / "out")
    (checkpoint,) = (tmp_path / "out" / "checkpoints").iterdir()
    assert checkpoint.name == "checkpoint-3"
    monkeypatch.undo()
    train(check_recipe(values), tmp_path / "out", resume=True)
    train(check_recipe(values), tmp_path / "straight")
    assert sha256(tmp_path / "out") == sha256(tmp_path / "straight")


def test_a_checkpoint_that_is_not_whole_is_not_taken(values, tmp_path):
    checkpoints = tmp_path / "out" / "checkpoints"
    (checkpoints / "checkpoint-9").mkdir(parents=True)
    (checkpoints / "checkpoint-9" / "model.safetensors").write_bytes(b"half")
    (checkpoints / ".partial-checkpoints" / "checkpoint-6").mkdir(parents=True)
    values["optimization"]["steps"] = 3
    train(check_recipe(values), tmp_path / "out", resume=True)
    assert [entry["step"] for entry in read_log(tmp_path / "out" / "log.jsonl")] == [2]


@pytest.mark.slow
@pytest.mark.parametrize("by", ["kind", "section"])
def test_labels_of_hardly_any_weight_are_not_learned(values, by, tmp_path):
    values["loss"] = {"weights": {"text": 0.0} if by == "kind" else {}, "soft_bins": 1.0}
    for section in values["data"]:
        if by == "section" and section["task"].startswith("captions"):
            section["label_weight"] = 1e-6
    values["optimization"]["steps"] = 30
    train(check_recipe(values), tmp_path / "out")
    entries = read_log(tmp_path / "out" / "log.jsonl")
    first, last = entries[0], entries[-1]
    assert last["loss/continuous_action"] < first["loss/continuous_action"] - 0.3
    vocabulary = AutoProcessor.from_pretrained(tmp_path / "out").vocabulary.size
    assert last["loss/text"] > math.log(vocabulary) - 0.5
