# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Demonstrations: episodes of a task's expert, made by several processes.

The work is cut into chunks of consecutive seeds. A chunk is one parquet file, and depends on nothing but its seeds and
the packages: the demonstrations are the same whatever the number of processes, and an interrupted collection goes on
from the chunks that are there.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .episodes import SHARD_PATTERN, episode_features, episode_row, read_provenance, write_shard
from .packages import package_versions
from .rollout import run_episode
from .suites import Task, find_task

if TYPE_CHECKING:
    import pyarrow

EPISODES_A_CHUNK = 250


@dataclass(frozen=True)
class Collection:
    """What a collection came to: episodes kept, and why others were dropped, with their number."""

    kept: int
    dropped: dict[str, int]


def collect(
    task_id: str,
    folder: str | os.PathLike,
    episodes: int,
    *,
    first_seed: int | None = None,
    workers: int = 1,
    chunk_size: int = EPISODES_A_CHUNK,
    progress: Callable[[int], None] | None = None,
) -> Collection:
    """Runs a task's expert for `episodes` episodes and keeps those that succeed.

    Args:
        task_id: one of `task_ids()`.
        folder: gets `train-00000.parquet`, ...: `read_episodes(folder)` reads them. Chunks that are there already,
            made from the same seeds with the same packages, are kept as they are.
        episodes: number of episodes to try. Those that the expert fails are dropped and counted.
        first_seed: seeds are `first_seed`, `first_seed + 1`, ...; the first of the task's training seeds by default.
        workers: number of processes. They do not load torch.
        chunk_size: episodes a file.
        progress: called with the number of episodes tried in each finished chunk, also in those that were there.

    Raises:
        ValueError: seeds outside the task's training seeds; a folder that holds other demonstrations.
        KeyboardInterrupt: after the chunks at work are finished; call again to go on.
    """
    for name, value in (("episodes", episodes), ("workers", workers), ("chunk_size", chunk_size)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    task = find_task(task_id)
    first_seed = task.train_seeds.start if first_seed is None else first_seed
    seeds = range(first_seed, first_seed + episodes)
    if seeds[0] not in task.train_seeds or seeds[-1] not in task.train_seeds:
        raise ValueError(f"seeds {seeds} are not in the training seeds {task.train_seeds} of {task.id}")

    folder = Path(folder)
    chunks = {
        folder / f"train-{start // chunk_size:05d}.parquet": seeds[start : start + chunk_size]
        for start in range(0, episodes, chunk_size)
    }
    finished = _finished_chunks(task, folder, chunks)
    for path in finished:
        if progress:
            progress(len(chunks[path]))
    _make_chunks(task, {path: chunks[path] for path in chunks if path not in finished}, workers, progress)

    dropped: Counter[str] = Counter()
    for path in chunks:
        dropped.update(read_provenance(path)["dropped"])
    return Collection(kept=episodes - dropped.total(), dropped=dict(dropped))


def _provenance(task: Task, seeds: range) -> dict:
    """All that decides what a chunk holds."""
    return {
        "task": task.id,
        "expert": task.expert,
        "first_seed": seeds.start,
        "episodes": len(seeds),
        "versions": package_versions(("numpy", "pillow", "pyarrow", *task.packages)),
    }


def _finished_chunks(task: Task, folder: Path, chunks: dict[Path, range]) -> list[Path]:
    """The chunks that are there. Anything else in the folder would be mixed in unseen, so it is an error."""
    finished = sorted(folder.glob(SHARD_PATTERN))
    for path in finished:
        if path not in chunks:
            raise ValueError(f"{path} is not part of this collection: choose another folder, or remove the file")
        found, expected = read_provenance(path), _provenance(task, chunks[path])
        for name, value in expected.items():
            if found.get(name) != value:
                raise ValueError(
                    f"{path} was made with {name} {found.get(name)}, not {value}: choose another folder, "
                    "or remove the file"
                )
    return finished


def _make_chunks(task: Task, chunks: dict[Path, range], workers: int, progress: Callable[[int], None] | None) -> None:
    if not chunks:
        return
    environment = task.make_environment()
    schema = episode_features(environment.observation_space, environment.action_space).arrow_schema
    environment.close()

    with ProcessPoolExecutor(min(workers, len(chunks)), multiprocessing.get_context("spawn")) as executor:
        # A terminal sends Ctrl-C to all its processes. The workers start with it blocked: this process stops them.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            futures = {
                executor.submit(_make_chunk, task.id, seeds, path, schema): seeds for path, seeds in chunks.items()
            }
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        try:
            for future in as_completed(futures):
                future.result()
                if progress:
                    progress(len(futures[future]))
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def _make_chunk(task_id: str, seeds: range, path: Path, schema: pyarrow.Schema) -> None:
    """Makes one chunk, in a worker process."""
    task = find_task(task_id)
    environment = task.make_environment()
    rows, dropped = [], Counter()
    for seed in seeds:
        rollout = run_episode(environment, seed, lambda environment, seed: task.make_expert(environment))
        if rollout.failure:
            dropped[rollout.failure] += 1
            continue
        if rollout.success is False:
            dropped["the expert did not succeed"] += 1
            continue
        rows.append(
            episode_row(
                rollout, environment.observation_space, environment.action_space, task=task.id, expert=task.expert
            )
        )
    environment.close()
    write_shard(path, rows, schema, {**_provenance(task, seeds), "dropped": dict(dropped)})
