# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Files and folders that are either whole or absent."""

import errno
from pathlib import Path

import pytest

from gato_hub.system.errors import FileError, GatoError
from gato_hub.system.files import make_folder, new_folder, read_image, read_json, replacing, write_text


def test_a_new_folder_is_there_when_all_of_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with new_folder("deep/folder") as temporary:
        write_text(temporary / "a.txt", "a")
        assert not Path("deep/folder").exists()
        monkeypatch.chdir("/")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["folder"]
    assert (tmp_path / "deep" / "folder" / "a.txt").read_text() == "a"


def test_a_folder_that_fails_leaves_nothing_and_may_be_tried_again(tmp_path):
    with pytest.raises(OSError, match="disk"), new_folder(tmp_path / "folder") as temporary:
        write_text(temporary / "half.txt", "a")
        raise OSError("disk is full")
    assert not list(tmp_path.iterdir())
    # What a killed process leaves is replaced, and an empty folder too.
    (tmp_path / ".partial-folder").mkdir()
    (tmp_path / ".partial-folder" / "half.txt").touch()
    (tmp_path / "folder").mkdir()
    with new_folder(tmp_path / "folder") as temporary:
        write_text(temporary / "whole.txt", "b")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["folder", "folder/whole.txt"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_new_folder_replaces_no_files(tmp_path, kind):
    there = tmp_path / "folder" if kind == "file" else tmp_path / "folder" / "kept.txt"
    write_text(there, "kept")
    with pytest.raises(ValueError, match="folder is there already"), new_folder(tmp_path / "folder"):
        pass
    assert there.read_text() == "kept"


def test_a_place_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a.txt", tmp_path / "folder", tmp_path / ("x" * 300)):
        with pytest.raises(FileError, match=f"{path.parent if path.name == 'a.txt' else path} can't be written: "):
            write_text(path, "a")
    with pytest.raises(FileError, match="file/deep can't be written"):
        make_folder(tmp_path / "file" / "deep")
    with pytest.raises(FileError, match="file/new can't be written"), new_folder(tmp_path / "file" / "new"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("context", [replacing, new_folder])
def test_a_full_disk_is_told_with_the_path_and_other_errors_stay_as_they_are(tmp_path, context):
    with pytest.raises(FileError, match=r"out can't be written: No space left"), context(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")
    for error in (FileNotFoundError(errno.ENOENT, "a bug"), ValueError("a bug"), FileError("told already")):
        with pytest.raises(type(error), match=r"a bug|told already") as raised, context(tmp_path / "out"):
            raise error
        assert raised.value is error
    assert not list(tmp_path.iterdir())


def test_files_that_can_not_be_read(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(FileError, match=r"text\.png holds no picture"):
        read_image(tmp_path / "text.png")
    with pytest.raises(FileError, match=r"none\.png can't be read: No such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(FileError, match=r"there is no file .*none\.json: the oven bakes it"):
        read_json(tmp_path / "none.json", ": the oven bakes it")
    with pytest.raises(FileError, match="can't be read: Is a directory"):
        read_json(tmp_path)
    with pytest.raises(GatoError, match=r"broken\.json is no JSON"):
        read_json(tmp_path / "broken.json")
