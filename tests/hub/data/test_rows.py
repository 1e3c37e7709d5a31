# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import datasets
import numpy as np
import pytest
from gymnasium import spaces

from gato_hub.acting.rollout import Rollout
from gato_hub.data.columns import episode_features
from gato_hub.data.parquet import read_episodes, write_shard
from gato_hub.data.rows import document_features, document_row, episode_row
from gato_hub.system.errors import GatoError

OBSERVATION_SPACE = spaces.Dict(
    {
        "arm": spaces.Box(-1, 1, (2, 2), np.float32),
        "battery": spaces.Box(-np.inf, np.inf, (1,), np.float64),
        "buttons": spaces.MultiBinary(3),
        "camera": spaces.Box(0, 255, (6, 5, 3), np.uint8),
        "order": spaces.Text(20),
        "room": spaces.Discrete(9),
    }
)


def make_rollout(action_space, seed=7, steps=3):
    OBSERVATION_SPACE.seed(seed)
    action_space.seed(seed)
    rollout = Rollout(seed)
    for step in range(steps):
        info = {"success": step == steps - 1}
        rollout.add_step(OBSERVATION_SPACE.sample(), action_space.sample(), 0.5 * step, info)
    return rollout


def write_and_read(folder, action_space, rollouts):
    features = episode_features(OBSERVATION_SPACE, action_space)
    rows = [
        episode_row(rollout, OBSERVATION_SPACE, action_space, task="toy/task", expert="chance") for rollout in rollouts
    ]
    write_shard(folder / "train-00000.parquet", rows, features.arrow_schema, {"made_by": "a test"})
    return read_episodes(folder)


def test_columns_are_those_of_jat_and_ours():
    features = episode_features(OBSERVATION_SPACE, spaces.Discrete(4))
    ours = {"task", "seed", "success", "expert", "noise", "image_shape", "executed_discrete_actions"}
    assert set(features) - ours == {
        "continuous_observations",
        "discrete_observations",
        "text_observations",
        "image_observations",
        "discrete_actions",
        "rewards",
    }
    assert features["image_observations"] == datasets.List(datasets.Value("binary"))
    assert features["continuous_observations"] == datasets.List(datasets.List(datasets.Value("float32")))
    assert features["discrete_actions"] == datasets.List(datasets.Value("int64"))


@pytest.mark.parametrize(
    ("action_space", "column"),
    [
        (spaces.Discrete(5), "discrete_actions"),
        (spaces.MultiDiscrete([3, 4]), "discrete_actions"),
        (spaces.Box(-1, 1, (3,), np.float32), "continuous_actions"),
        (spaces.Box(-1, 1, (), np.float32), "continuous_actions"),
    ],
)
def test_what_is_written_is_read(tmp_path, action_space, column):
    rollouts = [make_rollout(action_space, seed, steps) for seed, steps in ((1, 3), (2, 1))]
    episodes = write_and_read(tmp_path, action_space, rollouts)
    assert len(episodes) == 2
    for row, rollout in zip(episodes, rollouts, strict=True):
        steps = rollout.observations
        assert row["text_observations"] == [step["order"] for step in steps]
        assert row["image_shape"] == [6, 5, 3]
        for picture, step in zip(row["image_observations"], steps, strict=True):
            np.testing.assert_array_equal(np.frombuffer(picture, np.uint8).reshape(6, 5, 3), step["camera"])
        for numbers, step in zip(row["continuous_observations"], steps, strict=True):
            expected = np.concatenate([step["arm"].ravel(), step["battery"].ravel()]).astype(np.float32)
            np.testing.assert_array_equal(np.float32(numbers), expected)
        for numbers, step in zip(row["discrete_observations"], steps, strict=True):
            assert numbers == [*step["buttons"], step["room"]]
        actions = [np.ravel(a) if column == "continuous_actions" or action_space.shape else a for a in rollout.actions]
        np.testing.assert_array_equal(row[column], actions)
        assert row["rewards"] == rollout.rewards
        assert row["noise"] == 0.0 and row[f"executed_{column}"] is None
        assert (row["task"], row["seed"], row["success"], row["expert"]) == ("toy/task", rollout.seed, True, "chance")


def test_success_is_null_where_a_task_has_no_such_notion(tmp_path):
    rollout = make_rollout(spaces.Discrete(2))
    rollout.success = None
    assert write_and_read(tmp_path, spaces.Discrete(2), [rollout])[0]["success"] is None


def test_the_datasets_library_reads_the_file_on_its_own(tmp_path):
    rollout = make_rollout(spaces.Discrete(2))
    write_and_read(tmp_path, spaces.Discrete(2), [rollout])
    loaded = datasets.load_dataset("parquet", data_dir=str(tmp_path), split="train", cache_dir=str(tmp_path / "cache"))
    picture = np.frombuffer(loaded[0]["image_observations"][1], np.uint8).reshape(loaded[0]["image_shape"])
    np.testing.assert_array_equal(picture, rollout.observations[1]["camera"])


def test_disturbed_episodes_have_both_actions(tmp_path):
    features = episode_features(OBSERVATION_SPACE, spaces.Discrete(5))
    rollout = make_rollout(spaces.Discrete(5))
    rollout.executed_actions = [4, 4, 4]
    row = episode_row(rollout, OBSERVATION_SPACE, spaces.Discrete(5), task="toy/task", expert="chance", noise=0.5)
    write_shard(tmp_path / "train-00000.parquet", [row], features.arrow_schema, {})
    (read,) = read_episodes(tmp_path)
    assert read["discrete_actions"] == rollout.actions and read["executed_discrete_actions"] == [4, 4, 4]
    assert read["noise"] == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_numbers_that_are_not_finite_name_column_and_step(bad):
    space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    rollout = Rollout(0)
    rollout.add_step(np.array([0.0, 1.0]), 1, 1.0, {})
    rollout.add_step(np.array([0.0, bad]), 1, 1.0, {})
    with pytest.raises(GatoError, match="continuous_observations of step 1 are not finite"):
        episode_row(rollout, space, spaces.Discrete(2), task="toy/task", expert="chance")


def test_documents_keep_their_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8)
    document = document_row({"text": "two pictures", "images": list(images), "index": 3})
    write_shard(tmp_path / "train-00000.parquet", [document], document_features(document).arrow_schema, {})
    (read,) = read_episodes(tmp_path)
    assert read["text"] == "two pictures" and read["index"] == 3
    found = np.frombuffer(b"".join(read["images"]), np.uint8).reshape(-1, *read["image_shape"])
    np.testing.assert_array_equal(found, images)
    with pytest.raises(GatoError, match="must have one shape"):
        document_row({"text": "", "images": [images[0], images[0, 1:]]})


def test_a_plain_box_is_an_observation(tmp_path):
    space = spaces.Box(-1, 1, (2,), np.float32)
    rollout = Rollout(0)
    rollout.add_step(np.float32([0.25, -0.5]), 1, 1.0, {})
    row = episode_row(rollout, space, spaces.Discrete(2), task="toy/task", expert="chance")
    np.testing.assert_array_equal(row["continuous_observations"], [[0.25, -0.5]])
