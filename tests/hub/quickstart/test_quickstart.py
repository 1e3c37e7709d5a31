# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The command itself, as a user runs it, with few steps."""

import json
import os
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from helpers.commands import gato_here
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoProcessor

import modeling_gato
import tokenization_gato  # noqa: F401  (registers the classes)
from gato_hub.data.parquet import read_episodes

pytestmark = pytest.mark.subprocess

# Each task's share of the demonstrations.
SHARES = {"babyai/go-to-red-ball-grey": 1, "babyai/go-to-local": 4}
GATO = Path(sys.executable).with_name("gato")


def gato(*arguments):
    return subprocess.run([GATO, *map(str, arguments)], capture_output=True, text=True, env=environment())


def environment():
    return os.environ | {"HF_HUB_OFFLINE": "1", "COLUMNS": "200"}


def interrupt_after(line_start, *arguments):
    """Runs `gato`, interrupts it when a line begins so, and gives its exit code, stdout after that line and stderr."""
    process = subprocess.Popen(
        [GATO, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        # A shell's job in the background is started with Ctrl-C ignored, and would hand that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stdout:
        if line.startswith(line_start):
            process.send_signal(signal.SIGINT)
            break
    output, errors = process.communicate()
    return process.returncode, output, errors


def test_version():
    assert gato("--version").stdout.strip() == f"gato-transformers {version('gato-transformers')}"


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    output = tmp_path_factory.mktemp("quickstart") / "run"
    options = ("--output", output, "--steps", 4, "--episodes", 24, "--eval-episodes", 3, "--seed", 5)
    completed = gato("quickstart", *options)
    assert completed.returncode == 0, completed.stderr
    return output, options, completed


@pytest.mark.slow
def test_run_leaves_a_model_that_auto_classes_load(finished_run):
    output, _, _ = finished_run
    model = AutoModelForCausalLM.from_pretrained(output)
    processor = AutoProcessor.from_pretrained(output)
    assert isinstance(model, modeling_gato.GatoForCausalLM)
    assert processor.repeat_text_observations is False
    inputs = processor(observations={"mission": "go to the red ball", "direction": 1}, return_tensors="pt")
    assert model(**inputs).logits.shape[-1] == model.config.vocab_size


@pytest.mark.slow
def test_run_leaves_scores_of_agent_chance_and_expert_on_the_same_fresh_seeds(finished_run):
    output, _, completed = finished_run
    document = json.loads((output / "scores.json").read_text())
    assert document["command"].startswith(f"gato quickstart --output {output} --steps 4 --episodes 24")
    assert document["seed"] == 5
    assert {"python", "torch", "transformers", "gato-transformers", "minigrid"} <= set(document["versions"])
    assert set(document["seconds"]) == {"demonstrations", "training", "evaluation"}
    assert {(entry["task"], entry["policy"]) for entry in document["scores"]} == {
        (task_id, policy) for task_id in SHARES for policy in ("agent", "random", "expert")
    }
    used_in_training = {
        seed for task_id in SHARES for seed in read_episodes(output / "demonstrations" / task_id)["seed"]
    }
    for entry in document["scores"]:
        assert entry["seeds"] == document["scores"][0]["seeds"] and len(entry["seeds"]) == 3
        assert not used_in_training & set(entry["seeds"])
        if entry["policy"] == "expert":
            assert entry["success_rate"] == 1.0
    table = (output / "scores.md").read_text()
    assert table.count("\n| babyai/") == 6
    assert "babyai/go-to-local" in completed.stdout


@pytest.mark.slow
def test_run_leaves_demonstrations_in_the_set_shares(finished_run):
    output, _, _ = finished_run
    for task_id, share in SHARES.items():
        episodes = read_episodes(output / "demonstrations" / task_id)
        assert set(episodes["task"]) == {task_id}
        assert len(episodes) == 24 * share // sum(SHARES.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scores.png", "learning_curve.png", "episode.gif"])
def test_run_leaves_pictures(finished_run, name):
    output, _, _ = finished_run
    with Image.open(output / name) as picture:
        picture.load()
        assert min(picture.size) > 100


@pytest.mark.slow
def test_run_leaves_nothing_half_written_and_no_checkpoints(finished_run):
    output, _, _ = finished_run
    assert [path for path in output.rglob("*") if "partial" in path.name or "checkpoint" in path.name] == []


@pytest.mark.slow
def test_a_finished_run_is_not_run_again_nor_overwritten(finished_run):
    output, options, _ = finished_run
    written = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.name != "run.json"}
    again = gato_here("quickstart", *options, "--resume")
    assert again.returncode == 0 and "complete" in again.stdout
    refused = gato_here("quickstart", *options)
    assert refused.returncode == 1 and "not empty" in refused.stderr and "Traceback" not in refused.stderr
    other = gato_here("quickstart", "--output", output, "--steps", 5, "--resume")
    assert other.returncode == 1 and "--steps 4 --episodes 24" in other.stderr
    assert written == {path: path.stat().st_mtime_ns for path in written}


def test_resume_needs_a_run(tmp_path):
    refused = gato_here("quickstart", "--output", tmp_path, "--resume")
    assert refused.returncode == 1 and "no run to go on with" in refused.stderr


@pytest.mark.slow
def test_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(tmp_path):
    output = tmp_path / "run"
    options = ("--output", output, "--steps", 16, "--episodes", 1400, "--eval-episodes", 1)

    code, _, errors = interrupt_after("demonstrations:", "quickstart", *options)
    assert code == 130 and "--resume" in errors and "Traceback" not in errors
    chunks = {path: path.stat().st_mtime_ns for path in output.rglob("train-*.parquet")}
    assert 1 <= len(chunks) < 7
    assert not (output / "checkpoints").exists()

    code, printed, errors = interrupt_after("training:", "quickstart", *options, "--resume")
    assert code == 130 and "--resume" in errors and "Traceback" not in errors
    assert "Saving a checkpoint" in printed
    assert chunks == {path: path.stat().st_mtime_ns for path in chunks}
    (checkpoint,) = (output / "checkpoints").glob("checkpoint-*")
    assert 1 <= int(checkpoint.name.rpartition("-")[2]) < 16
    assert not (output / "model.safetensors").exists()

    uninterrupted = tmp_path / "uninterrupted"
    shutil.copytree(output, uninterrupted)
    shutil.rmtree(uninterrupted / "checkpoints")
    for folder in (output, uninterrupted):
        completed = gato("quickstart", "--output", folder, *options[2:], "--resume")
        assert completed.returncode == 0, completed.stderr
    resumed, straight = (load_file(folder / "model.safetensors") for folder in (output, uninterrupted))
    assert resumed.keys() == straight.keys()
    assert all(resumed[name].equal(straight[name]) for name in straight)
