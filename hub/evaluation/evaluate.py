# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A checkpoint on many tasks: `gato evaluate`.

Each task is evaluated by itself, in one thread, with seeds of its own: the results are the same whatever the number of
processes. What is finished lies in a file of its own, so that an evaluation that was stopped or killed goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..acting.rollout import EnvironmentFailed
from ..checkpoints.loading import load_checkpoint, weights_digest
from ..suites import DocumentTask, ExpertFailed, Task, find_task
from ..system.artifacts import RESULTS
from ..system.errors import GatoError
from ..system.files import write_json
from ..system.packages import package_versions, require_packages
from ..system.provenance import git_commit
from ..system.workers import run_in_workers

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

    from .policies import EpisodeResult

# Instead of a checkpoint: what they score shows that the evaluation is right.
POLICIES = ("expert", "random")
TASKS_FOLDER = "tasks"
# Environments in which the model acts at once. It decides the results where actions are sampled.
ENVIRONMENTS = 25


@dataclass(frozen=True)
class EvaluationSettings:
    """What decides the results of an evaluation.

    Attributes:
        episodes: a task.
        documents: rows of a document task.
        prompt: whether each episode begins with a demonstration of its task.
        prompt_data: where the demonstrations are taken from, see `demonstration`; by default the expert gives them.
        seed: of the sampling of actions.
        first_episode: which of the task's evaluation seeds is the first.
        temperature, do_sample, continuous_actions: see `GatoAgent`; None for what the checkpoint says.
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

    def __post_init__(self):
        for name in ("episodes", "documents"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.prompt_data is not None and not self.prompt:
            raise ValueError(f"prompt_data is {self.prompt_data!r}, but there is to be no prompt")


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
    command: str = "",
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Evaluates a checkpoint and writes `output/results.json`; see `results.summarize` for what is in it.

    Args:
        checkpoint: a folder or a name on the Hub, with model and processor; or "expert" or "random", which score 100
            and 0 but for chance.
        task_ids: ids of control and document tasks.
        output: a folder; tasks that are finished in it, of the same settings, are not evaluated again.
        workers: processes.
        progress: called with the id of each finished task.

    Raises:
        CheckpointError: there is no such checkpoint, or it has no processor.
        ValueError, ImportError: no such task, or its packages are missing; or the folder holds other results.
    """
    from .results import summarize

    require_packages("gato evaluate", ("matplotlib", "pyarrow", "sacrebleu"), extra="evaluate")
    output = Path(output)
    tasks = {task_id: find_task(task_id) for task_id in task_ids}
    weights = None
    if checkpoint in POLICIES:
        documents = [task_id for task_id, task in tasks.items() if isinstance(task, DocumentTask)]
        if documents:
            raise ValueError(f"{checkpoint} actions answer no documents: leave out {', '.join(documents)}")
    else:
        weights = weights_digest(load_checkpoint(checkpoint)[0])
    about = {"checkpoint": str(checkpoint), "weights": weights, "settings": asdict(settings)}
    _check_folder(output, about)
    write_json(output / "evaluation.json", about)
    jobs = [_Job(str(checkpoint), task_id, path_of(output, task_id), settings) for task_id in tasks]
    waiting = [job for job in jobs if not job.path.exists()]
    for job in jobs:
        if progress and job.path.exists():
            progress(job.task_id)
    with contextlib.closing(run_in_workers(_evaluate_task, waiting, workers)) as finished:
        for number, _ in finished:
            if progress:
                progress(waiting[number].task_id)
    entries = {job.task_id: json.loads(job.path.read_text(encoding="utf-8")) for job in jobs}
    packages = {package for task in tasks.values() for package in task.packages}
    results = {
        **about,
        "command": command,
        "git_commit": git_commit(),
        "versions": package_versions(("numpy", "torch", "transformers", *sorted(packages))),
        **summarize(entries),
    }
    write_json(output / RESULTS, results)
    return results


def path_of(output: Path, task_id: str) -> Path:
    """Where the results of a task lie."""
    return output / TASKS_FOLDER / f"{task_id.replace('/', '--')}.json"


def _check_folder(output: Path, about: dict[str, Any]) -> None:
    path = output / "evaluation.json"
    if path.exists() and (found := json.loads(path.read_text(encoding="utf-8"))) != about:
        names = [key for key in ("checkpoint", "weights") if found.get(key) != about[key]]
        names += [key for key in about["settings"] if found["settings"].get(key) != about["settings"][key]]
        what = "other weights" if names[0] == "weights" else f"another {names[0]}"
        raise ValueError(f"{output} holds results with {what}: choose another folder")


def _evaluate_task(job: _Job) -> None:
    """Evaluates one task, in a worker process."""
    task = find_task(job.task_id)
    started = time.monotonic()
    if isinstance(task, DocumentTask):
        from .documents import evaluate_documents

        entry = {"kind": "documents", "score": task.score}
        entry |= evaluate_documents(task, job.settings.documents, *_loaded_in_one_thread(job.checkpoint))
    else:
        entry = {"kind": "control", "score": task.score} | _evaluate_control(task, job)
    write_json(job.path, entry | {"seconds": round(time.monotonic() - started, 2)})


def _loaded_in_one_thread(checkpoint: str) -> tuple[GatoForCausalLM, GatoProcessor]:
    import torch

    torch.set_num_threads(1)  # other numbers of threads, other roundings
    return load_checkpoint(checkpoint)


def _evaluate_control(task: Task, job: _Job) -> dict[str, Any]:
    """The episodes of a task; where none could begin, why."""
    settings = job.settings
    seeds = task.evaluation_seeds[settings.first_episode : settings.first_episode + settings.episodes]
    try:
        results = _results(task, seeds, job)
    except (
        EnvironmentFailed,
        ExpertFailed,
        GatoError,
    ) as error:  # such as a prompt that doesn't fit: other tasks go on
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
        # Tasks differ in their random numbers, too.
        "seed": zlib.crc32(f"{settings.seed} {task.id}".encode()),
        "temperature": settings.temperature,
        "do_sample": settings.do_sample,
        "continuous_actions": settings.continuous_actions,
    }
    if settings.prompt:
        options["prompt"] = demonstration(task, settings.prompt_data)
    model, processor = _loaded_in_one_thread(job.checkpoint)
    return evaluate_agent(task, seeds, model, processor, num_environments=ENVIRONMENTS, **options)
