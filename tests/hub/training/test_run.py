# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato train`, as a user runs it: on one process and on two, killed and resumed, with a full disk."""

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from datasets import Dataset
from helpers.commands import gato_here
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoProcessor, GenerationConfig

import modeling_gato  # noqa: F401  (registers the classes)
import tokenization_gato  # noqa: F401
from gato_hub.data.collect import collect
from gato_hub.recipes.errors import RecipeError
from gato_hub.recipes.reading import check_recipe
from gato_hub.training.errors import TrainingError
from gato_hub.training.log import read_log
from gato_hub.training.model import is_complete
from gato_hub.training.run import train

GATO = str(Path(sys.executable).with_name("gato"))
TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2", "-m"]
# Pictures, texts, continuous and discrete actions.
TASKS = ("babyai/go-to-local", "classic-control/pendulum", "captions/shapes")


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    collect(TASKS, folder, 12, workers=0, chunk_size=4)
    return folder


@pytest.fixture
def values(demonstrations):
    """A recipe for a very small model, as YAML has it."""
    return {
        "model": {
            "size": "nano",
            "config": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "hidden_dropout": 0.1},
        },
        "processor": {"options": {"repeat_text_observations": False}},
        "data": [{"path": str(demonstrations / task), "task": task} for task in TASKS],
        "sequence": {"length": 96},
        "optimization": {"steps": 12, "batch_size": 4, "learning_rate": 0.003, "warmup_steps": 2},
        "logging": {"every": 2},
        "checkpoints": {"every": 3},
        "data_workers": 0,
    }


def write(values, path, streaming=False):
    if streaming:
        values["data"] = [section | {"streaming": True} for section in values["data"]]
    path.write_text(yaml.safe_dump(values))
    return path


def environment():
    # Two processes of many threads each would wait for each other.
    return os.environ | {"HF_HUB_OFFLINE": "1", "COLUMNS": "200", "OMP_NUM_THREADS": "1"}


def run(*arguments, launcher=(GATO, "train")):
    command = [*launcher, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=300)


def sha256(folder):
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def losses_of(folder):
    return [entry["loss"] for entry in read_log(folder / "log.jsonl") if "loss" in entry]


def wait_for_checkpoint(output, process, step):
    """Until there is a checkpoint of that step or a later one."""
    while not any(int(path.name.rpartition("-")[2]) >= step for path in output.glob("checkpoints/checkpoint-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def kill(process):
    """The process and all that it started, at once."""
    started = [process, *psutil.Process(process.pid).children(recursive=True)]
    for one in started:
        one.kill()
    process.communicate()


# ---------------------------------------------------------------------------------------------------------------
# What a run leaves
# ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(demonstrations, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    config = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    recipe = {
        "model": {"size": "nano", "config": config},
        "data": [{"path": str(demonstrations / task), "task": task} for task in TASKS],
        "sequence": {"length": 96},
        "acting": {
            "temperature": 0.5,
            "tasks": {"classic-control": {"context_steps": 2, "continuous_actions": "mean"}},
        },
        "optimization": {"steps": 8, "batch_size": 4, "learning_rate": 0.003, "warmup_steps": 2},
        "evaluation": {"every": 4, "tasks": "classic-control/pendulum", "episodes": 1},
        "logging": {"every": 2, "report_to": "tensorboard"},
        "data_workers": 1,
    }
    path = write(recipe, folder / "mine.yaml")
    completed = run(path, "--output", folder / "out")
    assert completed.returncode == 0, completed.stderr
    return path, folder / "out", completed


def test_a_run_leaves_a_model_that_auto_classes_load(finished):
    _, output, _ = finished
    model, processor = AutoModelForCausalLM.from_pretrained(output), AutoProcessor.from_pretrained(output)
    assert model.config.max_position_embeddings == 96  # as many as the rows of training have
    inputs = processor(observations=np.zeros(3, np.float32), return_tensors="pt")
    assert model(**inputs).logits.isfinite().all()


def test_a_run_leaves_how_to_act_and_a_run_from_there_changes_what_it_says(finished, values, tmp_path):
    _, output, _ = finished
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
    _, output, _ = finished
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


def test_a_run_logs_each_task_each_kind_of_label_and_its_speed(finished):
    _, output, _ = finished
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
    _, output, _ = finished
    entries = [entry for entry in read_log(output / "log.jsonl") if "return/classic-control/pendulum" in entry]
    assert [entry["step"] for entry in entries] == [4, 8]
    assert all(-2000 < entry["return/classic-control/pendulum"] <= 0 for entry in entries)
    assert all("score/classic-control/pendulum" in entry for entry in entries)


def test_a_run_tells_its_tracker(finished):
    _, output, _ = finished
    assert list(output.rglob("events.out.tfevents.*"))


def test_a_run_leaves_its_learning_curve_and_all_that_repeats_it(finished):
    _path, output, _ = finished
    with Image.open(output / "learning_curve.png") as picture:
        picture.load()
        assert min(picture.size) > 100
    about = json.loads((output / "training.json").read_text())
    assert {"recipe", "command", "git_commit", "versions"} <= set(about)
    assert yaml.safe_load((output / "recipe.yaml").read_text())["optimization"]["steps"] == 8
    assert not [path for path in output.rglob("*") if "partial" in path.name]


def test_a_run_leaves_the_loss_of_each_task_beside_the_entropy_of_its_actions(finished):
    _, output, _ = finished
    table = (output / "losses.md").read_text()
    for task in TASKS:
        (line,) = (line for line in table.splitlines() if line.startswith(f"| {task} |"))
        entropy = float(line.split("|")[3])
        assert 0 < entropy < (math.log(7) if task.startswith("babyai") else 8)


def test_a_run_that_is_there_is_neither_run_again_nor_overwritten(finished):
    path, output, _ = finished
    before = sha256(output)
    refused = gato_here("train", path, "--output", output)
    assert refused.returncode == 1 and "holds a run" in refused.stderr and "Traceback" not in refused.stderr
    other = gato_here("train", path, "seed=1", "--output", output, "--resume")
    assert other.returncode == 1 and "differs in seed" in other.stderr and "recipe.yaml" in other.stderr
    complete = gato_here("train", output / "recipe.yaml", "--output", output, "--resume")
    assert complete.returncode == 0 and "complete" in complete.stdout
    assert sha256(output) == before


def test_the_mixture_can_be_looked_at_before(finished, tmp_path):
    path, _, _ = finished
    shown = gato_here("train", path, "--output", tmp_path / "out", "--show-mixture", 200)
    assert shown.returncode == 0, shown.stderr
    assert "100.00% full" in shown.stdout and "with a prompt" in shown.stdout
    assert all(task in shown.stdout for task in TASKS)
    assert not (tmp_path / "out" / "checkpoints").exists()


# ---------------------------------------------------------------------------------------------------------------
# Exactness
# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("launcher", [(GATO, "train"), (*TORCHRUN, "gato_hub.train")], ids=["one", "two"])
@pytest.mark.parametrize(
    ("streaming", "optimizer"), [(False, "adamw"), (True, "muon")], ids=["map-adamw", "stream-muon"]
)
def test_killed_and_resumed_is_as_if_it_had_not_been(values, streaming, optimizer, launcher, tmp_path):
    values["optimization"]["optimizer"] = optimizer
    path = write(values, tmp_path / "mine.yaml", streaming)
    straight = run(path, "--output", tmp_path / "straight", launcher=launcher)
    assert straight.returncode == 0, straight.stderr

    process = subprocess.Popen(
        [*launcher, str(path), "--output", str(tmp_path / "killed")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    wait_for_checkpoint(tmp_path / "killed", process, 3)
    kill(process)
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    resumed = run(path, "--output", tmp_path / "killed", "--resume", launcher=launcher)
    assert resumed.returncode == 0, resumed.stderr
    assert sha256(tmp_path / "killed") == sha256(tmp_path / "straight")
    assert losses_of(tmp_path / "killed")[-1] == losses_of(tmp_path / "straight")[-1]
    steps = [entry["step"] for entry in read_log(tmp_path / "killed" / "log.jsonl")]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize(
    ("number", "launcher"),
    [
        (signal.SIGINT, (GATO, "train")),
        (signal.SIGTERM, (GATO, "train")),
        (signal.SIGTERM, (*TORCHRUN, "gato_hub.train")),
    ],
    ids=["interrupt", "terminate", "terminate-two"],
)
def test_a_signal_leaves_a_checkpoint_to_go_on_from(values, number, launcher, tmp_path):
    values["optimization"]["steps"] = 100_000
    values["checkpoints"]["every"] = 100_000
    path = write(values, tmp_path / "mine.yaml")
    output = tmp_path / "out"
    process = subprocess.Popen(
        [*launcher, str(path), "--output", str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    while not read_log(output / "log.jsonl"):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    (checkpoint,) = (output / "checkpoints").iterdir()
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    assert model.num_parameters() > 0
    if launcher[0] == GATO:
        assert process.returncode == 128 + number
        assert "--resume" in errors and "Traceback" not in errors


def test_rows_do_not_depend_on_the_number_of_data_workers(values, tmp_path):
    recipe = values | {"optimization": values["optimization"] | {"steps": 4}}
    for workers in (0, 2):
        train(check_recipe(recipe | {"data_workers": workers}), tmp_path / str(workers))
    assert sha256(tmp_path / "0") == sha256(tmp_path / "2")


def test_two_processes_and_accumulated_batches_train_as_one(values, tmp_path):
    values["model"]["config"]["hidden_dropout"] = 0.0
    values["logging"]["every"] = 1
    # Patches are embedded at random places of their intervals, other ones in each process.
    values["data"] = [values["data"][1], values["data"][1] | {"label_weight": 4.0}]
    path = write(values, tmp_path / "mine.yaml")
    # Sums in another order differ in float32, after twelve steps by as much as 1e-4 of the loss on some processors.
    script = tmp_path / "train_in_float64.py"
    script.write_text(
        "import sys, torch\n"
        "from gato_hub.cli.app import app\n"
        "torch.set_default_dtype(torch.float64)\n"
        "app(['train', *sys.argv[1:]])\n"
    )
    alone, together = (sys.executable, script), (*TORCHRUN[:-1], script)
    runs = {
        "one": run(path, "--output", tmp_path / "one", launcher=alone),
        "accumulated": run(
            path, "optimization.micro_batch_size=1", "--output", tmp_path / "accumulated", launcher=alone
        ),
        "two": run(path, "--output", tmp_path / "two", launcher=together),
        "fsdp": run(path, "fsdp=true", "--output", tmp_path / "fsdp", launcher=together),
    }
    for name, completed in runs.items():
        assert completed.returncode == 0, (name, completed.stderr)
    losses = {name: losses_of(tmp_path / name) for name in runs}
    weights = {name: load_file(tmp_path / name / "model.safetensors") for name in runs}
    assert len(losses["one"]) == 12 and losses["one"][-1] < losses["one"][0]
    for name in ("accumulated", "two", "fsdp"):
        np.testing.assert_allclose(losses[name], losses["one"], rtol=1e-6, err_msg=name)
        for tensor, weight in weights["one"].items():
            torch.testing.assert_close(weights[name][tensor], weight, rtol=1e-6, atol=1e-6)


# ---------------------------------------------------------------------------------------------------------------
# Checkpoints
# ---------------------------------------------------------------------------------------------------------------


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


# ---------------------------------------------------------------------------------------------------------------
# Options
# ---------------------------------------------------------------------------------------------------------------


def test_episodes_of_an_environment_of_ones_own(values, tmp_path):
    """As a user has them: rows of lists, actions in the bounds of their environment."""
    environment = gymnasium.make("Pendulum-v1")
    episodes = []
    for seed in range(4):
        observation, _ = environment.reset(seed=seed)
        episode = {"continuous_observations": [], "continuous_actions": []}
        for _ in range(10):
            action = np.clip(-observation[1:2] * 4, -2, 2)
            episode["continuous_observations"].append(observation.tolist())
            episode["continuous_actions"].append(action.tolist())
            observation, *_ = environment.step(action)
        episodes.append(episode)
    (tmp_path / "mine").mkdir()
    Dataset.from_list(episodes).to_parquet(tmp_path / "mine" / "train-00000.parquet")
    section = {"path": str(tmp_path / "mine"), "environment": "Pendulum-v1"}
    values["optimization"]["steps"] = 2
    train(check_recipe(values | {"data": [section]}), tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").exists()
    del section["environment"]
    with pytest.raises(RecipeError, match=r"data: .*mine, row 0: continuous_actions .*\[-1, 1\]"):
        train(check_recipe(values | {"data": [section]}), tmp_path / "other")
    section["environment"] = "NoSuch-v0"
    with pytest.raises(RecipeError, match="data.0.path: environment: .*NoSuch"):
        train(check_recipe(values | {"data": [section]}), tmp_path / "third")


def test_adapters_leave_a_merged_model_and_themselves(values, finished, tmp_path):
    _, pretrained, _ = finished
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
    about, earlier = (json.loads((folder / "training.json").read_text()) for folder in (tmp_path / "out", pretrained))
    assert about["earlier"] == earlier and earlier["earlier"] is None
    assert about["hours"] >= 0.0


def test_a_recipe_collects_what_its_learner_does_and_trains_on_it(values, finished, tmp_path):
    _, learner, _ = finished
    section = {"tasks": TASKS[0], "episodes": 4, "learner": str(learner), "max_steps": 8}
    values["optimization"]["steps"] = 2
    train(check_recipe(values | {"data": [section]}), tmp_path / "out", workers=0)
    (folder,) = (tmp_path / "out" / "demonstrations").iterdir()
    assert folder.name.startswith("learner-") and folder.name.endswith("-8-steps")
    rows = [row for path in folder.rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert len(rows) == 4 and max(len(row["discrete_actions"]) for row in rows) <= 8
    assert is_complete(tmp_path / "out")


@pytest.mark.parametrize("by", ["kind", "section"])
def test_labels_of_hardly_any_weight_are_not_learnt(values, by, tmp_path):
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


# ---------------------------------------------------------------------------------------------------------------
# Errors, all of them before anything is trained or written
# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": [{"tasks": "babyai/go-to-locla"}]}, "data.0.tasks: There is no task .*go-to-local"),
        ({"data": [{"path": "/nowhere"}]}, "data.0.path: /nowhere is no folder"),
        ({"sequence": {"length": 5}}, "a timestep has .* tokens, more than sequence.length=5"),
        (
            {"model": {"size": "nano", "config": {"max_position_embeddings": 64}}},
            r"sequence.length \(96\) must be at most .*max_position_embeddings",
        ),
        ({"evaluation": {"every": 1, "tasks": "moon/land"}}, "evaluation.tasks: There is no task 'moon/land'"),
        ({"processor": {"options": {"mu": -1}}}, "processor.options: .*mu"),
        ({"processor": {"options": {"num_bin": 1}}}, "processor.options: .*num_bin"),
        ({"processor": {"tokenizer": "/nowhere"}}, "processor.tokenizer: .*nowhere"),
        ({"model": {"pretrained": "/nowhere"}, "processor": {}}, "model.pretrained: .*nowhere"),
        ({"lora": {"target_modules": ["nothing"]}}, "lora: .*nothing"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_recipes_are_told_before_training(values, changes, message, tmp_path):
    with pytest.raises(RecipeError, match=message):
        train(check_recipe(values | changes), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("checkpoint-*"))


def test_a_batch_that_processes_can_not_share(values, tmp_path):
    path = write(values | {"optimization": values["optimization"] | {"batch_size": 3}}, tmp_path / "mine.yaml")
    refused = run(path, "--output", tmp_path / "out", launcher=(*TORCHRUN, "gato_hub.train"))
    assert refused.returncode != 0
    assert "optimization.batch_size (3) must be a multiple of the 2 processes" in refused.stderr
