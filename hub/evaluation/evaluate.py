# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Evaluation of a checkpoint on many tasks: `gato evaluate`.

Each task is evaluated by itself, in one thread and with seeds of its own, so the number of processes does not change
the results. The results of each finished task are in a file of their own, so an evaluation that was stopped or killed
goes on where it was.
"""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..acting.rollout import EnvironmentFailed
from ..checkpoints.loading import load_checkpoint, weights_digest
from ..suites import BaseTask, DocumentTask, ExpertFailed, Task, find_task
from ..system.artifacts import RESULTS
from ..system.errors import GatoError
from ..system.files import read_json, write_json
from ..system.packages import require_packages
from ..system.provenance import stamp
from ..system.workers import run_in_workers

if TYPE_CHECKING:
    from .policies import EpisodeResult

# Names that can stand for a checkpoint. That they score 100 and 0 shows that the evaluation is right.
POLICIES = ("expert", "random")
ABOUT = "evaluation.json"
TASKS_FOLDER = "tasks"
# Number of environments in which the model acts at once. If actions are sampled, it changes the results.
ENVIRONMENTS = 25


@dataclass(frozen=True)
class EvaluationSettings:
    """The settings that change the results of an evaluation.

    Attributes:
        episodes: Number of episodes of each control task.
        documents: Number of rows of each document task.
        prompt: Whether each episode begins with a demonstration of its task.
        prompt_data: Where demonstrations come from, see `data.prompts.demonstration`; None for the task's expert.
        seed: Seed of the sampling of actions.
        first_episode: Index of the first episode's seed among the evaluation seeds of its task.
        temperature: See `GatoAgent`; None for the checkpoint's setting.
        do_sample: See `GatoAgent`; None for the checkpoint's setting.
        continuous_actions: See `GatoAgent`; None for the checkpoint's setting.
    """

    episodes: int = 50
    documents: int = 500
    prompt: bool = False
    prompt_data: str | None = None
    seed: int = 0
    first_episode: int = 0
    temperature: float | None = None
    do_sample: bool | None = None
    continuous_actions: str | None = None

    def __post_init__(self) -> None:
        for name in ("episodes", "documents"):
            if getattr(self, name) < 1:
                raise GatoError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.temperature is not None and not self.temperature > 0:
            raise GatoError(f"temperature must be above 0, not {self.temperature}")
        if self.continuous_actions not in (None, "sample", "mode", "mean"):
            raise GatoError(f"continuous_actions must be sample, mode or mean, not {self.continuous_actions!r}")
        if self.prompt_data is not None and not self.prompt:
            raise GatoError(f"prompt_data is {self.prompt_data!r}, but prompt is false")


@dataclass(frozen=True)
class _Job:
    checkpoint: str
    task_id: str
    path: Path
    settings: EvaluationSettings


def evaluate_checkpoint(
    checkpoint: str | os.PathLike,
    task_ids: Iterable[str],
    output: str | os.PathLike,
    settings: EvaluationSettings = EvaluationSettings(),
    *,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Evaluates a checkpoint on tasks and writes the results to `output/results.json`.

    Args:
        checkpoint: A folder or a name on the Hub, with model and processor; or "expert" or "random", which score 100
            and 0 but for chance.
        task_ids: Ids of control and document tasks.
        output: A folder. Tasks that were already evaluated there with the same settings are not evaluated again.
        settings: The settings that change the results.
        workers: Number of processes; 0 works in this process.
        progress: Called with the id of each finished task.

    Returns:
        What is in results.json: the checkpoint, the settings, what made them (see `stamp`), and the scores (see
        `summary.summarize`).

    Raises:
        GatoError: There is no such checkpoint or no such task, a package is missing, or the folder holds the results
            of other settings.
    """
    from .summary import summarize

    output = Path(output)
    tasks = {task_id: find_task(task_id) for task_id in task_ids}
    metrics = ("sacrebleu",) if _documents(tasks) else ()
    require_packages("gato evaluate", ("matplotlib", "pyarrow", *metrics), extra="evaluate")
    about = {
        "checkpoint": str(checkpoint),
        "weights": _weights(checkpoint, tasks),
        "settings": asdict(settings),
    }
    _claim(output, about)
    paths = {task_id: path_of(output, task_id) for task_id in tasks}
    _evaluate_tasks([_Job(str(checkpoint), *item, settings) for item in paths.items()], workers, progress)
    packages = {package for task in tasks.values() for package in task.packages}
    results = {
        **about,
        **stamp(("numpy", "torch", "transformers", *sorted(packages))),
        **summarize({task_id: read_json(path) for task_id, path in paths.items()}),
    }
    write_json(output / RESULTS, results)
    return results


def path_of(output: Path, task_id: str) -> Path:
    """Returns the file with the results of a task."""
    return output / TASKS_FOLDER / f"{task_id.replace('/', '--')}.json"


def _documents(tasks: Mapping[str, BaseTask]) -> list[str]:
    return [task_id for task_id, task in tasks.items() if isinstance(task, DocumentTask)]


def _weights(checkpoint: str | os.PathLike, tasks: Mapping[str, BaseTask]) -> str | None:
    """Returns the digest of a checkpoint's weights, None for the policies that need none."""
    if checkpoint not in POLICIES:
        return weights_digest(load_checkpoint(checkpoint)[0])
    if documents := _documents(tasks):
        raise GatoError(f"{checkpoint} actions answer no documents: leave out {', '.join(documents)}")
    return None


def _claim(output: Path, about: dict[str, Any]) -> None:
    """Writes in a folder what its results are of. Raises GatoError if the folder holds other results."""
    path = output / ABOUT
    if path.exists() and (found := read_json(path)) != about:
        names = [key for key in ("checkpoint", "weights") if found.get(key) != about[key]]
        names += [key for key in about["settings"] if found["settings"].get(key) != about["settings"][key]]
        what = "other weights" if names[0] == "weights" else f"another {names[0]}"
        raise GatoError(f"{output} holds results with {what}: choose another folder")
    write_json(path, about)


def _evaluate_tasks(jobs: list[_Job], workers: int, progress: Callable[[str], None] | None) -> None:
    """Evaluates the tasks that have no results yet."""
    waiting = [job for job in jobs if not job.path.exists()]
    if progress:
        for job in jobs:
            if job not in waiting:
                progress(job.task_id)
    with contextlib.closing(run_in_workers(_evaluate_task, waiting, workers)) as finished:
        for number, _ in finished:
            if progress:
                progress(waiting[number].task_id)


def _evaluate_task(job: _Job) -> None:
    """Evaluates one task and writes its results."""
    task = find_task(job.task_id)
    started = time.monotonic()
    if isinstance(task, DocumentTask):
        from .documents import evaluate_documents

        entry = {"kind": "documents", "score": task.score}
        with _one_thread():
            entry |= evaluate_documents(task, job.settings.documents, *load_checkpoint(job.checkpoint))
    else:
        assert isinstance(task, Task)  # there are tasks of two kinds
        entry = {"kind": "control", "score": task.score} | _evaluate_control(task, job)
    write_json(job.path, entry | {"seconds": round(time.monotonic() - started, 2)})


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Lets torch compute in one thread: another number of threads would round differently."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _evaluate_control(task: Task, job: _Job) -> dict[str, Any]:
    """Returns the episodes of a task, or why there are none. A failing task must not end the other tasks' evaluation.

    A bug of ours is no failure of the task: it keeps its traceback.
    """
    settings = job.settings
    seeds = task.evaluation_seeds[settings.first_episode : settings.first_episode + settings.episodes]
    try:
        results = _results(task, seeds, job)
    except (EnvironmentFailed, ExpertFailed, GatoError) as error:
        return {"episodes": [], "failure": str(error)}
    return {
        "episodes": [
            {
                "seed": result.seed,
                "return": result.episode_return,
                "success": result.success,
                "length": result.length,
                **({"error": result.error} if result.error else {}),
            }
            for result in results
        ]
    }


def _results(task: Task, seeds: range, job: _Job) -> list[EpisodeResult]:
    from ..data.prompts import demonstration
    from .policies import evaluate_agent, evaluate_expert, evaluate_random

    if job.checkpoint in POLICIES:
        return (evaluate_expert if job.checkpoint == "expert" else evaluate_random)(task, seeds)
    settings = job.settings
    options: dict[str, Any] = {
        # The task's id is part of the seed, so that tasks do not share their random numbers.
        "seed": zlib.crc32(f"{settings.seed} {task.id}".encode()),
        "temperature": settings.temperature,
        "do_sample": settings.do_sample,
        "continuous_actions": settings.continuous_actions,
    }
    if settings.prompt:
        options["prompt"] = demonstration(task, settings.prompt_data)
    model, processor = load_checkpoint(job.checkpoint)
    with _one_thread():
        return evaluate_agent(task, seeds, model, processor, num_environments=ENVIRONMENTS, **options)
