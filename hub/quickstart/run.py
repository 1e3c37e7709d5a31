# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato quickstart`: demonstrations, training from nothing, evaluation, all in one directory.

One small model learns two BabyAI tasks from the bot's demonstrations by the recipe "quickstart": to go to the red ball
among grey things, and to go to whatever the mission names. What to expect on two CPU cores is in the README.
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ..checkpoints.loading import load_checkpoint
from ..suites import Task, find_task
from ..system.files import write_json, write_text
from ..system.packages import TRAINING_PACKAGES, package_versions, require_packages
from ..system.progress import WorkProgress
from ..system.provenance import git_commit

if TYPE_CHECKING:
    from ..evaluation.statistics import Score
    from ..recipes.schema import Recipe

RUN_FILE = "run.json"
SCORES_FILE = "scores.json"


class QuickstartError(Exception):
    """Something the user can mend: the message says what."""


@dataclass(frozen=True)
class Settings:
    """What a run is made of. All but `workers` decide its results."""

    steps: int
    episodes: int
    eval_episodes: int
    workers: int
    seed: int

    def command(self, output: Path) -> str:
        options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asdict(self).items())
        return f"gato quickstart --output {shlex.quote(str(output))} {options}"

    def recipe(self) -> Recipe:
        """The recipe "quickstart", with the demonstrations shared out by weight; other seeds, other demonstrations."""
        from ..recipes.reading import load_recipe

        data = load_recipe("quickstart").data
        weights = sum(section.weight for section in data)
        overrides = [f"seed={self.seed}", f"optimization.steps={self.steps}"]
        overrides.append(f"logging.every={max(1, self.steps // 100)}")
        for number, section in enumerate(data):
            count = max(1, int(self.episodes * section.weight / weights))
            overrides += [f"data.{number}.episodes={count}", f"data.{number}.first_seed={self.seed * count}"]
        return load_recipe("quickstart", overrides)

    def tasks(self) -> list[Task]:
        return [find_task(task_id) for section in self.recipe().data for task_id in section.tasks]

    def evaluation_seeds(self, task: Task) -> range:
        return task.evaluation_seeds[self.seed * self.eval_episodes : (self.seed + 1) * self.eval_episodes]


class Run:
    """A run's directory, and the file in it that says what the run is and how long its stages took."""

    def __init__(self, output: Path, settings: Settings, resume: bool):
        self.output = output
        self.settings = settings
        self.path = output / RUN_FILE
        self.seconds: dict[str, float] = {}
        if resume:
            self._take_up()
        elif output.exists() and any(output.iterdir()):
            raise QuickstartError(
                f"{output} is not empty: choose another directory, or add --resume to go on with an interrupted run"
            )
        self._write()

    def _take_up(self) -> None:
        if not self.path.exists():
            raise QuickstartError(f"{self.output} holds no run to go on with: there is no {RUN_FILE} in it")
        run = json.loads(self.path.read_text(encoding="utf-8"))
        earlier = Settings(**run["settings"])
        if asdict(earlier) | {"workers": self.settings.workers} != asdict(self.settings):
            command = f"{earlier.command(self.output)} --resume"
            raise QuickstartError(f"{self.output} holds a run of other settings. To go on with it: {command}")
        self.seconds = run["seconds"]

    def _write(self) -> None:
        write_json(self.path, {"settings": asdict(self.settings), "seconds": self.seconds})

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time of the block to that of the stage, also when it is interrupted."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - started, 1)
            self._write()


def run_quickstart(output: Path, settings: Settings, *, resume: bool = False) -> None:
    """Runs all stages, or those that are left.

    Raises:
        QuickstartError: the directory holds something else, or a package is missing.
        KeyboardInterrupt: stopped by Ctrl-C; `resume=True` goes on.
    """
    console = Console(highlight=False)
    try:
        require_packages("gato quickstart", TRAINING_PACKAGES, extra="quickstart")
        tasks = settings.tasks()
    except ImportError as error:
        raise QuickstartError(str(error)) from error
    run = Run(output, settings, resume)
    if (output / SCORES_FILE).exists():
        console.print(f"This run is complete: see {output / 'scores.md'}")
        return

    from ..recipes.errors import RecipeError
    from ..training.errors import TrainingError
    from ..training.model import is_complete
    from ..training.run import make_demonstrations, train

    try:
        recipe, demonstrations = settings.recipe(), output / "demonstrations"
        with run.stage("demonstrations"):
            make_demonstrations(recipe, demonstrations, workers=settings.workers, console=console)
        if not is_complete(output):
            with run.stage("training"):
                train(recipe, output, resume=True, collect_missing=False, console=console)
    except (RecipeError, TrainingError) as error:
        raise QuickstartError(str(error)) from error
    with run.stage("evaluation"):
        scores = evaluate(run, tasks, console)
    write_results(run, tasks, scores)
    shutil.rmtree(output / "checkpoints", ignore_errors=True)

    from ..evaluation.statistics import rich_table

    console.print(rich_table(scores))
    total = sum(run.seconds.values())
    console.print(f"{total:.0f} s in all. The model, its scores and an episode to look at are in {output}")


def evaluate(run: Run, tasks: list[Task], console: Console) -> list[Score]:
    """Scores agent, random policy and expert on the same fresh seeds, and writes one episode as a picture."""
    from ..acting.pictures import draw_step, write_episode
    from ..acting.play import play
    from ..evaluation.policies import (
        evaluate_agent,
        evaluate_expert,
        evaluate_random,
    )
    from ..evaluation.statistics import score

    model, processor = load_checkpoint(run.output)
    scores = []
    with WorkProgress(console, "evaluation", 3 * len(tasks)) as progress:
        for task in tasks:
            seeds = run.settings.evaluation_seeds(task)
            agent_results = evaluate_agent(task, seeds, model, processor, seed=run.settings.seed)
            scores.append(score(task.id, "agent", agent_results))
            progress.advance(1)
            scores.append(score(task.id, "random", evaluate_random(task, seeds)))
            progress.advance(1)
            scores.append(score(task.id, "expert", evaluate_expert(task, seeds)))
            progress.advance(1)

    # An episode of the last, harder task: the first success that takes a few steps, where there is one.
    shown = next((result for result in agent_results if result.success and result.length >= 4), agent_results[0])
    steps = play(task, shown.seed, model, processor, seed=run.settings.seed)
    write_episode(run.output / "episode.gif", (draw_step(step, task.id) for step in steps))
    return scores


def write_results(run: Run, tasks: list[Task], scores: list[Score]) -> None:
    """Writes scores.md, scores.png and last scores.json, by which a run is known to be complete."""
    from ..evaluation.statistics import draw_scores, markdown_table

    suite_packages = {package for task in tasks for package in task.packages}
    versions = package_versions(("accelerate", "datasets", "numpy", "torch", "transformers", *sorted(suite_packages)))
    command = run.settings.command(run.output)
    write_text(run.output / "scores.md", f"`{command}`\n\n{markdown_table(scores)}")
    draw_scores(run.output / "scores.png", scores)
    write_json(
        run.output / SCORES_FILE,
        {
            "command": command,
            "seed": run.settings.seed,
            "git_commit": git_commit(),
            "versions": versions,
            "seconds": run.seconds,
            "scores": [entry.as_json() for entry in scores],
        },
    )
