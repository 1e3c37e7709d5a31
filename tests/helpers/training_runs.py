# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Trainings in processes of their own, and what they leave."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import yaml

from gato_hub.training.log import read_log

GATO = str(Path(sys.executable).with_name("gato"))
TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node", "2", "-m"]
# Pictures, texts, continuous and discrete actions.
TASKS = ("babyai/go-to-local", "classic-control/pendulum", "captions/shapes")


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
