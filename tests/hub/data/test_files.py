# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
from types import SimpleNamespace

import fsspec
import pyarrow
import pyarrow.parquet
import pytest

from gato_hub.data.files import parquet_files
from gato_hub.system.errors import GatoError


@pytest.fixture
def folder(tmp_path):
    for name in ("train-00001", "train-00000", "test-00000", "other"):
        pyarrow.parquet.write_table(pyarrow.table({"text": [name]}), tmp_path / f"{name}.parquet")
    return tmp_path


def names(paths):
    return [path.rpartition("/")[2] for path in paths]


def test_a_folder_a_pattern_and_a_file(folder):
    assert names(parquet_files(str(folder))) == ["train-00000.parquet", "train-00001.parquet"]
    assert names(parquet_files(str(folder), split="test")) == ["test-00000.parquet"]
    assert names(parquet_files(str(folder / "*-00000.parquet"))) == ["test-00000.parquet", "train-00000.parquet"]
    assert parquet_files(str(folder / "other.parquet")) == [str(folder / "other.parquet")]


def test_urls(folder):
    local = f"file://{folder}"
    assert names(parquet_files(local)) == ["train-00000.parquet", "train-00001.parquet"]
    assert names(parquet_files(f"{local}/*.parquet", split="test")) == names(sorted(map(str, folder.iterdir())))
    with fsspec.open("memory://urls/train-00000.parquet", "wb") as file:
        file.write((folder / "other.parquet").read_bytes())
    (found,) = parquet_files("memory://urls")
    with fsspec.open(found, "rb") as file:
        assert file.read() == (folder / "other.parquet").read_bytes()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("FOLDER/empty", r"there is no train-\*.parquet in the folder"),
        ("FOLDER/no*", "no file matches"),
        ("no/such", "no/such is no folder, no pattern, and can't be found on the Hub"),
        ("file://FOLDER/nowhere", "no file matches file://"),
        ("nosuch://folder", "nosuch://folder can't be read: Protocol not known"),
    ],
)
def test_paths_that_hold_nothing(folder, path, message):
    (folder / "empty").mkdir()
    with pytest.raises(GatoError, match=message):
        parquet_files(path.replace("FOLDER", str(folder)))


def test_a_dataset_on_the_hub(monkeypatch):
    asked = []

    def builder_of(*names, **options):
        asked.append((*names, options["revision"]))
        if names[1] == "b":
            raise ValueError("BuilderConfig 'b' not found")
        files = {"train": ["hf://a.parquet", "hf://b.parquet"], "test": ["hf://a.jsonl"]}
        return SimpleNamespace(config=SimpleNamespace(data_files=files))

    monkeypatch.setattr("datasets.load_dataset_builder", builder_of)
    assert parquet_files("user/data", "a", revision="v1") == ["hf://a.parquet", "hf://b.parquet"]
    assert asked == [("user/data", "a", "v1")]
    with pytest.raises(GatoError, match="the dataset user/data is not made of parquet files"):
        parquet_files("user/data", split="test")
    with pytest.raises(GatoError, match=r"the dataset user/data has no split 'dev', it has \['test', 'train'\]"):
        parquet_files("user/data", split="dev")
    with pytest.raises(GatoError, match="can't be found on the Hub: ValueError: BuilderConfig 'b' not found"):
        parquet_files("user/data", "b")
