# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Collections of demonstrations: episodes of experts, and documents, made by several processes.

The seeds of each task are cut into chunks of consecutive ones. A chunk is one parquet file, which depends on nothing
but its seeds, its settings and the installed packages. So the data are the same whatever the number of processes, and
a collection that was stopped or killed continues from the chunks that are there.
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

from ..suites import BaseTask, DocumentTask, Task, find_task
from ..system.errors import GatoError
from ..system.workers import run_in_workers
from .chunks import SMALLEST_SCORE, Chunk, EpisodeSettings, make_chunk
from .parquet import SHARD_PATTERN, read_provenance, require_data_packages

EPISODES_A_CHUNK = 250

Progress = Callable[[str, int], None]


@dataclass
class Collection:
    """The result of collecting one task.

    Attributes:
        kept: episodes or documents in the files.
        dropped: number of the others, by the reason why they were dropped.
        steps: timesteps of the kept episodes; documents have none.
        num_bytes: size of the files.
    """

    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    num_bytes: int = 0


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
    progress: Progress | None = None,
) -> dict[str, Collection]:
    """Runs the expert of each task and keeps its good episodes, or lets a learner act and records the expert's advice.

    Args:
        tasks: ids, or tasks of your own, which other processes must be able to import.
        folder: gets `SUITE/TASK/train-00000.parquet`, ...; `read_episodes(folder / task_id)` reads those of one task.
            Files that are there already are kept if the same seeds, settings and packages made them.
        episodes: number of episodes, or of documents, to try for each task. Episodes that the expert fails, or that
            score too little, are dropped and counted.
        first_seed: seeds are `first_seed`, `first_seed + 1`, ...; the task's first training seed by default.
        workers: number of processes. They load torch only for a learner. 0 works in this process.
        chunk_size: episodes a file.
        noise: how much the executed actions differ from the expert's, see `action_noise`. The episode's actions stay
            the expert's, and the executed ones have columns of their own.
        smallest_score: drop episodes below this share of the way from the random to the expert score, or those
            without success if the task is scored by success. 0 keeps all.
        learner: a checkpoint, see `checkpoint_location`. It acts, while the expert says at each step what it would
            do: so a model learns what to do after its own mistakes (DAgger; Ross, Gordon and Bagnell, 2011). All
            episodes are kept, whatever they score, up to where the expert can't continue.
        max_steps: cut the learner's episodes after this many steps; by default they are not cut.
        progress: called with the task's id and the number of episodes tried in each finished chunk, also in those
            that were there already.

    Raises:
        GatoError: a number is out of range, a learner is combined with noise or documents, a seed is no training
            seed, a task has no expert, or the folder holds other demonstrations.
        MissingPackageError: a package that a task needs is not installed.
        KeyboardInterrupt: raised after the chunks at work are finished. Call again to continue.
    """
    require_data_packages("Collecting")
    for name, value, least in (("episodes", episodes, 1), ("workers", workers, 0), ("chunk_size", chunk_size, 1)):
        if value < least:
            raise GatoError(f"{name} must be at least {least}, not {value}")
    learner = None if learner is None else os.fspath(learner)
    settings = EpisodeSettings(noise, smallest_score, learner, max_steps=max_steps)
    found = [find_task(task) if isinstance(task, str) else task for task in tasks]
    if learner is not None:
        settings = dataclasses.replace(settings, learner_digest=learner_digest(learner, found))

    chunks: list[Chunk] = []
    for task in found:
        chunks += _chunks_of(task, seeds_of(task, episodes, first_seed), chunk_size, settings, Path(folder) / task.id)
    finished = _finished_files(chunks)
    _make_missing(chunks, finished, workers, progress)
    return _gathered(chunks)


def seeds_of(task: BaseTask, episodes: int, first_seed: int | None = None) -> range:
    """Returns the seeds of a task's episodes, or the numbers of as many documents as there are; see `collect`.

    Raises:
        GatoError: the task has no expert, a seed is no training seed, or there are no such documents.
    """
    if isinstance(task, DocumentTask):
        return _document_numbers(task, episodes, first_seed or 0)
    if not isinstance(task, Task):
        raise TypeError(f"expected a Task or a DocumentTask, got {type(task).__name__}")
    if task.make_expert is None:
        raise GatoError(f"the task {task.id!r} has no expert whose episodes could be collected")
    first_seed = task.train_seeds.start if first_seed is None else first_seed
    seeds = range(first_seed, first_seed + episodes)
    if seeds[0] not in task.train_seeds or seeds[-1] not in task.train_seeds:
        raise GatoError(f"seeds {seeds} are not in the training seeds {task.train_seeds} of {task.id}")
    return seeds


def _document_numbers(task: DocumentTask, count: int, first: int) -> range:
    num_rows = task.num_rows("train")
    numbers = range(first, first + count if num_rows is None else min(first + count, num_rows))
    if not numbers:
        raise GatoError(f"{task.id} has {num_rows} documents, none from {first} on")
    return numbers


def learner_digest(learner: str | os.PathLike, tasks: Iterable[BaseTask]) -> str:
    """Returns the digest of a learner's weights, which tells its demonstrations from those of other weights.

    Raises:
        GatoError: one of the tasks has documents, in which a learner can't act, or the checkpoint can't be loaded.
    """
    from ..checkpoints.loading import load_checkpoint, weights_digest

    documents = [task.id for task in tasks if isinstance(task, DocumentTask)]
    if documents:
        raise GatoError(f"a learner acts in environments, which these tasks don't have: {', '.join(documents)}")
    model, _ = load_checkpoint(learner)
    return weights_digest(model)


def _chunks_of(
    task: BaseTask, seeds: range, chunk_size: int, settings: EpisodeSettings, folder: Path
) -> Iterator[Chunk]:
    for start in range(0, len(seeds), chunk_size):
        path = folder / f"train-{start // chunk_size:05d}.parquet"
        yield Chunk(task, path, seeds[start : start + chunk_size], settings)


def _finished_files(chunks: Iterable[Chunk]) -> set[Path]:
    """Finds the files that are there already.

    Raises:
        GatoError: a folder holds a file that does not belong to these chunks, or that was made in another way. It
            would be mixed in unseen.
    """
    by_path = {chunk.path: chunk for chunk in chunks}
    folders = dict.fromkeys(path.parent for path in by_path)
    finished = [path for folder in folders for path in sorted(folder.glob(SHARD_PATTERN))]
    for path in finished:
        if path not in by_path:
            raise GatoError(f"{path} is not part of this collection: choose another folder, or remove the file")
        _check_provenance(path, by_path[path].provenance)
    return set(finished)


def _check_provenance(path: Path, expected: Mapping[str, object]) -> None:
    found = read_provenance(path)
    for name, value in expected.items():
        if found.get(name) != value:
            raise GatoError(
                f"{path} was made with {name} {found.get(name)}, not {value}: choose another folder, "
                "or remove the file"
            )


def _make_missing(chunks: Sequence[Chunk], finished: set[Path], workers: int, progress: Progress | None) -> None:
    """Makes the chunks whose files are not there, and reports all of them to `progress`."""

    def tell(chunk: Chunk) -> None:
        if progress:
            progress(chunk.task.id, len(chunk.seeds))

    missing = [chunk for chunk in chunks if chunk.path not in finished]
    for chunk in chunks:
        if chunk.path in finished:
            tell(chunk)
    # Closed here even if `progress` raises, so that no process is left at work.
    with contextlib.closing(run_in_workers(make_chunk, missing, workers)) as made:
        for number, _ in made:
            tell(missing[number])


def _gathered(chunks: Iterable[Chunk]) -> dict[str, Collection]:
    """Sums the counts in the files of each task."""
    collections: dict[str, Collection] = {}
    for chunk in chunks:
        collection = collections.setdefault(chunk.task.id, Collection())
        provenance = read_provenance(chunk.path)
        collection.kept += provenance["kept"]
        collection.dropped.update(provenance["dropped"])
        collection.steps += provenance["steps"]
        collection.num_bytes += chunk.path.stat().st_size
    return collections


def content_hash(folder: str | os.PathLike) -> str:
    """Returns one SHA-256 of the names and contents of all parquet files below a folder."""
    folder, digest = Path(folder), hashlib.sha256()
    for path in sorted(folder.rglob("*.parquet")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
