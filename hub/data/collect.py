# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Demonstrations: episodes of experts, and documents, made by several processes.

The work is cut into chunks of consecutive seeds of one task. A chunk is one parquet file and depends on nothing but
its seeds, the settings and the packages: the data are the same whatever the number of processes, and a collection that
was stopped or killed goes on from the chunks that are there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..acting.noise import action_noise
from ..acting.rollout import Rollout, run_expert
from ..suites import BaseTask, DocumentTask, Task, find_task, registered_task
from ..suites.registry import BUILT_IN_TASK_IDS
from ..system.packages import package_versions
from ..system.workers import run_in_workers
from .columns import episode_features
from .parquet import SHARD_PATTERN, read_provenance, write_shard
from .rows import document_features, document_row, episode_row

if TYPE_CHECKING:
    import gymnasium

EPISODES_A_CHUNK = 250
SMALLEST_SCORE = 0.8  # of the expert's, as in the paper (section 3.1)


@dataclass
class Collection:
    """What a collection of one task came to.

    Attributes:
        kept: episodes or documents that are in the files.
        dropped: why others are not, with their number.
        steps: timesteps of those kept; documents have none.
        num_bytes: of the files.
    """

    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    num_bytes: int = 0


@dataclass(frozen=True)
class _Chunk:
    """One file: consecutive seeds of a task, and all else that decides what is in it."""

    task: BaseTask | str
    path: Path
    seeds: range
    noise: float
    smallest_score: float
    learner: str | None
    learner_digest: str | None
    max_steps: int | None

    @property
    def provenance(self) -> dict[str, Any]:
        about = {
            "task": self.task.id,
            "first_seed": self.seeds.start,
            "episodes": len(self.seeds),
            "versions": package_versions(("numpy", "pillow", "pyarrow", *self.task.packages)),
        }
        if isinstance(self.task, Task):
            about |= {"expert": self.task.expert, "noise": self.noise, "smallest_score": self.smallest_score}
            about |= {"learner": self.learner_digest, "max_steps": self.max_steps}
        return about


def collect(
    tasks: Iterable[str | BaseTask],
    folder: str | os.PathLike,
    episodes: int,
    *,
    first_seed: int | None = None,
    workers: int = 1,
    chunk_size: int = EPISODES_A_CHUNK,
    noise: float = 0.0,
    smallest_score: float = SMALLEST_SCORE,
    learner: str | os.PathLike | None = None,
    max_steps: int | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, Collection]:
    """Runs the expert of each task for `episodes` episodes and keeps the good ones; or lets a learner act, and keeps
    what the expert would have done.

    Args:
        tasks: ids, or tasks of your own, which other processes must be able to import.
        folder: gets `SUITE/TASK/train-00000.parquet`, ...: `read_episodes(folder / task_id)` reads those of one task.
            Files that are there already, made from the same seeds and settings with the same packages, are kept.
        episodes: number of episodes to try, or of documents, a task. Those that the expert fails, or that score too
            little, are dropped and counted.
        first_seed: seeds are `first_seed`, `first_seed + 1`, ...; the first of the task's training seeds by default.
        workers: number of processes, which load torch only for a learner; 0 to work in this one.
        chunk_size: episodes a file.
        noise: how much the executed actions differ from the expert's, see `action_noise`. The expert's stay the
            actions of the episode, those executed have columns of their own.
        smallest_score: episodes below this share of the way from the random to the expert score are dropped, and
            those without success where that is the score; 0 keeps all.
        learner: a checkpoint, see `checkpoint_location`, that acts, while the expert says at each step what it would
            do: so a model learns what to do after its own mistakes (DAgger; Ross, Gordon and Bagnell, 2011). All
            episodes are kept, whatever they score, up to where the expert can't go on.
        max_steps: after which the learner's episodes are left; by default none is.
        progress: called with the task's id and the number of episodes tried in each finished chunk, also in those
            that were there.

    Raises:
        ValueError: bad numbers, noise and a learner, a learner of documents, seeds outside the training seeds, a task
            without expert, or a folder that holds other demonstrations.
        ImportError: a task's packages are not installed.
        KeyboardInterrupt: after the chunks at work are finished; call again to go on.
    """
    for name, value, least in (("episodes", episodes, 1), ("workers", workers, 0), ("chunk_size", chunk_size, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}")
    if not 0.0 <= smallest_score <= 1.0:
        raise ValueError(f"smallest_score must lie in [0, 1], not {smallest_score}")
    if not noise >= 0.0:
        raise ValueError(f"noise must not be negative, not {noise}")
    if learner is not None and noise:
        raise ValueError(f"a learner makes mistakes of its own: noise must be 0 beside it, not {noise}")
    if max_steps is not None and (learner is None or max_steps < 1):
        raise ValueError(f"max_steps is of a learner's episodes, and at least 1, not {max_steps}")
    tasks = [find_task(task) if isinstance(task, str) else task for task in tasks]
    learner_settings = (None, None) if learner is None else (os.fspath(learner), learner_digest(learner, tasks))
    settings = (noise, smallest_score, *learner_settings, max_steps)
    chunks = [
        _Chunk(task, path, seeds, *settings)
        for task in tasks
        for path, seeds in _files_of(task, Path(folder), seeds_of(task, episodes, first_seed), chunk_size)
    ]
    by_path = {chunk.path: chunk for chunk in chunks}
    finished = {path for task in tasks for path in _finished_files(Path(folder) / task.id, by_path)}
    for chunk in chunks:
        if chunk.path in finished and progress:
            progress(chunk.task.id, len(chunk.seeds))
    _make_chunks([chunk for chunk in chunks if chunk.path not in finished], workers, progress)

    collections = {task.id: Collection() for task in tasks}
    for chunk in chunks:
        collection, provenance = collections[chunk.task.id], read_provenance(chunk.path)
        collection.kept += provenance["kept"]
        collection.dropped.update(provenance["dropped"])
        collection.steps += provenance["steps"]
        collection.num_bytes += chunk.path.stat().st_size
    return collections


def seeds_of(task: BaseTask, episodes: int, first_seed: int | None = None) -> range:
    """The seeds of a task's episodes, or the documents that there are of as many; see `collect`."""
    if isinstance(task, Task) and task.make_expert is None:
        raise ValueError(f"the task {task.id!r} has no expert whose episodes could be collected")
    if isinstance(task, DocumentTask):
        first_seed, num_rows = first_seed or 0, task.num_rows("train")
        seeds = range(first_seed, first_seed + episodes if num_rows is None else min(first_seed + episodes, num_rows))
        if not seeds:
            raise ValueError(f"{task.id} has {num_rows} documents, none from {first_seed} on")
    else:
        first_seed = task.train_seeds.start if first_seed is None else first_seed
        seeds = range(first_seed, first_seed + episodes)
        if seeds[0] not in task.train_seeds or seeds[-1] not in task.train_seeds:
            raise ValueError(f"seeds {seeds} are not in the training seeds {task.train_seeds} of {task.id}")
    return seeds


def learner_digest(learner: str | os.PathLike, tasks: Iterable[BaseTask]) -> str:
    """What tells its demonstrations of these tasks from those of other weights. ValueError if it can make none."""
    from ..checkpoints.loading import load_checkpoint, weights_digest

    documents = [task.id for task in tasks if isinstance(task, DocumentTask)]
    if documents:
        raise ValueError(f"a learner acts in tasks, there is nothing to do in the documents {', '.join(documents)}")
    model, _ = load_checkpoint(learner)
    return weights_digest(model)


def _files_of(task: BaseTask, folder: Path, seeds: range, chunk_size: int) -> Iterator[tuple[Path, range]]:
    """The files of a collection, and the seeds in each."""
    for start in range(0, len(seeds), chunk_size):
        path = folder / task.id / f"train-{start // chunk_size:05d}.parquet"
        yield path, seeds[start : start + chunk_size]


def _finished_files(folder: Path, by_path: Mapping[Path, _Chunk]) -> list[Path]:
    """The files that are there. Anything else in the folder would be mixed in unseen, so it is an error."""
    finished = sorted(folder.glob(SHARD_PATTERN))
    for path in finished:
        if path not in by_path:
            raise ValueError(f"{path} is not part of this collection: choose another folder, or remove the file")
        found = read_provenance(path)
        for name, value in by_path[path].provenance.items():
            if found.get(name) != value:
                raise ValueError(
                    f"{path} was made with {name} {found.get(name)}, not {value}: choose another folder, "
                    "or remove the file"
                )
    return finished


def _make_chunks(chunks: Sequence[_Chunk], workers: int, progress: Callable[[str, int], None] | None) -> None:
    finished = (
        run_in_workers(_make_chunk, [_sendable(chunk) for chunk in chunks], workers)
        if workers
        else ((number, _make_chunk(chunk)) for number, chunk in enumerate(chunks))
    )
    # Closed here, also when `progress` raises, so that no chunk is left at work.
    with contextlib.closing(finished):
        for number, _ in finished:
            if progress:
                progress(chunks[number].task.id, len(chunks[number].seeds))


def _sendable(chunk: _Chunk) -> _Chunk:
    """The chunk with the id of its task, which any process finds; a task of a user's own goes as it is."""
    is_ours = chunk.task.id in BUILT_IN_TASK_IDS and registered_task(chunk.task.id) is chunk.task
    return dataclasses.replace(chunk, task=chunk.task.id) if is_ours else chunk


def _make_chunk(chunk: _Chunk) -> None:
    """Makes one chunk, in a worker process."""
    if isinstance(chunk.task, str):
        chunk = dataclasses.replace(chunk, task=find_task(chunk.task))
    if isinstance(chunk.task, DocumentTask):
        rows = [document_row(row) for row in chunk.task.rows("train", chunk.seeds.start, chunk.seeds.stop)]
        dropped = Counter()
        schema = document_features(rows[0]).arrow_schema
    else:
        rows, schema, dropped = _episodes_of(chunk)
    counts = {"kept": len(rows), "dropped": dict(dropped), "steps": sum(len(row.get("rewards", ())) for row in rows)}
    write_shard(chunk.path, rows, schema, chunk.provenance | counts)


def _episodes_of(chunk: _Chunk) -> tuple[list[dict[str, Any]], Any, Counter[str]]:
    task = chunk.task
    environment = task.make_environment()
    spaces = environment.observation_space, environment.action_space
    rollouts = _learner_rollouts(chunk) if chunk.learner else _expert_rollouts(chunk, environment)
    rows, dropped = [], Counter()
    for rollout in rollouts:
        reason = _reason_to_drop(chunk, rollout)
        if reason:
            dropped[reason] += 1
        else:
            rows.append(episode_row(rollout, *spaces, task=task.id, expert=task.expert, noise=chunk.noise))
    environment.close()
    return rows, episode_features(*spaces).arrow_schema, dropped


def _expert_rollouts(chunk: _Chunk, environment: gymnasium.Env) -> Iterator[Rollout]:
    for seed in chunk.seeds:
        disturb = action_noise(environment.action_space, chunk.noise, seed) if chunk.noise else None
        yield run_expert(chunk.task, environment, seed, disturb)


def _learner_rollouts(chunk: _Chunk) -> list[Rollout]:
    import torch

    from ..acting.agent_rollouts import run_agent
    from ..checkpoints.loading import load_checkpoint

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # other numbers of threads, other roundings; and the workers share the processor
    try:
        learner = load_checkpoint(chunk.learner)
        options = {"ask_expert": True, "max_steps": chunk.max_steps, "seed": chunk.seeds.start}
        rollouts = list(run_agent(chunk.task, chunk.seeds, *learner, **options))
    finally:
        torch.set_num_threads(threads)
    return sorted(rollouts, key=lambda rollout: rollout.seed)


def _reason_to_drop(chunk: _Chunk, rollout: Rollout) -> str | None:
    task = chunk.task
    if chunk.learner:
        return None if rollout.length else rollout.failure
    if rollout.failure:
        return rollout.failure
    if chunk.smallest_score == 0.0:
        return None
    if task.score == "success":
        return None if rollout.success else "the expert did not succeed"
    if not task.counts_in_means:
        return None
    random, expert = task.random_score.mean_return, task.expert_score.mean_return
    if rollout.episode_return < random + chunk.smallest_score * (expert - random):
        return f"below {chunk.smallest_score:.0%} of the expert's score"
    return None


def content_hash(folder: str | os.PathLike) -> str:
    """One SHA-256 of all parquet files of a folder, their names and their contents."""
    folder, digest = Path(folder), hashlib.sha256()
    for path in sorted(folder.rglob("*.parquet")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
