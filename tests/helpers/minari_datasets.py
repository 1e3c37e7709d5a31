# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Datasets of Minari to read, made with Minari itself, and how to compare two."""

import gymnasium
import minari
import numpy as np
from gymnasium import spaces
from minari.data_collector import EpisodeBuffer


class Workshop(gymnasium.Env):
    """An environment with every kind of space."""

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
    """Moves a dataset out of Minari's folder, so that another can have its id."""
    moved = minari_folder / "moved"
    (minari_folder / dataset.id).rename(moved)
    return minari.MinariDataset(moved / "data")


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
