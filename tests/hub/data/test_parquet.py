# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
from importlib.metadata import PackageNotFoundError

import fsspec
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from gymnasium import spaces

from gato_hub.data.columns import episode_features
from gato_hub.data.parquet import open_parquet, read_episodes, read_provenance, write_shard, write_shards
from gato_hub.system.errors import GatoError, MissingPackageError

SCHEMA = episode_features(spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(2)).arrow_schema


def rows(count=1, steps=2):
    columns = {"continuous_observations": [[0.25, -0.5]] * steps, "discrete_actions": [1] * steps}
    return [{**columns, "rewards": [float(number)] * steps, "task": "toy/task"} for number in range(count)]


def write(folder, number=0, **options):
    path = folder / f"train-{number:05d}.parquet"
    write_shard(path, rows(**options), SCHEMA, {"made_by": "a test"})
    return path


def test_the_files_of_a_folder_are_one_dataset(tmp_path):
    write(tmp_path, 0, count=2)
    write(tmp_path, 1, count=1, steps=5)
    episodes = read_episodes(tmp_path)
    assert [len(one) for one in episodes["rewards"]] == [2, 2, 5]
    assert episodes.features == episode_features(spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(2))


def test_provenance_is_kept_and_a_foreign_file_has_none(tmp_path):
    assert read_provenance(write(tmp_path)) == {"made_by": "a test"}
    foreign = tmp_path / "foreign.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), foreign)
    with pytest.raises(GatoError, match="foreign.parquet does not say .* not written by gato"):
        read_provenance(foreign)


def test_a_truncated_file_is_named(tmp_path):
    write(tmp_path)
    path = write(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-100])
    for read in (lambda: read_episodes(tmp_path), lambda: read_provenance(path)):
        with pytest.raises(GatoError, match="train-00001.parquet can't be read, it is truncated"):
            read()


def test_a_file_of_another_task_is_named_with_its_columns(tmp_path):
    write(tmp_path)
    other = episode_features(spaces.Discrete(3), spaces.Discrete(2)).arrow_schema
    write_shard(tmp_path / "train-00001.parquet", [], other, {})
    message = r"train-00001.parquet has the columns discrete_observations \(list.*must be of one task"
    with pytest.raises(GatoError, match=message):
        read_episodes(tmp_path)


def test_no_files(tmp_path):
    with pytest.raises(GatoError, match=r"no episodes in .*: no file matches train-\*.parquet"):
        read_episodes(tmp_path)
    with pytest.raises(GatoError, match="there is no file .*nothing.parquet"):
        read_provenance(tmp_path / "nothing.parquet")


def test_a_damaged_page_is_told_with_the_name_of_its_file(tmp_path):
    path = write(tmp_path, count=100, steps=50)
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])  # the footer is as it was
    with pytest.raises(GatoError, match="train-00000.parquet can't be read"), open_parquet(str(path)) as parquet:
        parquet.read()


def test_a_file_behind_a_url(tmp_path):
    with fsspec.open("memory://data/train-00000.parquet", "wb") as file:
        file.write(write(tmp_path).read_bytes())
    with open_parquet("memory://data/train-00000.parquet") as parquet:
        assert parquet.metadata.num_rows == 1
    with pytest.raises(GatoError, match="there is no file memory://data/other.parquet"):
        open_parquet("memory://data/other.parquet").__enter__()
    with pytest.raises(GatoError, match="nosuch://a.parquet can't be opened: Protocol not known"):
        open_parquet("nosuch://a.parquet").__enter__()


def test_a_shard_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(pyarrow.ArrowInvalid, match="a number"):
        write_shard(tmp_path / "train-00000.parquet", [rows()[0] | {"rewards": ["a number"]}], SCHEMA, {})
    assert list(tmp_path.iterdir()) == []


def test_many_rows_make_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr("gato_hub.data.parquet.EPISODES_A_FILE", 2)
    written = []
    assert write_shards(tmp_path / "new", iter(rows(count=5)), SCHEMA, {"source": "a test"}, written.append) == 5
    assert written == [2, 2, 1]
    assert [one[0] for one in read_episodes(tmp_path / "new")["rewards"]] == [0.0, 1.0, 2.0, 3.0, 4.0]
    counts = {"kept": 1, "dropped": {}, "steps": 2}
    assert read_provenance(tmp_path / "new" / "train-00002.parquet") == {"source": "a test"} | counts


def test_no_rows_make_no_folder(tmp_path):
    with pytest.raises(GatoError, match="no rows to write"):
        write_shards(tmp_path / "new", [], SCHEMA, {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, tmp_path):
    def version(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr("gato_hub.system.packages.version", version)
    with pytest.raises(MissingPackageError, match=r"'datasets', .*pip install 'gato-transformers\[data\]'"):
        read_episodes(tmp_path)
