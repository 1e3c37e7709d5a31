# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import minari
import numpy as np
import pytest
from datasets import load_dataset
from gymnasium import spaces
from helpers.minari_datasets import (
    assert_same_dataset,
    make_cart_pole_dataset,
    make_simple_dataset,
    make_workshop_dataset,
    move_away,
)
from minari.data_collector import EpisodeBuffer

from gato_hub.data.collect import collect
from gato_hub.data.exchange.from_minari import from_minari, import_minari
from gato_hub.data.exchange.to_minari import export_minari, to_minari
from gato_hub.data.parquet import read_episodes
from gato_hub.system.errors import GatoError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Minari warns of metadata that is missing
TASK = "babyai/go-to-obj-s4"


@pytest.mark.parametrize("data_format", ["hdf5", "arrow", "parquet"])
@pytest.mark.parametrize("make_dataset", [make_workshop_dataset, make_cart_pole_dataset])
def test_a_dataset_of_minari_comes_back_unchanged(tmp_path, minari_folder, make_dataset, data_format):
    original = make_dataset(data_format)
    import_minari(original.id, tmp_path / "episodes")
    original = move_away(original, minari_folder)
    assert_same_dataset(original, export_minari(tmp_path / "episodes"))


def test_a_dataset_comes_back_through_other_readers(tmp_path, minari_folder):
    original = make_workshop_dataset("hdf5")
    import_minari(original, tmp_path / "episodes")
    original = move_away(original, minari_folder)
    rows = load_dataset(
        "parquet",
        data_dir=str(tmp_path / "episodes"),
        split="train",
        streaming=True,
        cache_dir=str(tmp_path / "cache"),
    )
    assert_same_dataset(original, to_minari(rows))


def test_infos_of_strings_and_a_missing_seed_come_back(minari_folder):
    buffers = [
        EpisodeBuffer(
            observations=np.zeros((3, 2), np.float32),
            actions=np.array([1, 0]),
            rewards=[1.0, 2.0],
            terminations=[False, True],
            truncations=[False, False],
            infos={"says": ["one", "two", "three"], "flag": np.array([True, False, True])} if number else None,
        )
        for number in range(2)
    ]
    original = minari.create_dataset_from_buffers(
        "strings-v0",
        buffers,
        observation_space=spaces.Box(-1, 1, (2,), np.float32),
        action_space=spaces.Discrete(2),
    )
    episodes = from_minari(original)
    assert episodes["seed"][:] == [None, None]
    original = move_away(original, minari_folder)
    assert_same_dataset(original, to_minari(episodes))


def test_jpeg_images_are_not_encoded_again(minari_folder):
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
    buffer = EpisodeBuffer(
        observations=frames,
        actions=np.array([1, 0]),
        rewards=[1.0, 2.0],
        terminations=[False, True],
        truncations=[False, False],
    )
    original = minari.create_dataset_from_buffers(
        "frames-v0",
        [buffer],
        observation_space=spaces.Box(0, 255, (40, 40, 3), np.uint8),
        action_space=spaces.Discrete(2),
    )
    episodes = from_minari(original)
    assert len(episodes[0]["minari_dataset"]) < 2000
    original = move_away(original, minari_folder)
    assert_same_dataset(original, to_minari(episodes), but_for=("jpeg_encoding",))


def test_some_of_the_episodes_under_another_name(tmp_path):
    original = make_cart_pole_dataset()
    part = to_minari(from_minari(original).select([2, 0]), "gato/part-v1", author="C", data_format="arrow")
    assert part.id == "gato/part-v1"
    assert part.storage.metadata["author"] == {"C"}
    assert len(part) == 2
    for copied, index in zip(part, (2, 0), strict=True):
        np.testing.assert_array_equal(copied.observations, original[index].observations)
        np.testing.assert_array_equal(copied.actions, original[index].actions)


@pytest.fixture(scope="module")
def own_episodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    collect([TASK], folder, 3, workers=0, noise=0.2)
    return folder / TASK


def test_our_episodes_are_replayed_for_minari(own_episodes):
    exported = export_minari(own_episodes, "gato/own-v0", author="D")
    rows = read_episodes(own_episodes)
    assert len(exported) == len(rows)
    for episode, row, of_episode in zip(
        exported, rows, exported.storage.get_episode_metadata(range(len(rows))), strict=True
    ):
        images = [image.tobytes() for image in episode.observations["image"]]
        assert images[:-1] == row["image_observations"]
        assert len(images) == len(row["rewards"]) + 1
        np.testing.assert_array_equal(episode.actions, row["executed_discrete_actions"])
        assert episode.terminations.tolist() == [False] * (len(images) - 2) + [True]
        assert (of_episode["seed"], of_episode["task"]) == (row["seed"], TASK)
    back = from_minari(exported)
    for name in ("image_observations", "text_observations", "rewards", "task", "seed", "success", "expert", "noise"):
        assert back[name][:] == rows[name][:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda row: row | {"text_observations": ["go away"] * len(row["rewards"])},
            "row 0: text_observations are not",
        ),
        (lambda row: row | {"rewards": [9.0] * len(row["rewards"])}, "row 0: rewards are not those"),
        (lambda row: row | {"seed": None}, "row 0 has no seed"),
        (lambda row: row | {"task": "jat/oscar"}, "only episodes that came from Minari"),
    ],
)
def test_our_episodes_that_cannot_be_replayed(own_episodes, minari_folder, change, message):
    with pytest.raises(GatoError, match=message):
        to_minari([change(row) for row in read_episodes(own_episodes)], "gato/own-v1")
    assert list(minari.list_local_datasets()) == []
    assert not list(minari_folder.rglob(".partial*"))


def test_episodes_that_are_no_dataset():
    with pytest.raises(GatoError, match="no episodes to write"):
        to_minari([], "empty-v0")
    one, other = (make_simple_dataset(np.zeros((3, 2)), dataset_id=name) for name in ("one-v0", "other-v0"))
    with pytest.raises(GatoError, match="'one-v0' already"):
        to_minari(from_minari(one))
    with pytest.raises(GatoError, match="row 1 is not of the Minari dataset"):
        to_minari([*from_minari(one), *from_minari(other)], "mixed-v0")
    with pytest.raises(GatoError, match="need a dataset_id"):
        to_minari([{"task": TASK}])
    with pytest.raises(GatoError, match="documents, not episodes"):
        to_minari([{"task": "captions/shapes"}], "captions-v0")
    with pytest.raises(GatoError, match="'new-v0' can't be written: No storage implemented for csv"):
        to_minari(from_minari(one), "new-v0", data_format="csv")
