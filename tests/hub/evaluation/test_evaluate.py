# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato evaluate`, `play`, `caption` and `chat` with an untrained model, which acts badly and deterministically."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from helpers.commands import gato_here
from PIL import Image
from safetensors.torch import load_file, save_file

import gato_hub
from gato_hub.acting.rollout import EnvironmentFailed
from gato_hub.checkpoints.loading import CheckpointError, checkpoint_location, load_checkpoint
from gato_hub.data.prompts import demonstration
from gato_hub.evaluation.documents import document_bits
from gato_hub.evaluation.evaluate import (
    EvaluationSettings,
    _evaluate_task,
    _Job,
    evaluate_checkpoint,
    path_of,
)
from gato_hub.evaluation.summary import summarize
from gato_hub.suites import find_task
from gato_hub.system.errors import GatoError
from modeling_gato import GatoForCausalLM

GATO = str(Path(sys.executable).with_name("gato"))
TASKS = ("babyai/go-to-local", "classic-control/pendulum", "captions/shapes")
FEW = EvaluationSettings(episodes=3, documents=4)


def run(*arguments, text=None):
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    command = [GATO, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, input=text, timeout=300)


def without_times(results):
    results = json.loads(json.dumps(results))
    for entry in results["tasks"].values():
        entry.pop("seconds")
    return results


@pytest.fixture(scope="module")
def evaluated(checkpoint, tmp_path_factory):
    output = tmp_path_factory.mktemp("evaluated")
    return output, evaluate_checkpoint(checkpoint, TASKS, output, FEW, workers=0)


def test_results_hold_every_episode_and_what_made_them(evaluated):
    output, results = evaluated
    assert json.loads((output / "results.json").read_text()) == results
    assert {"command", "git_commit", "versions", "settings", "checkpoint"} <= set(results)
    for task_id in TASKS[:2]:
        episodes = results["tasks"][task_id]["episodes"]
        assert [episode["seed"] for episode in episodes] == list(find_task(task_id).evaluation_seeds[:3])
        assert all(episode["length"] >= 1 for episode in episodes)
    captions = results["tasks"]["captions/shapes"]
    assert captions["rows"] == 4 and len(captions["answers"]) == 4
    assert {"exact_match", "bleu", "chrf"} <= set(captions)


@pytest.mark.slow
@pytest.mark.subprocess
def test_neither_the_number_of_processes_nor_a_kill_changes_the_results(checkpoint, evaluated, tmp_path):
    _, once = evaluated
    for workers in (1, 2):
        together = evaluate_checkpoint(checkpoint, TASKS, tmp_path / f"by {workers}", FEW, workers=workers)
        assert without_times(together) == without_times(once)

    command = [GATO, "evaluate", str(checkpoint), "--out", str(tmp_path / "killed"), "--episodes", "3"]
    command += ["--documents", "4", "--workers", "1"] + [part for task in TASKS for part in ("--tasks", task)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = path_of(tmp_path / "killed", TASKS[0])
    while not first.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()
    process.communicate()
    finished = first.stat().st_mtime_ns
    assert not (tmp_path / "killed" / "results.json").exists()
    resumed = evaluate_checkpoint(checkpoint, TASKS, tmp_path / "killed", FEW, workers=1)
    assert without_times(resumed) == without_times(once)
    assert first.stat().st_mtime_ns == finished


def test_expert_and_random_score_100_and_0_on_other_seeds_than_the_references(tmp_path):
    tasks = ("babyai/go-to-obj", "classic-control/cart-pole", "classic-control/pendulum")
    settings = EvaluationSettings(episodes=20)
    for policy, expected in (("expert", 100.0), ("random", 0.0)):
        results = evaluate_checkpoint(policy, tasks, tmp_path / policy, settings, workers=0)
        for task_id in tasks:
            entry = results["tasks"][task_id]
            low, high = entry["normalized_interval"]
            # The reference has an interval of its own, of about the same width.
            assert low - (high - low) - 3 <= expected <= high + (high - low) + 3, (task_id, entry["normalized"])


def test_prompted_episodes_are_others(checkpoint, evaluated, tmp_path):
    _, results = evaluated
    settings = EvaluationSettings(episodes=3, prompt=True)
    prompted = evaluate_checkpoint(checkpoint, TASKS[1:2], tmp_path, settings, workers=0)
    assert prompted["tasks"][TASKS[1]]["episodes"] != results["tasks"][TASKS[1]]["episodes"]
    row = demonstration(find_task(TASKS[1]))
    assert row["task"] == TASKS[1] and row["seed"] not in find_task(TASKS[1]).evaluation_seeds


def test_data_for_prompts_needs_prompts():
    with pytest.raises(GatoError, match="but prompt is false"):
        EvaluationSettings(prompt_data="data")


def test_settings_that_no_agent_takes_are_refused():
    with pytest.raises(GatoError, match="temperature must be above 0, not 0"):
        EvaluationSettings(temperature=0.0)
    with pytest.raises(GatoError, match="temperature must be above 0, not nan"):
        EvaluationSettings(temperature=float("nan"))
    with pytest.raises(GatoError, match="continuous_actions must be sample, mode or mean, not 'median'"):
        EvaluationSettings(continuous_actions="median")


def test_bits_of_a_document_are_those_of_its_tokens(checkpoint):
    model, processor = load_checkpoint(checkpoint)
    row = {"text": "In the beginning. " * 10}
    ids = processor.encode_document(row).input_ids
    with torch.no_grad():
        logits = model(torch.from_numpy(ids)[None], use_cache=False).logits[0].double()
    picked = logits.log_softmax(-1)[:-1].gather(1, torch.from_numpy(ids)[1:, None])
    expected = -picked.sum().item() / np.log(2) + np.log2(processor.vocabulary.text_size)
    assert document_bits(row, model, processor) == pytest.approx(expected, rel=1e-4)
    # A document of several windows costs the first token of each.
    long = {"text": "In the beginning. " * 1000}
    assert document_bits(long, model, processor) > 0


# ---------------------------------------------------------------------------------------------------------------
# Bad input
# ---------------------------------------------------------------------------------------------------------------


def test_folders_that_are_no_checkpoint(checkpoint, tmp_path):
    with pytest.raises(CheckpointError, match="holds no model: there is no config.json"):
        evaluate_checkpoint(tmp_path, TASKS[:1], tmp_path / "out")
    shutil.copytree(checkpoint, tmp_path / "bare")
    (tmp_path / "bare" / "processor_config.json").unlink()
    with pytest.raises(CheckpointError, match="holds no processor: there is no processor_config.json"):
        evaluate_checkpoint(tmp_path / "bare", TASKS[:1], tmp_path / "out")
    with pytest.raises(CheckpointError, match="no/such can't be loaded"):
        load_checkpoint("no/such")
    shutil.copytree(checkpoint, tmp_path / "nan")
    tensors = load_file(tmp_path / "nan" / "model.safetensors")
    tensors["model.norm.weight"][3] = torch.nan
    save_file(tensors, tmp_path / "nan" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="holds weights that are not finite: model.norm.weight"):
        load_checkpoint(tmp_path / "nan")


def test_a_name_is_that_of_a_checkpoint_that_ships_unless_there_is_such_a_folder(tmp_path, monkeypatch):
    shipped = Path(gato_hub.__file__).parent / "checkpoints/gato-mini"
    monkeypatch.chdir(tmp_path)
    assert checkpoint_location("gato-mini") == str(shipped)
    assert checkpoint_location("user/gato-mini") == "user/gato-mini"
    assert [checkpoint_location(name) for name in (".", "..", "gato-none", "")] == [".", "..", "gato-none", ""]
    (tmp_path / "gato-mini").mkdir()
    assert checkpoint_location("gato-mini") == "gato-mini"


def test_a_bug_is_no_failure_of_a_task(tmp_path, monkeypatch):
    def broken(task, seeds):
        raise KeyError("a bug")

    monkeypatch.setattr("gato_hub.evaluation.policies.evaluate_random", broken)
    job = _Job("random", "classic-control/pendulum", tmp_path / "task.json", FEW)
    with pytest.raises(KeyError, match="a bug"):
        _evaluate_task(job)
    assert not job.path.exists()


@pytest.mark.parametrize("error", [EnvironmentFailed("OSError: no display"), GatoError("no room for the prompt")])
def test_a_task_that_fails_is_listed_with_the_reason(tmp_path, monkeypatch, error):
    def failing(task, seeds):
        raise error

    monkeypatch.setattr("gato_hub.evaluation.policies.evaluate_random", failing)
    job = _Job("random", "classic-control/pendulum", tmp_path / "task.json", FEW)
    _evaluate_task(job)
    assert summarize({job.task_id: json.loads(job.path.read_text())})["not_averaged"] == {job.task_id: str(error)}


def test_a_folder_with_other_results(checkpoint, evaluated):
    output, _ = evaluated
    with pytest.raises(ValueError, match="holds results with another seed"):
        evaluate_checkpoint(checkpoint, TASKS, output, EvaluationSettings(episodes=3, documents=4, seed=1))
    with pytest.raises(ValueError, match="holds results with another checkpoint"):
        evaluate_checkpoint("expert", TASKS[:2], output, FEW)


def test_a_folder_with_results_of_other_weights(checkpoint, evaluated, tmp_path):
    output, _ = evaluated
    copied = tmp_path / "results"
    shutil.copytree(output, copied)
    about = json.loads((copied / "evaluation.json").read_text())
    (copied / "evaluation.json").write_text(json.dumps(about | {"weights": "0" * 64}))
    with pytest.raises(ValueError, match="holds results with other weights"):
        evaluate_checkpoint(checkpoint, TASKS, copied, FEW)


def test_a_policy_answers_no_documents(tmp_path):
    with pytest.raises(ValueError, match="expert actions answer no documents: leave out captions/shapes"):
        evaluate_checkpoint("expert", TASKS, tmp_path)


def test_no_episodes():
    with pytest.raises(ValueError, match="episodes must be at least 1, not 0"):
        EvaluationSettings(episodes=0)


def test_a_prompt_that_does_not_fit_is_told_and_other_tasks_go_on(checkpoint, tmp_path):
    # The observations of one have another number of tokens than the window of this model has room for.
    folder = tmp_path / "narrow"
    shutil.copytree(checkpoint, folder)
    model = GatoForCausalLM.from_pretrained(checkpoint)
    model.config.max_position_embeddings = 24
    model.save_pretrained(folder)
    tasks = ("metaworld/reach", "classic-control/cart-pole")
    results = evaluate_checkpoint(
        folder, tasks, tmp_path / "out", EvaluationSettings(episodes=2, prompt=True), workers=0
    )
    assert "metaworld/reach" in results["not_averaged"]
    assert len(results["tasks"]["classic-control/cart-pole"]["episodes"]) == 2


@pytest.mark.slow
@pytest.mark.subprocess
def test_commands_to_play_caption_and_chat(checkpoint, tmp_path):
    played = run("play", checkpoint, "classic-control/cart-pole", "--out", tmp_path / "a.gif")
    assert played.returncode == 0 and "steps, reward" in played.stdout, played.stderr
    assert (tmp_path / "a.gif").exists()
    together = gato_here(
        "play", checkpoint, "classic-control/cart-pole", "sokoban/7x7-1-box", "--steps", 5, "--out", tmp_path / "c.gif"
    )
    assert "cart-pole: 5 steps" in together.stdout and "sokoban/7x7-1-box: 5 steps" in together.stdout, together.stderr
    with Image.open(tmp_path / "c.gif") as picture:
        assert 2 <= picture.n_frames <= 5  # equal frames are one, shown longer
    no_window = gato_here("play", checkpoint, "classic-control/cart-pole", "sokoban/7x7-1-box")
    assert no_window.returncode == 1 and "give --out" in no_window.stderr
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    captioned = gato_here("caption", checkpoint, tmp_path / "red.png")
    assert captioned.returncode == 0, captioned.stderr
    talked = run("chat", checkpoint, text="Hello?\n\nAgain.\n")
    assert talked.returncode == 0, talked.stderr
    no_task = gato_here("play", checkpoint, "captions/shapes", "--out", tmp_path / "b.gif")
    assert no_task.returncode == 1 and "no task to act in" in no_task.stderr
    no_image = gato_here("caption", checkpoint, tmp_path / "none.png")
    assert no_image.returncode == 1 and "Traceback" not in no_image.stderr
