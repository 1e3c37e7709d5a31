# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Runs in processes of their own: killed and resumed, stopped by a signal, on two processes instead of one."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from helpers.training_runs import GATO, TORCHRUN, environment, kill, losses_of, run, sha256, wait_for_checkpoint, write
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import modeling_gato  # noqa: F401  (registers the classes)
import tokenization_gato  # noqa: F401
from gato_hub.recipes.reading import check_recipe
from gato_hub.training.log import read_log
from gato_hub.training.run import train


@pytest.mark.slow
@pytest.mark.subprocess
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


@pytest.mark.slow
@pytest.mark.subprocess
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


@pytest.mark.slow
def test_rows_do_not_depend_on_the_number_of_data_workers(values, tmp_path):
    recipe = values | {"optimization": values["optimization"] | {"steps": 4}}
    for workers in (0, 2):
        train(check_recipe(recipe | {"data_workers": workers}), tmp_path / str(workers))
    assert sha256(tmp_path / "0") == sha256(tmp_path / "2")


@pytest.mark.slow
@pytest.mark.subprocess
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


@pytest.mark.slow
@pytest.mark.subprocess
def test_a_batch_that_processes_can_not_share(values, tmp_path):
    path = write(values | {"optimization": values["optimization"] | {"batch_size": 3}}, tmp_path / "mine.yaml")
    refused = run(path, "--output", tmp_path / "out", launcher=(*TORCHRUN, "gato_hub.train"))
    assert refused.returncode != 0
    assert "optimization.batch_size (3) must be a multiple of the 2 processes" in refused.stderr
