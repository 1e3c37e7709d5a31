# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest

from gato_hub import collect as collect_module
from gato_hub.collect import collect
from gato_hub.episodes import read_episodes, read_provenance
from gato_hub.suites import ExpertFailed, find_task

TASK = "babyai/go-to-local"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_one_worker_and_two_make_the_same_files_and_a_resumed_collection_too(tmp_path):
    finished = []
    one = collect(TASK, tmp_path / "one", 10, workers=1, chunk_size=3, progress=finished.append)
    assert sorted(finished) == [1, 3, 3, 3]
    assert one.kept == 10 and one.dropped == {}

    assert collect(TASK, tmp_path / "two", 10, workers=2, chunk_size=3) == one
    assert contents(tmp_path / "one") == contents(tmp_path / "two")

    # What an interrupted collection leaves: some chunks, and one half written.
    kept = tmp_path / "two" / "train-00001.parquet"
    written = kept.stat().st_mtime_ns
    for index in (0, 2, 3):
        (tmp_path / "two" / f"train-0000{index}.parquet").unlink()
    (tmp_path / "two" / ".partial-train-00000.parquet").write_bytes(b"half a chunk")
    finished.clear()
    collect(TASK, tmp_path / "two", 10, workers=2, chunk_size=3, progress=finished.append)
    assert finished[0] == 3 and sorted(finished) == [1, 3, 3, 3]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert kept.stat().st_mtime_ns == written

    episodes = read_episodes(tmp_path / "one")
    assert episodes["seed"][:] == list(range(10))
    assert all(episodes["success"]) and set(episodes["task"]) == {TASK} and set(episodes["expert"]) == {"BabyAIBot"}
    row = episodes[0]
    assert len(row["rewards"]) == len(row["discrete_actions"]) == len(row["image_observations"])
    assert row["rewards"][-1] > 0 and not any(row["rewards"][:-1])
    provenance = read_provenance(tmp_path / "one" / "train-00000.parquet")
    assert {"python", "gato-transformers", "minigrid", "gymnasium"} <= set(provenance["versions"])

    # Other demonstrations are not mixed in.
    with pytest.raises(ValueError, match="made with first_seed 0, not 100"):
        collect(TASK, tmp_path / "one", 10, first_seed=100, chunk_size=3)
    with pytest.raises(ValueError, match="not part of this collection"):
        collect(TASK, tmp_path / "one", 6, chunk_size=3)


def test_replaying_the_actions_gives_the_rewards(tmp_path):
    collect(TASK, tmp_path, 3, first_seed=50)
    environment = find_task(TASK).make_environment()
    for episode in read_episodes(tmp_path):
        observation, _ = environment.reset(seed=episode["seed"])
        for step, action in enumerate(episode["discrete_actions"]):
            np.testing.assert_array_equal(np.asarray(episode["image_observations"][step]), observation["image"])
            assert episode["discrete_observations"][step] == [observation["direction"]]
            observation, reward, terminated, *_ = environment.step(action)
            assert reward == pytest.approx(episode["rewards"][step])
        assert terminated
    environment.close()


def test_episodes_that_the_expert_fails_are_dropped_and_counted(tmp_path, monkeypatch):
    import dataclasses

    task = find_task(TASK)

    def make_expert(environment):
        seed = environment.unwrapped.np_random_seed
        if seed == 1:
            raise ExpertFailed("no plan")
        return (lambda observation: 6) if seed == 2 else task.make_expert(environment)

    monkeypatch.setattr(collect_module, "find_task", lambda _: dataclasses.replace(task, make_expert=make_expert))
    environment = task.make_environment()
    schema = collect_module.episode_features(environment.observation_space, environment.action_space).arrow_schema
    path = tmp_path / "train-00000.parquet"
    collect_module._make_chunk(TASK, range(4), path, schema)
    assert read_episodes(tmp_path)["seed"][:] == [0, 3]
    assert read_provenance(path)["dropped"] == {"no plan": 1, "the expert did not succeed": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"episodes": 0}, "episodes must be at least 1"),
        ({"episodes": 1, "workers": 0}, "workers must be at least 1"),
        ({"episodes": 2, "first_seed": 2**30 - 1}, "not in the training seeds"),
        ({"episodes": 2, "first_seed": -1}, "not in the training seeds"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        collect(TASK, tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []
