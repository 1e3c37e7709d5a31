# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How a command ends when something goes wrong."""

import signal

import pytest
import typer
from helpers.commands import gato_here

from gato_hub.cli.errors import explained_errors
from gato_hub.system.errors import FileError, GatoError


@pytest.mark.parametrize("error", [GatoError("mend this"), FileError("mend this")])
def test_what_a_user_can_mend_is_one_line(error, capsys):
    with pytest.raises(typer.Exit) as ended, explained_errors():
        raise error
    assert ended.value.exit_code == 1 and capsys.readouterr().err == "Error: mend this\n"


@pytest.mark.parametrize("error", [ValueError("a bug"), ImportError("a bug"), OSError("a bug"), KeyError("a bug")])
def test_a_bug_keeps_its_traceback(error):
    with pytest.raises(type(error), match="a bug") as raised, explained_errors(to_go_on="gato train"):
        raise error
    assert raised.value is error


def test_ctrl_c_tells_how_to_go_on(capsys):
    interruption = KeyboardInterrupt()
    with pytest.raises(typer.Exit) as ended, explained_errors(to_go_on="gato train mine --resume"):
        raise interruption
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "Interrupted. To go on: gato train mine --resume\n"
    interruption.signal = signal.SIGTERM
    with pytest.raises(typer.Exit) as ended, explained_errors(to_go_on="gato train"):
        raise interruption
    assert ended.value.exit_code == 143
    with pytest.raises(KeyboardInterrupt), explained_errors():
        raise interruption


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("caption", "gato-mini", "FOLDER/none.png"), "none.png can't be read: No such file"),
        (("caption", "gato-mini", "FOLDER/file"), "file holds no picture"),
        (("chat", "FOLDER"), "holds no model: there is no config.json"),
        (("play", "gato-mini", "nonsense/task"), "There is no task 'nonsense/task'"),
        (("play", "gato-mini", "captions/shapes"), "captions/shapes is no task to act in"),
        (("play", "gato-mini", "babyai/go-to", "babyai/go-to-obj"), "a window shows one task"),
        (("compare", "FOLDER/none", "FOLDER/none"), "there is no file"),
        (("average", "gato-mini", "--out", "FOLDER/mean"), "two checkpoints or more, got 1"),
        (("collect", "nonsense", "--out", "FOLDER/data"), "There is no task 'nonsense'"),
        (("evaluate", "random", "--tasks", "nonsense", "--out", "FOLDER/out"), "There is no task 'nonsense'"),
        (("measure", "nonsense"), "There is no task 'nonsense'"),
        (("tasks", "nonsense"), "There is no task 'nonsense'"),
        (("push", "gato-mini", "ada/x", "--max-shard-size", "much"), "must be a size such as 5GB, not 'much'"),
        (("push-dataset", "FOLDER/none", "ada/x"), "holds no parquet files"),
        (("pull", "ada/x", "--out", "FOLDER/x", "--type", "book"), "is a model, a dataset or a space, not 'book'"),
        (("export-minari", "FOLDER/none"), "there are no episodes in"),
        (("train", "nonsense", "--output", "FOLDER/out"), "there is no file nonsense, and no recipe of that name"),
        (("quickstart", "--output", "FOLDER"), "is not empty"),
        (("quickstart", "--output", "FOLDER/file/out"), "file/out can't be written: Not a directory"),
    ],
    ids=lambda value: "-".join(value[:1]) if isinstance(value, tuple) else "",
)
def test_the_mistakes_of_users_are_told(tmp_path, arguments, message):
    (tmp_path / "file").write_text("no picture")
    finished = gato_here(*(argument.replace("FOLDER", str(tmp_path)) for argument in arguments))
    assert finished.returncode == 1
    assert finished.stderr.startswith("Error: ") and message in finished.stderr
