# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato quickstart`: demonstrations, training from nothing, evaluation, all in one directory.

One small model learns two BabyAI tasks from the bot's demonstrations with plain `transformers.Trainer`: to go to the
red ball among grey things, and to go to whatever the mission names. What to expect on two CPU cores is in the README.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from .collect import collect
from .episodes import read_episodes, rows_in_memory
from .files import replacing, write_json, write_text
from .packages import git_commit, package_versions, require_packages
from .progress import WorkProgress
from .suites import Task, find_task

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

    from .scores import Score

# Each task's share of the demonstrations. Going to a named thing takes far more of them than going to the red ball.
SHARES = {"babyai/go-to-red-ball-grey": 2, "babyai/go-to-local": 5}

# The recipe: batches of about 2000 tokens, 48 episodes of some 45, in packed rows that hold the longest episode whole.
EPISODES_A_BATCH = 48
TOKENS_A_ROW = 224
LEARNING_RATE = 1.0e-3
WARMUP_SHARE = 0.05
STEPS_BETWEEN_CHECKPOINTS = 200

RUN_FILE = "run.json"
MODEL_FILE = "model.safetensors"
SCORES_FILE = "scores.json"


class QuickstartError(Exception):
    """Something the user can mend: the message says what."""


class Interrupted(Exception):
    """The training was stopped by Ctrl-C and left a checkpoint."""


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

    def shared_out(self) -> dict[str, int]:
        """The number of demonstrations of each task."""
        shares = sum(SHARES.values())
        return {task_id: max(1, self.episodes * share // shares) for task_id, share in SHARES.items()}

    def demonstration_seeds(self, task: Task, count: int) -> range:
        """Other seeds, other demonstrations."""
        return task.train_seeds[self.seed * count : (self.seed + 1) * count]

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
        Interrupted, KeyboardInterrupt: stopped by Ctrl-C; `resume=True` goes on.
    """
    console = Console(highlight=False)
    try:
        require_packages("gato quickstart", ("accelerate", "datasets", "matplotlib", "pyarrow"), extra="quickstart")
        tasks = {task_id: find_task(task_id) for task_id in SHARES}
    except ImportError as error:
        raise QuickstartError(str(error)) from error
    run = Run(output, settings, resume)
    if (output / SCORES_FILE).exists():
        console.print(f"This run is complete: see {output / 'scores.md'}")
        return

    with run.stage("demonstrations"):
        make_demonstrations(run, tasks, console)
    if not (output / MODEL_FILE).exists():
        with run.stage("training"):
            train(run, console)
    with run.stage("evaluation"):
        scores = evaluate(run, tasks, console)
    write_results(run, tasks, scores)
    shutil.rmtree(output / "checkpoints", ignore_errors=True)

    from .scores import rich_table

    console.print(rich_table(scores))
    total = sum(run.seconds.values())
    console.print(f"{total:.0f} s in all. The model, its scores and an episode to look at are in {output}")


def demonstrations_folder(output: Path, task_id: str) -> Path:
    return output / "demonstrations" / task_id


def make_demonstrations(run: Run, tasks: dict[str, Task], console: Console) -> None:
    """Makes the demonstrations that are not there yet, with a word on those that the expert failed."""
    with WorkProgress(console, "demonstrations", sum(run.settings.shared_out().values())) as progress:
        for task_id, count in run.settings.shared_out().items():
            try:
                collections = collect(
                    [task_id],
                    run.output / "demonstrations",
                    count,
                    first_seed=run.settings.demonstration_seeds(tasks[task_id], count).start,
                    workers=run.settings.workers,
                    progress=lambda _, count: progress.advance(count),
                )
            except ValueError as error:
                raise QuickstartError(str(error)) from error
            for reason, number in collections[task_id].dropped.items():
                console.print(f"{task_id}: dropped {number} episodes: {reason}")


def train(run: Run, console: Console) -> None:
    """Trains from nothing, or from the last checkpoint, and leaves the model and the picture of its learning curve."""
    import torch
    from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed
    from transformers.utils.logging import disable_progress_bar

    from modeling_gato import GatoConfig, GatoForCausalLM
    from tokenization_gato import GatoDataCollator, GatoProcessor

    from .training_progress import CheckpointOnInterrupt, TrainingProgress

    disable_progress_bar()
    settings = run.settings
    episodes = [
        row for task_id in SHARES for row in rows_in_memory(read_episodes(demonstrations_folder(run.output, task_id)))
    ]
    # An instruction is told once, not at every step: seven tokens a step.
    processor = GatoProcessor(repeat_text_observations=False)
    set_seed(settings.seed)
    model = GatoForCausalLM(GatoConfig.nano(**processor.model_kwargs))
    # Random numbers of its own: the trainer fetches a batch ahead, so that a checkpoint could not restore shared ones.
    collator = GatoDataCollator(
        processor,
        max_length=TOKENS_A_ROW,
        prompt_probability=0.0,
        loss_on_observation_text=False,
        seed=settings.seed,
    )
    checkpoints = run.output / "checkpoints"
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=settings.steps,
        per_device_train_batch_size=EPISODES_A_BATCH,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(WARMUP_SHARE * settings.steps),
        adam_beta1=0.9,
        adam_beta2=0.95,
        weight_decay=0.1,
        use_cpu=not torch.cuda.is_available(),
        bf16=has_native_bfloat16(),
        seed=settings.seed,
        save_steps=STEPS_BETWEEN_CHECKPOINTS,
        save_total_limit=1,
        logging_steps=max(1, settings.steps // 100),
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
    )
    interrupt = CheckpointOnInterrupt(console)
    trainer = Trainer(
        model,
        arguments,
        train_dataset=episodes,
        data_collator=collator,
        callbacks=[TrainingProgress(console), interrupt],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last_checkpoint(checkpoints))
    if interrupt.interrupted:
        raise Interrupted
    draw_learning_curve(run.output / "learning_curve.png", trainer.state.log_history)
    save_model(run.output, model, processor)
    check_saved_model(run.output, model, processor, episodes[0])


def has_native_bfloat16() -> bool:
    """Whether bfloat16 is faster than float32 here; a processor that only emulates it is slower."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    # Where torch is too old to tell, float32 is the safe answer.
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def last_checkpoint(folder: Path) -> str | None:
    """The latest whole checkpoint: the trainer writes its state last."""
    whole = [state.parent for state in folder.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda path: int(path.name.rpartition("-")[2]))) if whole else None


def draw_learning_curve(path: Path, log_history: list[dict[str, Any]]) -> None:
    """Writes a picture of the training loss over the steps."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    points = [(entry["step"], entry["loss"]) for entry in log_history if "loss" in entry]
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*points, strict=True), marker="." if len(points) < 20 else None)
    axes.set_xlabel("step")
    axes.set_ylabel("cross-entropy of an action, nats")
    # An untrained model's loss is many times what is left of it after a few steps.
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter(ScalarFormatter())
    axes.grid(alpha=0.3, which="both")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def save_model(output: Path, model: GatoForCausalLM, processor: GatoProcessor) -> None:
    """Saves model and processor into `output`; the weights come last, so that where they are all is there."""
    temporary = output / ".partial-model"
    shutil.rmtree(temporary, ignore_errors=True)
    model.save_pretrained(temporary)
    processor.save_pretrained(temporary)
    for path in sorted(temporary.iterdir(), key=lambda path: path.name == MODEL_FILE):
        os.replace(path, output / path.name)
    temporary.rmdir()


def load_model(output: Path) -> tuple[GatoForCausalLM, GatoProcessor]:
    """Model and processor as any user loads them."""
    import torch
    from transformers import AutoModelForCausalLM, AutoProcessor
    from transformers.utils.logging import disable_progress_bar

    import modeling_gato  # noqa: F401  (registers the classes)
    import tokenization_gato  # noqa: F401

    disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(output)
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), AutoProcessor.from_pretrained(output)


def check_saved_model(output: Path, model: GatoForCausalLM, processor: GatoProcessor, episode: dict) -> None:
    """Raises RuntimeError unless what was saved says of an episode exactly what the trained model says."""
    import torch

    def logits(model: GatoForCausalLM, processor: GatoProcessor) -> torch.Tensor:
        inputs = processor.pad([processor.encode_episode(episode)], return_tensors="pt").to(model.device)
        with torch.no_grad():
            return model.eval()(**inputs).logits

    if not torch.equal(logits(model, processor), logits(*load_model(output))):
        raise RuntimeError(f"the model loaded from {output} differs from the trained one")


def evaluate(run: Run, tasks: dict[str, Task], console: Console) -> list[Score]:
    """Scores agent, random policy and expert on the same fresh seeds, and writes one episode as a picture."""
    from .evaluate import (
        evaluate_agent,
        evaluate_expert,
        evaluate_random,
        instruction,
        record_episode,
        write_gif,
    )
    from .scores import score

    model, processor = load_model(run.output)
    scores = []
    with WorkProgress(console, "evaluation", 3 * len(tasks)) as progress:
        for task in tasks.values():
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
    rollout, frames = record_episode(task, shown.seed, model, processor, seed=run.settings.seed)
    write_gif(run.output / "episode.gif", frames, instruction(rollout.observations[0]))
    return scores


def write_results(run: Run, tasks: dict[str, Task], scores: list[Score]) -> None:
    """Writes scores.md, scores.png and last scores.json, by which a run is known to be complete."""
    from .scores import draw_scores, markdown_table

    suite_packages = {package for task in tasks.values() for package in task.packages}
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
