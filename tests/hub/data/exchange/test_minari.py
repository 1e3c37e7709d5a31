# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import gymnasium
import minari
import numpy as np
import pytest
from datasets import load_dataset
from gymnasium import spaces
from minari.data_collector import EpisodeBuffer

from gato_hub.data.collect import collect
from gato_hub.data.exchange.from_minari import from_minari, import_minari
from gato_hub.data.exchange.to_minari import export_minari, to_minari
from gato_hub.data.parquet import read_episodes, read_provenance
from gato_hub.system.errors import GatoError

TASK = "babyai/go-to-obj-s4"


@pytest.fixture(autouse=True)
def minari_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    return tmp_path / "minari"


class Workshop(gymnasium.Env):
    """Something of everything that a space can hold."""

    observation_space = spaces.Dict(
        {
            "arm": spaces.Dict(
                {
                    "joints": spaces.Box(-np.inf, np.inf, (2, 3), np.float64),
                    "grip": spaces.Box(0.0, 1.0, (), np.float32),
                }
            ),
            "camera": spaces.Box(0, 255, (40, 36, 3), np.uint8),
            "room": spaces.Discrete(9, start=-1),
            "pair": spaces.Tuple((spaces.MultiBinary(3), spaces.MultiDiscrete([3, 4], start=[1, 2]))),
            "order": spaces.Text(8),
        }
    )
    action_space = spaces.Dict({"turn": spaces.Box(-1.0, 1.0, (2,), np.float64), "press": spaces.Discrete(4)})

    def reset(self, *, seed=None, options=None):
        self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), self.info()

    def step(self, action):
        self.steps += 1
        return self.observation_space.sample(), 0.1 * self.steps, self.steps == 4, False, self.info()

    def info(self):
        return {
            "success": self.steps == 3,
            "state": {"position": np.arange(3.0) / 3 + self.steps, "deeper": {"count": np.int32(self.steps)}},
        }


def collect_with_minari(environment, dataset_id, seeds=(3, 2**64 - 1, 7), options=None, **about):
    environment.action_space.seed(0)
    for seed in seeds:
        environment.reset(seed=seed, options=options)
        ended = False
        while not ended:
            *_, terminated, truncated, _ = environment.step(environment.action_space.sample())
            ended = terminated or truncated
    return environment.create_dataset(dataset_id, **about)


def make_workshop_dataset(data_format):
    environment = minari.DataCollector(Workshop(), record_infos=True, data_format=data_format, jpeg_encoding=False)
    return collect_with_minari(
        environment,
        "gato/workshop-v0",
        options={"door": "open", "light": {"level": 0.1}},
        author={"A", "B"},
        author_email="a@example.org",
        algorithm_name="chance",
        description="a test",
        requirements=["gymnasium>=1.0"],
    )


def make_cart_pole_dataset(data_format="hdf5"):
    environment = minari.DataCollector(gymnasium.make("CartPole-v1"), record_infos=True, data_format=data_format)
    return collect_with_minari(environment, "cart-pole-v3", eval_env="CartPole-v1", ref_min_score=1.0)


def assert_equal(left, right):
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_equal(left[key], right[key])
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_equal(one, other)
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        if left.dtype == object:  # Minari's nested infos, read from arrow
            return assert_equal(left.tolist(), right.tolist())
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right
    return None


def assert_same_dataset(left, right, but_for=()):
    assert left.spec.env_spec == right.spec.env_spec
    assert left.observation_space == right.observation_space
    assert left.action_space == right.action_space
    metadata = [
        {name: value for name, value in dataset.storage.metadata.items() if name not in ("dataset_size", *but_for)}
        for dataset in (left, right)
    ]
    assert_equal(*metadata)
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert_equal(vars(one), vars(other))
    indices = range(len(left))
    assert_equal(list(left.storage.get_episode_metadata(indices)), list(right.storage.get_episode_metadata(indices)))


def move_away(dataset, minari_folder):
    """Makes room for a dataset of the same id."""
    moved = minari_folder / "moved"
    (minari_folder / dataset.id).rename(moved)
    return minari.MinariDataset(moved / "data")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("data_format", ["hdf5", "arrow", "parquet"])
@pytest.mark.parametrize("make_dataset", [make_workshop_dataset, make_cart_pole_dataset])
def test_a_dataset_of_minari_comes_back_unchanged(tmp_path, minari_folder, make_dataset, data_format):
    original = make_dataset(data_format)
    import_minari(original.id, tmp_path / "episodes")
    original = move_away(original, minari_folder)
    assert_same_dataset(original, export_minari(tmp_path / "episodes"))


@pytest.mark.filterwarnings("ignore::UserWarning")
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


@pytest.mark.filterwarnings("ignore::UserWarning")
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


@pytest.mark.filterwarnings("ignore::UserWarning")
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


@pytest.mark.filterwarnings("ignore::UserWarning")
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


@pytest.mark.filterwarnings("ignore::UserWarning")
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


@pytest.mark.filterwarnings("ignore::UserWarning")
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
    with pytest.raises(ValueError, match=message):
        to_minari([change(row) for row in read_episodes(own_episodes)], "gato/own-v1")
    assert list(minari.list_local_datasets()) == []
    assert not list(minari_folder.rglob(".partial*"))


def make_simple_dataset(observations, actions=(0, 1), dataset_id="simple-v0", space=None):
    buffer = EpisodeBuffer(
        observations=observations,
        actions=np.array(actions),
        rewards=[1.0] * len(actions),
        terminations=[False] * len(actions),
        truncations=[True] * len(actions),
    )
    return minari.create_dataset_from_buffers(
        dataset_id,
        [buffer],
        observation_space=space or spaces.Box(-np.inf, np.inf, (2,), np.float64),
        action_space=spaces.Discrete(2),
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_bad_datasets_of_minari(tmp_path):
    numbers = np.zeros((3, 2))
    numbers[1, 1] = np.nan
    dataset = make_simple_dataset(numbers)
    message = "episode 0 of the Minari dataset simple-v0: continuous_observations of step 1 holds a number that is not"
    with pytest.raises(ValueError, match=message):
        from_minari(dataset)
    with pytest.raises(ValueError, match=message):
        import_minari(dataset, tmp_path / "episodes")
    assert not (tmp_path / "episodes").exists()
    with pytest.raises(ValueError, match="has 2 observations"):
        from_minari(make_simple_dataset(np.zeros((2, 2)), dataset_id="short-v0"))
    cameras = spaces.Dict({name: spaces.Box(0, 255, (8, 8, 3), np.uint8) for name in ("left", "right")})
    pictures = {name: np.zeros((3, 8, 8, 3), np.uint8) for name in cameras}
    with pytest.raises(ValueError, match=r"one image a step, the observation space has \['left', 'right'\]"):
        from_minari(make_simple_dataset(pictures, dataset_id="cameras-v0", space=cameras))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_bad_calls():
    with pytest.raises(GatoError, match="no Minari dataset 'missing-v0' in .*, and no download was asked for"):
        from_minari("missing-v0")
    with pytest.raises(ValueError, match="'no version' is no id"):
        from_minari("no version")
    with pytest.raises(TypeError, match="got int"):
        from_minari(3)
    with pytest.raises(ValueError, match="no episodes to write"):
        to_minari([], "empty-v0")
    one, other = (make_simple_dataset(np.zeros((3, 2)), dataset_id=name) for name in ("one-v0", "other-v0"))
    with pytest.raises(ValueError, match="'one-v0' already"):
        to_minari(from_minari(one))
    with pytest.raises(ValueError, match="row 1 is not of the Minari dataset"):
        to_minari([*from_minari(one), *from_minari(other)], "mixed-v0")
