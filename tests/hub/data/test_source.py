# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
from collections import Counter

import numpy as np
import pyarrow.parquet
import pytest
from gymnasium import spaces
from helpers.sources import source_of, spaces_of

from gato_hub.data.collect import collect
from gato_hub.data.columns import episode_features
from gato_hub.data.images import stack_images
from gato_hub.data.parquet import read_episodes, write_shard
from gato_hub.data.source import EpisodeSource
from gato_hub.system.errors import GatoError
from tokenization_gato import GatoProcessor

TASKS = ("babyai/go-to-local", "metaworld/reach", "classic-control/pendulum", "captions/shapes")
OPTIONS = {"held": {}, "stream": {"streaming": True}, "mapped": {"bytes_in_memory": 0}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demonstrations")
    # More files than a stream holds.
    collect(TASKS[:1], folder, 48, workers=0, chunk_size=6)
    collect(TASKS[1:], folder, 6, workers=0)
    return folder


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("task_id", TASKS)
def test_a_source_gives_the_rows_that_are_in_the_files(folder, task_id, options, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    source, rows = source_of(folder, task_id, **options), read_episodes(folder / task_id)
    assert len(source) == len(rows)
    for index in (0, len(rows) - 1, len(rows) // 2):
        row, expected = source[index], rows[index]
        assert source.lengths[index] == len(expected["text" if "text" in expected else "rewards"])
        for name, value in row.items():
            if value is None or expected[name] is None:
                assert value is None and expected[name] is None
            elif name in ("images", "image_observations"):
                np.testing.assert_array_equal(value, stack_images(expected[name], expected["image_shape"]))
            else:
                np.testing.assert_array_equal(value, np.asarray(expected[name], getattr(value, "dtype", None)))


@pytest.mark.parametrize("task_id", TASKS)
def test_rows_of_a_source_are_encoded_as_those_of_a_dataset(folder, task_id):
    processor = GatoProcessor(repeat_text_observations=False)
    source, rows = source_of(folder, task_id), read_episodes(folder / task_id)
    for index in (0, len(rows) - 1):
        if task_id.startswith("captions"):
            one = processor.encode_document(source[index])
            row = dict(rows[index])
            other = processor.encode_document(row | {"images": stack_images(row["images"], row["image_shape"])})
        else:
            one, other = (processor.encode_episode(row, **spaces_of(task_id)) for row in (source[index], rows[index]))
        assert one.input_ids.tolist() == other.input_ids.tolist()
        np.testing.assert_array_equal(one.patches, other.patches)


def test_a_stream_holds_a_few_row_groups_and_reads_each_once_an_epoch(folder, monkeypatch):
    source = source_of(folder, "babyai/go-to-local", streaming=True)
    read = Counter()
    original = pyarrow.parquet.ParquetFile.read_row_group
    monkeypatch.setattr(
        pyarrow.parquet.ParquetFile,
        "read_row_group",
        lambda self, *arguments, **options: read.update([1]) or original(self, *arguments, **options),
    )
    rows = np.arange(len(source))
    order = source.order(np.random.default_rng(0), rows)
    assert sorted(order) == rows.tolist() and order.tolist() != rows.tolist()
    for index in order:
        source[int(index)]
        assert source[source.another(int(index), np.random.default_rng(1))]
        assert len(source._held) <= 4
    assert read.total() == len(source.files) == 8


def test_another_episode_is_never_the_same(folder):
    for options in ({}, {"streaming": True}):
        source = source_of(folder, "babyai/go-to-local", **options)
        random = np.random.default_rng(0)
        assert all(source.another(index, random) != index for index in range(len(source)) for _ in range(5))


def test_the_first_steps_of_episodes_are_shown(folder):
    whole, cut = source_of(folder, TASKS[0]), source_of(folder, TASKS[0], max_steps=2)
    assert cut.lengths.tolist() == np.minimum(whole.lengths, 2).tolist()
    np.testing.assert_array_equal(cut[0]["image_observations"], whole[0]["image_observations"][:2])
    # Documents have no steps.
    assert source_of(folder, TASKS[3], max_steps=2).lengths.tolist() == source_of(folder, TASKS[3]).lengths.tolist()
    with pytest.raises(GatoError, match="max_steps must be at least 1, got 0"):
        source_of(folder, TASKS[0], max_steps=0)


def write_images(folder, number, image_shape):
    space = spaces.Box(0, 255, (4, 4, 3), np.uint8)
    schema = episode_features(space, spaces.Discrete(2)).arrow_schema
    row = {"image_observations": [bytes(48)] * 2, "image_shape": [4, 4, 3], "discrete_actions": [0, 1]}
    rows = [row, row | {"image_shape": image_shape}]
    write_shard(folder / f"train-0000{number}.parquet", [one | {"rewards": [0.0, 0.0]} for one in rows], schema, {})


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_bad_row_is_named_by_its_file_and_its_number_there(tmp_path, options, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    write_images(tmp_path, 0, [4, 4, 3])
    write_images(tmp_path, 1, [4, 5, 3])
    source = source_of(tmp_path, "", **options)
    assert source[2]["image_observations"].shape == (2, 4, 4, 3)
    with pytest.raises(GatoError, match="train-00001.parquet, row 1: 2 images have 96 bytes, their image_shape is"):
        source[3]
    with pytest.raises(IndexError):
        source[4]


def test_steps_with_different_numbers_of_values(tmp_path):
    schema = episode_features(spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(2)).arrow_schema
    row = {"continuous_observations": [[0.0, 1.0], [2.0]], "discrete_actions": [0, 1], "rewards": [0.0, 0.0]}
    write_shard(tmp_path / "train-00000.parquet", [row], schema, {})
    with pytest.raises(GatoError, match="row 0: continuous_observations: 3 values are not the same number in each of"):
        source_of(tmp_path, "")[0]


def test_files_that_are_no_source(folder, tmp_path):
    whole = (folder / TASKS[1] / "train-00000.parquet").read_bytes()
    (tmp_path / "train-00000.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GatoError, match="train-00000.parquet can't be read, it is truncated"):
        source_of(tmp_path, "")
    (tmp_path / "train-00000.parquet").write_bytes(whole)
    other = (folder / TASKS[3] / "train-00000.parquet").read_bytes()
    (tmp_path / "train-00001.parquet").write_bytes(other)
    with pytest.raises(GatoError, match="train-00001.parquet has the columns .*, the files before it"):
        source_of(tmp_path, "")
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "train-00000.parquet")
    (tmp_path / "train-00001.parquet").unlink()
    with pytest.raises(GatoError, match="holds neither episodes nor documents: it has the columns"):
        source_of(tmp_path, "")
    with pytest.raises(GatoError, match="there are no rows in no files"):
        EpisodeSource([])
