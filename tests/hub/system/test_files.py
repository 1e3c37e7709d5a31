# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Files and folders that are either whole or absent."""

import os

import pytest

from gato_hub.system.files import new_folder, write_text


def test_a_new_folder_is_there_when_all_of_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with new_folder("deep/folder") as temporary:
        write_text(temporary / "a.txt", "a")
        assert not os.path.exists("deep/folder")
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
