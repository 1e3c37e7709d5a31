# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses
import pickle
from pathlib import Path

import pytest

from gato_hub.data.chunks import Chunk, EpisodeSettings, make_chunk
from gato_hub.data.parquet import read_episodes, read_provenance
from gato_hub.suites import find_task

TASK = "classic-control/cart-pole"


def test_a_built_in_task_is_sent_to_other_processes_by_its_id():
    task = find_task("babyai/go-to-local")
    chunk = Chunk(task, Path("a.parquet"), range(3, 5), EpisodeSettings(noise=0.5))
    sent = pickle.dumps(chunk)
    assert b"babyai/go-to-local" in sent and len(sent) < 500
    assert pickle.loads(sent) == chunk and pickle.loads(sent).task is task


def test_a_task_of_the_user_is_sent_whole():
    task = dataclasses.replace(find_task(TASK), make_environment=dict, make_expert=None)
    assert pickle.loads(pickle.dumps(Chunk(task, Path("a"), range(1), EpisodeSettings()))).task == task


@pytest.mark.parametrize("settings", [EpisodeSettings(), EpisodeSettings(noise=0.25, smallest_score=0.0)])
def test_a_file_says_how_it_was_made(tmp_path, settings):
    chunk = Chunk(find_task(TASK), tmp_path / "train-00000.parquet", range(5, 7), settings)
    make_chunk(chunk)
    provenance = read_provenance(chunk.path)
    assert provenance == chunk.provenance | {name: provenance[name] for name in ("kept", "dropped", "steps")}
    assert list(provenance) == [
        *("task", "first_seed", "episodes", "versions", "expert", "noise", "smallest_score", "learner", "max_steps"),
        *("kept", "dropped", "steps"),
    ]
    assert (provenance["noise"], provenance["first_seed"], provenance["episodes"]) == (settings.noise, 5, 2)
    episodes = read_episodes(tmp_path)
    assert provenance["kept"] == len(episodes) and provenance["steps"] == sum(map(len, episodes["rewards"]))
