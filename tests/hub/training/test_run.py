# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato train`: what a run leaves."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import yaml
from helpers.commands import gato_here
from helpers.training_runs import sha256
from PIL import Image
from transformers import AutoModelForCausalLM, AutoProcessor

import modeling_gato  # noqa: F401  (registers the classes)
import tokenization_gato  # noqa: F401
from gato_hub.training.log import read_log

GATO = str(Path(sys.executable).with_name("gato"))
TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2", "-m"]
# Pictures, texts, continuous and discrete actions.
TASKS = ("babyai/go-to-local", "classic-control/pendulum", "captions/shapes")


def test_a_run_leaves_a_model_that_auto_classes_load(finished):
    _, output = finished
    model, processor = AutoModelForCausalLM.from_pretrained(output), AutoProcessor.from_pretrained(output)
    assert model.config.max_position_embeddings == 96  # as many as the rows of training have
    inputs = processor(observations=np.zeros(3, np.float32), return_tensors="pt")
    assert model(**inputs).logits.isfinite().all()


def test_a_run_logs_each_task_each_kind_of_label_and_its_speed(finished):
    _, output = finished
    entries = [entry for entry in read_log(output / "log.jsonl") if "loss" in entry]
    assert [entry["step"] for entry in entries] == [2, 4, 6, 8]
    assert {f"loss/{task}" for task in TASKS} <= {key for entry in entries for key in entry}
    for entry in entries:
        assert {"tokens_per_second", "waiting_share", "labelled_share", "learning_rate", "grad_norm"} <= set(entry)
        assert 0 < entry["labelled_share"] < 1 and 0 <= entry["waiting_share"] <= 1
        kinds = [key for key in entry if key.startswith("loss/") and "/" not in key.removeprefix("loss/")]
        assert "loss/continuous_action" in kinds and "loss/text" in kinds
        assert min(entry[kind] for kind in kinds) <= entry["loss"] <= max(entry[kind] for kind in kinds)


def test_a_run_logs_rollouts_beside_the_loss(finished):
    _, output = finished
    entries = [entry for entry in read_log(output / "log.jsonl") if "return/classic-control/pendulum" in entry]
    assert [entry["step"] for entry in entries] == [4, 8]
    assert all(-2000 < entry["return/classic-control/pendulum"] <= 0 for entry in entries)
    assert all("score/classic-control/pendulum" in entry for entry in entries)


def test_a_run_tells_its_tracker(finished):
    _, output = finished
    assert list(output.rglob("events.out.tfevents.*"))


def test_a_run_leaves_its_learning_curve_and_all_that_repeats_it(finished):
    _, output = finished
    with Image.open(output / "learning_curve.png") as picture:
        picture.load()
        assert min(picture.size) > 100
    about = json.loads((output / "training.json").read_text())
    assert {"recipe", "command", "git_commit", "versions"} <= set(about)
    assert yaml.safe_load((output / "recipe.yaml").read_text())["optimization"]["steps"] == 8
    assert not [path for path in output.rglob("*") if "partial" in path.name]


def test_a_run_leaves_the_loss_of_each_task_beside_the_entropy_of_its_actions(finished):
    _, output = finished
    table = (output / "losses.md").read_text()
    for task in TASKS:
        (line,) = (line for line in table.splitlines() if line.startswith(f"| {task} |"))
        entropy = float(line.split("|")[3])
        assert 0 < entropy < (math.log(7) if task.startswith("babyai") else 8)


def test_a_run_that_is_there_is_neither_run_again_nor_overwritten(finished):
    path, output = finished
    before = sha256(output)
    refused = gato_here("train", path, "--output", output)
    assert refused.returncode == 1 and "holds a run" in refused.stderr and "Traceback" not in refused.stderr
    other = gato_here("train", path, "seed=1", "--output", output, "--resume")
    assert other.returncode == 1 and "differs in seed" in other.stderr and "recipe.yaml" in other.stderr
    complete = gato_here("train", output / "recipe.yaml", "--output", output, "--resume")
    assert complete.returncode == 0 and "complete" in complete.stdout
    assert sha256(output) == before
