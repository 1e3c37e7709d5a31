# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

from helpers.commands import gato_here
from helpers.training_runs import TASKS


def test_the_mixture_can_be_looked_at_before(finished, tmp_path):
    path, _ = finished
    shown = gato_here("train", path, "--output", tmp_path / "out", "--show-mixture", 200)
    assert shown.returncode == 0, shown.stderr
    assert "100.00% full" in shown.stdout and "with a prompt" in shown.stdout
    assert all(task in shown.stdout for task in TASKS)
    assert not (tmp_path / "out" / "checkpoints").exists()
