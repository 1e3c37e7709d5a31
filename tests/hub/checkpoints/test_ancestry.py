# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How a checkpoint tells where its weights come from."""

import json

import pytest

from gato_hub.checkpoints.ancestry import record_digest, training_of, write_training
from gato_hub.checkpoints.loading import SHIPPED
from gato_hub.system.errors import GatoError


def stage(name, **more):
    return {"command": f"gato train {name}", "git_commit": None, **more}


@pytest.fixture
def write(tmp_path):
    """Writes the files of a checkpoint and reads them again."""

    def write(name, *parents):
        (tmp_path / name).mkdir()
        write_training(tmp_path / name, stage(name), parents)
        return training_of(tmp_path / name)

    return write


def test_each_stage_is_written_once(write, tmp_path):
    first = write("first")
    second, third = write("second", first), write("third", first)
    mean = write("mean", second, third, None)
    again = write("again", mean, second)
    commands = [record["command"].split()[-1] for _, record in again.stages()]
    assert sorted(commands) == ["again", "first", "mean", "second", "third"] and commands[0] == "again"
    assert [parent and parent.digest for parent in mean.parents()] == [second.digest, third.digest, None]
    assert (tmp_path / "again" / "ancestry.json").read_text().count("gato train first") == 1
    assert not (tmp_path / "first" / "ancestry.json").exists()


def test_a_digest_stands_for_all_that_led_to_a_stage(write):
    first, other = write("first"), write("other")
    assert write("second", first).digest != record_digest(stage("second") | {"parents": [other.digest]})
    assert write("last").digest == record_digest({"parents": [], **stage("last")})  # the order of keys is no matter


def test_the_nested_files_of_older_versions_are_read(tmp_path, write):
    first = stage("first", earlier=None)
    second = stage("second", earlier=first)
    parts = [
        {"checkpoint": "a", "share": 0.25, "training": second},
        {"checkpoint": "b", "share": 0.5, "training": first},
        {"checkpoint": "c", "share": 0.25, "training": None},
    ]
    (tmp_path / "training.json").write_text(json.dumps({"command": "gato average a b c", "average_of": parts}))
    training = training_of(tmp_path)
    assert [record["command"] for _, record in training.stages()] == [
        "gato average a b c",
        "gato train second",
        "gato train first",
    ]
    assert training.record["average_of"] == [
        {"checkpoint": "a", "share": 0.25},
        {"checkpoint": "b", "share": 0.5},
        {"checkpoint": "c", "share": 0.25},
    ]
    second, first, unknown = training.parents()
    assert unknown is None and [parent.digest for parent in second.parents()] == [first.digest]


def test_a_folder_that_does_not_tell(tmp_path):
    assert training_of(tmp_path) is None
    assert training_of("someone/on-the-hub") is None


def test_a_stage_that_is_missing_is_named(write, tmp_path):
    write("second", write("first"))
    (tmp_path / "second" / "ancestry.json").write_text("{}")
    with pytest.raises(GatoError, match=r"ancestry\.json lacks the stage '[0-9a-f]{16}'"):
        training_of(tmp_path / "second")


def test_the_files_of_the_checkpoint_that_ships_are_small():
    folder = SHIPPED / "gato-mini"
    stages = dict(training_of("gato-mini").stages())
    assert len(stages) > 1
    assert all(record_digest(record) == digest for digest, record in stages.items())
    assert (folder / "training.json").stat().st_size < 40_000
    assert len((folder / "README.md").read_text().splitlines()) < 400
