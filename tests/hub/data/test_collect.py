# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses
import subprocess
import sys

import datasets
import numpy as np
import psutil
import pytest
from helpers.commands import gato_here

from gato_hub.data.collect import collect, content_hash
from gato_hub.data.parquet import read_episodes, read_provenance
from gato_hub.sharing.dataset_card import config_name, write_dataset_card
from gato_hub.suites import ExpertFailed, find_task
from gato_hub.system.errors import GatoError

TASK = "babyai/go-to-local"


def collect_one(folder, episodes, **options):
    """The collection of `TASK`, and its folder."""
    return collect([TASK], folder, episodes, **options)[TASK]


@pytest.mark.slow
@pytest.mark.subprocess
def test_one_worker_and_two_make_the_same_files_and_a_resumed_collection_too(tmp_path):
    finished = []

    def progress(task_id, count):
        assert task_id == TASK
        finished.append(count)

    one = collect_one(tmp_path / "one", 10, workers=1, chunk_size=3, progress=progress)
    assert sorted(finished) == [1, 3, 3, 3]
    assert one.kept == 10 and not one.dropped and one.steps > 10

    assert collect_one(tmp_path / "two", 10, workers=2, chunk_size=3) == one
    assert collect_one(tmp_path / "here", 10, workers=0, chunk_size=3) == one
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "two") == content_hash(tmp_path / "here")
    assert one.num_bytes == sum(path.stat().st_size for path in tmp_path.glob("one/**/*.parquet"))

    # What an interrupted collection leaves: some chunks, and one half written.
    files = tmp_path / "two" / TASK
    kept = files / "train-00001.parquet"
    written = kept.stat().st_mtime_ns
    for index in (0, 2, 3):
        (files / f"train-0000{index}.parquet").unlink()
    (files / ".partial-train-00000.parquet").write_bytes(b"half a chunk")
    finished.clear()
    collect_one(tmp_path / "two", 10, workers=2, chunk_size=3, progress=progress)
    assert finished[0] == 3 and sorted(finished) == [1, 3, 3, 3]
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "two")
    assert kept.stat().st_mtime_ns == written

    episodes = read_episodes(tmp_path / "one" / TASK)
    assert episodes["seed"][:] == list(range(10))
    assert all(episodes["success"]) and set(episodes["task"]) == {TASK} and set(episodes["expert"]) == {"BabyAIBot"}
    row = episodes[0]
    assert len(row["rewards"]) == len(row["discrete_actions"]) == len(row["image_observations"])
    assert row["rewards"][-1] > 0 and not any(row["rewards"][:-1])
    provenance = read_provenance(tmp_path / "one" / TASK / "train-00000.parquet")
    assert {"python", "gato-transformers", "minigrid", "gymnasium"} <= set(provenance["versions"])

    # Other demonstrations are not mixed in.
    with pytest.raises(GatoError, match="made with first_seed 0, not 100"):
        collect_one(tmp_path / "one", 10, first_seed=100, chunk_size=3)
    with pytest.raises(GatoError, match="made with noise 0.0, not 0.5"):
        collect_one(tmp_path / "one", 10, noise=0.5, chunk_size=3)
    with pytest.raises(GatoError, match="not part of this collection"):
        collect_one(tmp_path / "one", 6, chunk_size=3)


@pytest.mark.slow
@pytest.mark.subprocess
def test_a_killed_collection_leaves_no_process_and_goes_on(tmp_path):
    """SIGKILL, which nothing can catch."""
    code = (
        "import sys; from gato_hub.data.collect import collect\n"
        "if __name__ == '__main__':\n"
        "    collect(['babyai/go-to-local'], sys.argv[1], 160, workers=2, chunk_size=10,"
        " progress=lambda *_: print(1, flush=True))"
    )
    script = tmp_path / "collect_much.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, script, tmp_path / "killed"], stdout=subprocess.PIPE)
    process.stdout.readline()
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert workers
    assert not psutil.wait_procs(workers, timeout=30)[1]

    finished = len(list((tmp_path / "killed" / TASK).glob("*.parquet")))
    assert 0 < finished < 16
    collect_one(tmp_path / "killed", 160, workers=2, chunk_size=10)
    collect_one(tmp_path / "undisturbed", 160, workers=2, chunk_size=10)
    assert content_hash(tmp_path / "killed") == content_hash(tmp_path / "undisturbed")


@pytest.mark.slow
@pytest.mark.subprocess
def test_several_tasks_of_several_kinds_and_their_card(tmp_path):
    names = [TASK, "babyai/open-door", "captions/shapes", "text/numpy-docs"]
    collections = collect(names, tmp_path, 3, workers=1)
    assert list(collections) == names and [one.kept for one in collections.values()] == [3, 3, 3, 3]
    write_dataset_card(tmp_path, {name: find_task(name) for name in names}, collections, "gato collect", None)
    for name in names:
        loaded = datasets.load_dataset(
            str(tmp_path), config_name(name), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert loaded["task"][:] == [name] * 3
    card = (tmp_path / "README.md").read_text()
    assert "| babyai/open-door | 3 | 0 |" in card and "| minigrid | 3" in card
    assert content_hash(tmp_path) in card


def test_replaying_the_actions_gives_the_rewards(tmp_path):
    collect_one(tmp_path, 3, first_seed=50, noise=0.3)
    environment = find_task(TASK).make_environment()
    disturbed = 0
    for episode in read_episodes(tmp_path / TASK):
        observation, _ = environment.reset(seed=episode["seed"])
        disturbed += episode["discrete_actions"] != episode["executed_discrete_actions"]
        for step, action in enumerate(episode["executed_discrete_actions"]):
            picture = np.frombuffer(episode["image_observations"][step], np.uint8).reshape(episode["image_shape"])
            np.testing.assert_array_equal(picture, observation["image"])
            assert episode["discrete_observations"][step] == [observation["direction"]]
            observation, reward, terminated, *_ = environment.step(action)
            assert reward == pytest.approx(episode["rewards"][step])
        assert terminated
    assert disturbed
    environment.close()


@pytest.mark.slow
@pytest.mark.subprocess
@pytest.mark.parametrize("name", [TASK, "classic-control/pendulum"])
def test_a_learner_acts_and_the_expert_says_what_it_would_do(tmp_path, name):
    collection = collect([name], tmp_path / "one", 5, workers=0, learner="gato-mini", chunk_size=3)[name]
    assert collection.kept == 5 and not collection.dropped
    task = find_task(name)
    environment = task.make_environment()
    differing = 0
    for episode in read_episodes(tmp_path / "one" / name):
        kind = "discrete" if name == TASK else "continuous"
        told, done = episode[f"{kind}_actions"], episode[f"executed_{kind}_actions"]
        differing += sum(np.any(np.not_equal(one, other)) for one, other in zip(told, done, strict=True))
        observation, _ = environment.reset(seed=episode["seed"])
        expert = task.make_expert(environment)
        for step, action in enumerate(done):
            np.testing.assert_allclose(expert(observation), told[step], rtol=1e-5)
            action = action if name == TASK else np.float32(action)
            observation, reward, *_ = environment.step(action)
            assert reward == pytest.approx(episode["rewards"][step])
    environment.close()
    assert differing
    # Two processes make the same.
    assert collect([name], tmp_path / "two", 5, workers=2, learner="gato-mini", chunk_size=3)[name] == collection
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "two")
    with pytest.raises(GatoError, match="made with learner [0-9a-f]+, not None"):
        collect([name], tmp_path / "one", 5, chunk_size=3)


def test_episodes_of_a_learner_are_kept_up_to_where_the_expert_gives_up(tmp_path):
    task = find_task(TASK)

    def make_expert(environment):
        policy, seed = task.make_expert(environment), environment.unwrapped.np_random_seed
        if seed == 1:
            raise ExpertFailed("no plan")

        def give_up_soon(observation):
            if seed == 2 and environment.unwrapped.step_count == 2:
                raise ExpertFailed("lost")
            return policy(observation)

        return give_up_soon

    stubborn = dataclasses.replace(task, make_expert=make_expert)
    collection = collect([stubborn], tmp_path, 4, workers=0, learner="gato-mini")[TASK]
    assert collection.dropped == {"no plan": 1} and collection.kept == 3
    episodes = read_episodes(tmp_path / TASK)
    assert episodes["seed"][:] == [0, 2, 3] and len(episodes[1]["discrete_actions"]) == 2
    collect([stubborn], tmp_path / "short", 4, workers=0, learner="gato-mini", max_steps=1)
    assert [len(one["rewards"]) for one in read_episodes(tmp_path / "short" / TASK)] == [1, 1, 1]


def stubborn_task(score="success", **changes):
    """`TASK`, whose expert gives up at seed 1 and goes nowhere at seed 2."""
    task = find_task(TASK)

    def make_expert(environment):
        seed = environment.unwrapped.np_random_seed
        if seed == 1:
            raise ExpertFailed("no plan")
        return (lambda observation: 6) if seed == 2 else task.make_expert(environment)

    return dataclasses.replace(task, make_expert=make_expert, score=score, **changes)


def test_episodes_that_the_expert_fails_are_dropped_and_counted(tmp_path):
    collection = collect([stubborn_task()], tmp_path / "good", 4, workers=0)[TASK]
    assert collection.dropped == {"no plan": 1, "the expert did not succeed": 1} and collection.kept == 2
    assert read_episodes(tmp_path / "good" / TASK)["seed"][:] == [0, 3]
    collection = collect([stubborn_task()], tmp_path / "all", 4, workers=0, smallest_score=0.0)[TASK]
    assert collection.dropped == {"no plan": 1} and collection.kept == 3


def test_episodes_of_low_return_are_dropped_and_counted(tmp_path):
    collection = collect([stubborn_task("return")], tmp_path, 4, workers=0)[TASK]
    assert collection.dropped == {"no plan": 1, "below 80% of the expert's score": 1} and collection.kept == 2


def test_an_expert_that_hangs_is_cut_and_counted(tmp_path):
    def make_expert(environment):
        def policy(observation):
            while True:
                pass

        return policy

    task = dataclasses.replace(find_task(TASK), make_expert=make_expert, expert_seconds=0.05)
    collection = collect([task], tmp_path, 2, workers=0)[TASK]
    assert collection.dropped == {"planned for over 0.05 s of processor time": 2}
    assert len(read_episodes(tmp_path / TASK)) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"episodes": 0}, "episodes must be at least 1"),
        ({"episodes": 1, "workers": -1}, "workers must be at least 0"),
        ({"episodes": 1, "chunk_size": 0}, "chunk_size must be at least 1"),
        ({"episodes": 1, "noise": -0.1}, "noise must not be negative"),
        ({"episodes": 1, "noise": float("nan")}, "noise must not be negative"),
        ({"episodes": 1, "noise": 2.0, "workers": 0}, "a probability, got 2.0"),
        ({"episodes": 1, "smallest_score": 1.5}, "smallest_score must lie in"),
        ({"episodes": 1, "learner": "gato-mini", "noise": 0.1}, "noise must be 0 with a learner"),
        ({"episodes": 1, "learner": "nowhere"}, "nowhere can't be loaded"),
        ({"episodes": 1, "max_steps": 5}, "max_steps cuts a learner's episodes"),
        ({"episodes": 2, "first_seed": 2**30 - 1}, "not in the training seeds"),
        ({"episodes": 2, "first_seed": -1}, "not in the training seeds"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, arguments, message):
    with pytest.raises(GatoError, match=message):
        collect([TASK], tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_tasks_that_can_not_be_collected(tmp_path):
    with pytest.raises(GatoError, match="no task 'chess'"):
        collect(["chess"], tmp_path, 1)
    with pytest.raises(GatoError, match="none from 1000000000 on"):
        collect(["text/gymnasium-docs"], tmp_path, 1, first_seed=10**9)
    without_expert = dataclasses.replace(find_task(TASK), make_expert=None)
    with pytest.raises(GatoError, match="has no expert whose episodes could be collected"):
        collect([without_expert], tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_of_a_collection_is_named(tmp_path):
    collect_one(tmp_path, 2, workers=0)
    path = tmp_path / TASK / "train-00000.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(GatoError, match="train-00000.parquet can't be read"):
        collect_one(tmp_path, 2, workers=0)


def test_documents_have_no_learner(tmp_path):
    with pytest.raises(GatoError, match="environments, which these tasks don't have: captions/shapes"):
        collect(["captions/shapes"], tmp_path, 1, learner="gato-mini")


@pytest.mark.slow
@pytest.mark.subprocess
def test_the_progress_of_documents_ends_with_those_that_there_are(tmp_path):
    """Of text there are fewer than were asked for."""
    asked = ("collect", "text/gymnasium-docs", "babyai/go-to-obj-s4", "--episodes", 1000, "--first-seed", 0)
    finished = gato_here(*asked, "--workers", 1, "--out", tmp_path / "data")
    assert finished.returncode == 0, finished.stderr
    last = [line for line in finished.stdout.splitlines() if line.startswith("collecting:")][-1]
    kept = read_episodes(tmp_path / "data" / "text/gymnasium-docs").num_rows
    assert kept < 1000 and f"{1000 + kept}/{1000 + kept}, 2 of 2 tasks" in last
