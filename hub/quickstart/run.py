# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato quickstart`: demonstrations, training from nothing, evaluation, all in one folder.

One small model learns two BabyAI tasks from the bot's demonstrations by the recipe "quickstart": to go to the red ball
among grey things, and to go to whatever the mission names. The README says what to expect on two CPU cores.
"""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ..suites import Task, find_task
from ..system.artifacts import ANIMATION, SCORES_PICTURE
from ..system.errors import GatoError
from ..system.files import read_json, write_json, write_text
from ..system.packages import TRAINING_PACKAGES, require_packages
from ..system.progress import WorkProgress
from ..system.provenance import stamp

if TYPE_CHECKING:
    from ..evaluation.statistics import Score
    from ..recipes.schema import Recipe

RUN_FILE = "run.json"  # the settings, and how long each stage took
SCORES_FILE = "scores.json"  # written last: a run that has it is complete
SCORES_TABLE = "scores.md"
EVALUATION_FOLDER = "evaluation"
AGENT = "agent"  # how the trained model is called in the scores, beside "random" and "expert"
SHORTEST_SHOWN_EPISODE = 4  # steps


@dataclass(frozen=True)
class Settings:
    """The settings of a run. All but `workers` change its results.

    Attributes:
        steps: Number of training steps.
        episodes: Number of demonstrations, all tasks together.
        eval_episodes: Number of evaluation episodes of each policy at each task.
        workers: Number of processes.
        seed: Seed of the demonstrations, the training and the evaluation.
    """

    steps: int
    episodes: int
    eval_episodes: int
    workers: int
    seed: int

    def command(self, output: Path) -> str:
        """Returns the command that makes this run."""
        options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asdict(self).items())
        return f"gato quickstart --output {shlex.quote(str(output))} {options}"

    def recipe(self) -> Recipe:
        """Returns the recipe "quickstart" with these settings; tasks share the demonstrations by their weights."""
        from ..recipes.reading import load_recipe

        data = load_recipe("quickstart").data
        weights = sum(section.weight for section in data)
        overrides = [f"seed={self.seed}", f"optimization.steps={self.steps}"]
        overrides.append(f"logging.every={max(1, self.steps // 100)}")
        for number, section in enumerate(data):
            count = max(1, int(self.episodes * section.weight / weights))
            overrides += [f"data.{number}.episodes={count}", f"data.{number}.first_seed={self.seed * count}"]
        return load_recipe("quickstart", overrides)


def run_quickstart(output: Path, settings: Settings, *, resume: bool = False) -> None:
    """Runs all stages, or those that an interrupted run has left.

    Raises:
        GatoError: The folder holds something else, or a package is missing.
        KeyboardInterrupt: Ctrl-C stopped the run; `resume=True` goes on with it.
    """
    console = Console(highlight=False)
    require_packages("gato quickstart", TRAINING_PACKAGES, extra="quickstart")
    recipe = settings.recipe()
    found = [find_task(task_id) for section in recipe.data for task_id in section.tasks or ()]
    tasks = [task for task in found if isinstance(task, Task)]
    claim(output, settings, resume)
    if (output / SCORES_FILE).exists():
        console.print(f"This run is complete: see {output / SCORES_TABLE}")
        return

    from ..evaluation.tables import printed_scores
    from ..training.model import is_complete
    from ..training.run import make_demonstrations, train

    with stage(output, "demonstrations"):
        make_demonstrations(recipe, output / "demonstrations", workers=settings.workers, console=console)
    if not is_complete(output):
        with stage(output, "training"):
            train(recipe, output, resume=True, collect_missing=False, console=console)
    with stage(output, "evaluation"):
        scores = evaluate(output, settings, tasks, console)
        hardest = tasks[-1]
        shown = next(one for one in scores if (one.task, one.policy) == (hardest.id, AGENT))
        show_episode(output, settings, hardest, shown)
    write_scores(output, settings, tasks, scores)
    shutil.rmtree(output / "checkpoints", ignore_errors=True)
    console.print(printed_scores(scores))
    total = sum(read_json(output / RUN_FILE)["seconds"].values())
    console.print(f"{total:.0f} s in all. The model, its scores and an episode to look at are in {output}")


def claim(output: Path, settings: Settings, resume: bool) -> None:
    """Begins a run in a new or empty folder, or finds the one that is to be resumed.

    Raises:
        GatoError: The folder holds something else than a run of these settings.
    """
    path = output / RUN_FILE
    if not resume:
        if output.exists() and any(output.iterdir()):
            raise GatoError(
                f"{output} is not empty: choose another directory, or add --resume to go on with an interrupted run"
            )
        write_json(path, {"settings": asdict(settings), "seconds": {}})
        return
    if not path.exists():
        raise GatoError(f"{output} holds no run to go on with: there is no {RUN_FILE} in it")
    run = read_json(path)
    earlier = Settings(**run["settings"])
    if asdict(earlier) | {"workers": settings.workers} != asdict(settings):
        command = f"{earlier.command(output)} --resume"
        raise GatoError(f"{output} holds a run of other settings. To go on with it: {command}")
    write_json(path, run | {"settings": asdict(settings)})


@contextmanager
def stage(output: Path, name: str) -> Iterator[None]:
    """Adds the seconds that the block takes to those of the stage in run.json, even if the block is interrupted."""
    started = time.monotonic()
    try:
        yield
    finally:
        run = read_json(output / RUN_FILE)
        run["seconds"][name] = round(run["seconds"].get(name, 0.0) + time.monotonic() - started, 1)
        write_json(output / RUN_FILE, run)


def evaluate(output: Path, settings: Settings, tasks: Sequence[Task], console: Console) -> list[Score]:
    """Scores the trained model, random actions and the expert on the same seeds, which training has not seen."""
    from ..evaluation.evaluate import EvaluationSettings, evaluate_checkpoint
    from ..evaluation.statistics import score

    evaluation = EvaluationSettings(
        episodes=settings.eval_episodes, first_episode=settings.seed * settings.eval_episodes, seed=settings.seed
    )
    # Absolute, so that a run can be resumed from another directory.
    checkpoints: dict[str, str | Path] = {AGENT: output.resolve(), "random": "random", "expert": "expert"}
    results = {}
    with WorkProgress(console, "evaluation", len(checkpoints) * len(tasks)) as progress:
        for policy, checkpoint in checkpoints.items():
            results[policy] = evaluate_checkpoint(
                checkpoint,
                [task.id for task in tasks],
                output / EVALUATION_FOLDER / policy,
                evaluation,
                workers=0,  # to start processes would take longer than the episodes
                progress=lambda task_id: progress.advance(1),
            )
    return [
        score(task.id, policy, results[policy]["tasks"][task.id]["episodes"])
        for task in tasks
        for policy in checkpoints
    ]


def show_episode(output: Path, settings: Settings, task: Task, score: Score) -> None:
    """Writes an episode of the model as an animation: its first success of some length, if there is one."""
    from ..acting.pictures import draw_step, write_episode
    from ..acting.play import play
    from ..checkpoints.loading import load_checkpoint

    successes = (one for one in score.episodes if one["success"] and one["length"] >= SHORTEST_SHOWN_EPISODE)
    shown = next(successes, score.episodes[0])
    steps = play(task, shown["seed"], *load_checkpoint(output), seed=settings.seed)
    write_episode(output / ANIMATION, (draw_step(step, task.id) for step in steps))


def write_scores(output: Path, settings: Settings, tasks: Sequence[Task], scores: Sequence[Score]) -> None:
    """Writes scores.md, scores.png and last scores.json."""
    from ..evaluation.pictures import draw_scores
    from ..evaluation.tables import score_table

    command = settings.command(output)
    write_text(output / SCORES_TABLE, f"`{command}`\n\n{score_table(scores)}")
    draw_scores(output / SCORES_PICTURE, scores)
    suite_packages = sorted({package for task in tasks for package in task.packages})
    write_json(
        output / SCORES_FILE,
        {
            **stamp(("accelerate", "datasets", "numpy", "torch", "transformers", *suite_packages)),
            "command": command,
            "seed": settings.seed,
            "seconds": read_json(output / RUN_FILE)["seconds"],
            "scores": [entry.as_json() for entry in scores],
        },
    )
