# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
from importlib.metadata import PackageNotFoundError

import minari
import numpy as np
import pytest
from gymnasium import spaces
from helpers.minari_datasets import make_simple_dataset, make_workshop_dataset

from gato_hub.data.exchange.from_minari import from_minari, import_minari
from gato_hub.data.parquet import read_episodes, read_provenance
from gato_hub.system.errors import GatoError, MissingPackageError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Minari warns of metadata that is missing


def test_columns_hold_what_minari_held(tmp_path):
    original = make_workshop_dataset("hdf5")
    import_minari(original, tmp_path / "episodes")
    episodes = read_episodes(tmp_path / "episodes")
    assert len(episodes) == 3
    for row, episode in zip(episodes, original, strict=True):
        arm, pair = episode.observations["arm"], episode.observations["pair"]
        # Keys in lexicographic order: arm/grip, arm/joints; pair/0, pair/1, room.
        continuous = np.concatenate([arm["grip"][:-1, None], arm["joints"][:-1].reshape(4, 6)], axis=1)
        np.testing.assert_array_equal(np.float32(row["continuous_observations"]), np.float32(continuous))
        discrete = np.concatenate([*(part[:-1] for part in pair), episode.observations["room"][:-1, None]], axis=1)
        np.testing.assert_array_equal(row["discrete_observations"], discrete)
        assert row["text_observations"] == episode.observations["order"][:-1]
        assert row["image_observations"] == [image.tobytes() for image in episode.observations["camera"][:-1]]
        assert row["image_shape"] == [40, 36, 3]
        np.testing.assert_array_equal(np.float32(row["continuous_actions"]), np.float32(episode.actions["turn"]))
        np.testing.assert_array_equal(row["discrete_actions"], episode.actions["press"])
        np.testing.assert_array_equal(np.float32(row["rewards"]), np.float32(episode.rewards))
        assert (row["task"], row["expert"], row["success"]) == ("minari/gato/workshop-v0", "chance", True)
    # A seed of 64 bits does not fit in the column; the dataset has it nevertheless.
    assert episodes["seed"][:] == [3, None, 7]
    provenance = read_provenance(tmp_path / "episodes" / "train-00000.parquet")
    assert provenance["source"] == "Minari dataset gato/workshop-v0"
    assert provenance["versions"]["minari"] == minari.__version__


def test_bad_datasets_of_minari(tmp_path):
    numbers = np.zeros((3, 2))
    numbers[1, 1] = np.nan
    dataset = make_simple_dataset(numbers)
    message = "episode 0 of the Minari dataset simple-v0: continuous_observations of step 1 holds a number that is not"
    with pytest.raises(GatoError, match=message):
        from_minari(dataset)
    with pytest.raises(GatoError, match=message):
        import_minari(dataset, tmp_path / "episodes")
    assert not (tmp_path / "episodes").exists()
    with pytest.raises(GatoError, match="has 2 observations"):
        from_minari(make_simple_dataset(np.zeros((2, 2)), dataset_id="short-v0"))
    cameras = spaces.Dict({name: spaces.Box(0, 255, (8, 8, 3), np.uint8) for name in ("left", "right")})
    pictures = {name: np.zeros((3, 8, 8, 3), np.uint8) for name in cameras}
    with pytest.raises(GatoError, match=r"one image a step, the observation space has \['left', 'right'\]"):
        from_minari(make_simple_dataset(pictures, dataset_id="cameras-v0", space=cameras))


def test_datasets_that_are_not_there():
    with pytest.raises(GatoError, match="no Minari dataset 'missing-v0' in .*, and no download was asked for"):
        from_minari("missing-v0")
    with pytest.raises(GatoError, match="'no version' is no id"):
        from_minari("no version")
    with pytest.raises(TypeError, match="got int"):
        from_minari(3)


def test_a_damaged_dataset_is_named(minari_folder):
    make_simple_dataset(np.zeros((3, 2)))
    (data,) = minari_folder.rglob("main_data.hdf5")
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(GatoError, match="Minari dataset simple-v0 can't be read"):
        from_minari("simple-v0")


def test_minari_is_not_installed(monkeypatch):
    def version(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr("gato_hub.system.packages.version", version)
    with pytest.raises(MissingPackageError, match=r"'minari', .*pip install 'gato-transformers\[minari\]'"):
        from_minari("simple-v0")
