# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The `gato` command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Gato, a generalist agent, for transformers.", no_args_is_help=True, pretty_exceptions_enable=False
)

# What the commands that push have in common.
NewName = Annotated[str, typer.Argument(help="user/name on the Hub; made if it is not there.")]
Private = Annotated[
    bool | None, typer.Option("--private/--public", help="Of a repository that is made.", show_default=False)
]
Branch = Annotated[str | None, typer.Option(help="A branch, made if it is not there.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gato-transformers {version('gato-transformers')}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def quickstart(
    output: Annotated[Path, typer.Option(help="Directory for all that the run leaves.", file_okay=False)] = Path(
        "gato-quickstart"
    ),
    steps: Annotated[int, typer.Option(min=1, help="Training steps, of 2688 tokens.")] = 700,
    episodes: Annotated[int, typer.Option(min=2, help="Demonstrations to make, all tasks together.")] = 12000,
    eval_episodes: Annotated[int, typer.Option(min=1, help="Fresh episodes a task, for each policy.")] = 100,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make demonstrations.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=10_000, help="The same seed gives the same run.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Demonstrations, training, evaluation: a small agent for two tasks from nothing, in minutes on two CPU cores."""
    from ..quickstart.run import QuickstartError, Settings, run_quickstart

    settings = Settings(steps=steps, episodes=episodes, eval_episodes=eval_episodes, workers=workers, seed=seed)
    try:
        run_quickstart(output, settings, resume=resume)
    except QuickstartError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interruption:
        raise _told_to_go_on(f"{settings.command(output)} --resume", interruption) from interruption


@app.command("train")
def train_by_recipe(
    recipe: Annotated[str, typer.Argument(help="A YAML file, or the name of a recipe that ships with the package.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="As in optimization.steps=100.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the model and all else; gato-RECIPE by default.", file_okay=False)
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of demonstrations; OUTPUT/demonstrations by default.", file_okay=False),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make demonstrations.")] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    show_mixture: Annotated[
        int, typer.Option(min=0, help="Only draw so many windows and tell what the mixture is made of.")
    ] = 0,
) -> None:
    """Train by a recipe, on whatever is there: a CPU or a GPU.

    On several GPUs, or several machines, the same recipe by Accelerate, with a configuration file of this package or
    of your own (`accelerate config`):

        accelerate launch --config_file hub/recipes/accelerate/eight_gpus.yaml -m gato_hub.train RECIPE --output DIR

    There, eight_gpus_fsdp.yaml shards model and optimiser (FSDP2), one_gpu.yaml takes one, and two_cpu_processes.yaml
    tries it all without any.
    """
    import shlex

    from ..system.packages import TRAINING_PACKAGES, require_packages

    with _errors_of(ImportError):
        require_packages("gato train", TRAINING_PACKAGES, extra="train")
    from ..recipes.errors import RecipeError
    from ..recipes.reading import load_recipe
    from ..training.errors import TrainingError
    from ..training.mixture_report import show_mixture as draw_mixture
    from ..training.run import train

    output = output or Path(f"gato-{Path(recipe).stem}")
    command = shlex.join(["gato", "train", recipe, *(overrides or ()), "--output", str(output)])
    with _errors_of(RecipeError, TrainingError, ImportError):
        checked = load_recipe(recipe, overrides or ())
        if show_mixture:
            _print_mixture(draw_mixture(checked, data or output / "demonstrations", show_mixture, workers=workers))
            return
        try:
            train(checked, output, data_folder=data, resume=resume, workers=workers)
        except KeyboardInterrupt as interruption:
            raise _told_to_go_on(f"{command} --resume", interruption) from interruption


def _print_mixture(mixture: dict) -> None:
    from rich.table import Table

    table = Table("task", *(f"{name}, %" for name in ("weight", "tokens", "labels")), "windows")
    for name, about in mixture["tasks"].items():
        shares = (f"{100 * about[key]:.2f}" for key in ("weight", "token_share", "label_share"))
        table.add_row(name, *shares, str(about["windows"]))
    console = _console()
    console.print(table)
    console.print(
        f"{mixture['windows']} windows in {mixture['rows']} rows, {mixture['full']:.2%} full; of those of episodes "
        f"{mixture['prompted']:.1%} with a prompt, {mixture['from_end']:.1%} of the prompts from an episode's end"
    )


@app.command("evaluate")
def evaluate_checkpoint_on_tasks(
    checkpoint: Annotated[
        str, typer.Argument(help='A folder, or a name on the Hub, with model and processor; or "expert" or "random".')
    ],
    tasks: Annotated[
        list[str], typer.Option("--tasks", help='A task, a suite, a pattern, or "all". Can be given several times.')
    ],
    out: Annotated[Path, typer.Option(help="Folder for results.json, tables and pictures.", file_okay=False)],
    episodes: Annotated[int, typer.Option(min=1, help="Episodes a task.")] = 50,
    documents: Annotated[int, typer.Option(min=1, help="Test rows of each task of documents.")] = 500,
    prompt: Annotated[
        bool,
        typer.Option(
            "--prompt/--no-prompt", help="Begin each episode with a demonstration, by the expert if no data."
        ),
    ] = False,
    prompt_data: Annotated[
        str | None, typer.Option(help="Take demonstrations from a folder of `gato collect`, parquet files or the Hub.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes. They do not change the results.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampling of actions.")] = 0,
    temperature: Annotated[float | None, typer.Option(help="Of the sampling; the checkpoint's by default.")] = None,
    sample: Annotated[
        bool | None, typer.Option("--sample/--mode", help="Sample actions, or take the likeliest.")
    ] = None,
    continuous_actions: Annotated[
        str | None, typer.Option(help="sample, mode or mean; the checkpoint's by default.")
    ] = None,
) -> None:
    """Score a checkpoint on many tasks, on seeds far from the training's. Run again to go on where it stopped."""
    from ..evaluation.evaluate import EvaluationSettings, evaluate_checkpoint
    from ..evaluation.results import markdown, write_results
    from ..suites import matching_task_ids
    from ..system.progress import WorkProgress
    from ..system.provenance import command_line

    command = command_line()
    with _errors_of(ValueError, ImportError, OSError):
        task_ids = matching_task_ids(tasks)
        settings = EvaluationSettings(
            episodes=episodes,
            documents=documents,
            prompt=prompt or prompt_data is not None,
            prompt_data=prompt_data,
            seed=seed,
            temperature=temperature,
            do_sample=sample,
            continuous_actions=continuous_actions,
        )
        try:
            with WorkProgress(_console(), "evaluating", len(task_ids)) as progress:
                results = evaluate_checkpoint(
                    checkpoint,
                    task_ids,
                    out,
                    settings,
                    command=command,
                    workers=workers,
                    progress=lambda task_id: progress.advance(1, task_id),
                )
        except KeyboardInterrupt as interruption:
            raise _told_to_go_on(command, interruption) from interruption
    write_results(out, results)
    typer.echo(markdown(results))


@app.command("compare")
def compare_results(
    first: Annotated[Path, typer.Argument(help="results.json, its folder, or a JSON of published scores.")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
    out: Annotated[Path | None, typer.Option(help="A Markdown file.", dir_okay=False)] = None,
) -> None:
    """Two results side by side, task by task; what is more than chance has a star."""
    from ..evaluation.compare import compare, markdown, read_side
    from ..system.files import write_text

    with _errors_of(ValueError, OSError):
        table = markdown(compare(read_side(first), read_side(second)), (str(first), str(second)))
    if out:
        write_text(out, table)
    typer.echo(table)


@app.command("average")
def average_checkpoints_of_one_model(
    checkpoints: Annotated[list[str], typer.Argument(help="Folders, names on the Hub, or gato-mini, which ships.")],
    out: Annotated[Path, typer.Option(help="A new folder.", file_okay=False)],
    share: Annotated[list[float] | None, typer.Option(help="Of each checkpoint in turn; equal by default.")] = None,
) -> None:
    """Average the weights of checkpoints that went on from the same ones: often as good as the best at each task."""
    from ..checkpoints.average import average_checkpoints

    with _errors_of(ValueError, OSError):
        typer.echo(f"The mean is in {average_checkpoints(checkpoints, out, share)}")


@app.command("play")
def play_episodes(
    checkpoint: Annotated[str, typer.Argument(help="A folder or a name on the Hub, or gato-mini, which ships.")],
    tasks: Annotated[list[str], typer.Argument(help="Ids of tasks; several are shown side by side.")],
    out: Annotated[
        Path | None, typer.Option(help="A .gif or .mp4 file; a window where left out.", dir_okay=False)
    ] = None,
    episode: Annotated[int, typer.Option(min=0, help="Which of the task's evaluation seeds.")] = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    frames_a_second: Annotated[float, typer.Option(min=0.1, help="Of the file.")] = 4.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampling of actions.")] = 0,
    prompt: Annotated[
        bool, typer.Option("--prompt/--no-prompt", help="Begin with a demonstration, the expert's or yours.")
    ] = False,
    prompt_data: Annotated[
        str | None,
        typer.Option(help="Take the demonstration from a folder of `gato collect`, parquet files or the Hub."),
    ] = None,
) -> None:
    """Watch a checkpoint act, with the tokens that it reads and writes; or in several tasks side by side."""
    from itertools import islice

    from ..acting.pictures import draw_side_by_side, draw_step, write_episode
    from ..acting.play import PlayedStep, play
    from ..checkpoints.loading import load_checkpoint
    from ..data.prompts import demonstration
    from ..suites import Task, find_task

    with _errors_of(ValueError, ImportError, OSError):
        found = {name: find_task(name) for name in tasks}
        for name, task in found.items():
            if not isinstance(task, Task):
                raise ValueError(f"{name} is no task to act in: see gato caption and gato chat")
        if len(found) > 1 and out is None:
            raise ValueError("a window shows one task: give --out for several")
        model, processor = load_checkpoint(checkpoint)

        def steps_of(name: str, task: Task) -> Iterator[PlayedStep]:
            options = {"prompt": demonstration(task, prompt_data)} if prompt or prompt_data else {}
            environment_seed = task.evaluation_seeds[episode]
            shown = play(task, environment_seed, model, processor, human=out is None, seed=seed, **options)
            with contextlib.closing(shown):
                for step in islice(shown, steps):
                    yield step
                    if out is None:
                        read, written = (" ".join(map(str, tokens)) for tokens in (step.read, step.written))
                        typer.echo(f"{step.number}: {read} -> {written}")
            ending = "" if step.success is None else ", a success" if step.success else ", no success"
            title = f"{name}: " if len(found) > 1 else ""
            typer.echo(f"{title}{step.number + 1} steps, reward {step.total_reward:.3f}{ending}")

        if len(found) > 1:
            episodes = {name: list(steps_of(name, task)) for name, task in found.items()}
            write_episode(out, draw_side_by_side(episodes), frames_a_second=frames_a_second)
            return
        ((name, task),) = found.items()
        if out is None:
            for _ in steps_of(name, task):
                pass
        else:
            pictures = (draw_step(step, name) for step in steps_of(name, task))
            write_episode(out, pictures, frames_a_second=frames_a_second)


@app.command("caption")
def caption_an_image(
    checkpoint: Annotated[str, typer.Argument(help="A folder or a name on the Hub, or gato-mini, which ships.")],
    image: Annotated[Path, typer.Argument(help="A picture.", dir_okay=False)],
    question: Annotated[str, typer.Option(help="Something to ask about it, instead of a caption.")] = "",
) -> None:
    """What a checkpoint says of a picture."""
    from PIL import Image

    from ..acting.answers import answer
    from ..checkpoints.loading import load_checkpoint

    with _errors_of(ValueError, OSError):
        with Image.open(image) as opened:
            picture = opened.convert("RGB")
        model, processor = load_checkpoint(checkpoint)
        typer.echo(answer([{"images": [picture], "question": question}], model, processor)[0])


@app.command("chat")
def chat_with_a_checkpoint(
    checkpoint: Annotated[str, typer.Argument(help="A folder or a name on the Hub, or gato-mini, which ships.")],
    temperature: Annotated[float, typer.Option(min=0.0, help="Of the sampling; 0 takes the likeliest token.")] = 0.9,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampling.")] = 0,
) -> None:
    """Talk with a checkpoint: a line in, a line out, until the input ends."""
    import torch

    from ..acting.answers import reply
    from ..checkpoints.loading import load_checkpoint

    with _errors_of(ValueError, OSError):
        model, processor = load_checkpoint(checkpoint)
    torch.manual_seed(seed)
    messages: list[dict[str, str]] = []
    for line in typer.get_text_stream("stdin"):
        if not line.strip():
            continue
        messages.append({"role": "user", "content": line.strip()})
        said = ""
        for part in reply(messages, model, processor, temperature=temperature):
            typer.echo(part, nl=False)
            said += part
        typer.echo()
        messages.append({"role": "assistant", "content": said})


@app.command("push")
def push_a_checkpoint(
    checkpoint: Annotated[str, typer.Argument(help="A folder with model and processor, or gato-mini, which ships.")],
    name: NewName,
    private: Private = None,
    revision: Branch = None,
    results: Annotated[
        Path | None, typer.Option(help="results.json of gato evaluate, or its folder: the scores of the card.")
    ] = None,
    license: Annotated[str, typer.Option(help="Identifier of the Hub.")] = "apache-2.0",
    max_shard_size: Annotated[str, typer.Option(help="Larger models are cut into several files.")] = "5GB",
    to_folder: Annotated[
        Path | None, typer.Option(help="Write there what would be pushed, and push nothing.", file_okay=False)
    ] = None,
) -> None:
    """Push a checkpoint to the Hub: safetensors, configuration, processor, code, and a card with its scores."""
    from ..sharing.push import push_checkpoint
    from ..system.packages import require_packages

    with _errors_of(ValueError, ImportError, OSError):
        require_packages("gato push", ("jinja2",), extra="publish")
        typer.echo(
            push_checkpoint(
                checkpoint,
                name,
                private=private,
                revision=revision,
                results=results,
                license=license,
                max_shard_size=max_shard_size,
                to_folder=to_folder,
            )
        )


@app.command("push-dataset")
def push_a_dataset(
    folder: Annotated[Path, typer.Argument(help="A folder of gato collect.", file_okay=False)],
    name: NewName,
    private: Private = None,
    revision: Branch = None,
) -> None:
    """Push demonstrations to the Hub, after a check of each row. Run again to go on where it broke off."""
    from ..sharing.push import push_dataset

    with _errors_of(ValueError, ImportError, OSError):
        typer.echo(push_dataset(folder, name, private=private, revision=revision))


@app.command("push-space")
def push_a_space(
    checkpoint: Annotated[str, typer.Argument(help="A folder, which goes along, or a name on the Hub.")],
    name: NewName,
    private: Private = None,
) -> None:
    """Push a Space, where anyone watches a checkpoint act, asks it about pictures, and talks with it."""
    from ..sharing.push import push_space

    with _errors_of(ValueError, ImportError, OSError):
        typer.echo(push_space(name, checkpoint, private=private))


@app.command("pull")
def pull_a_repository(
    name: Annotated[str, typer.Argument(help="user/name on the Hub.")],
    out: Annotated[Path, typer.Option(help="Folder for its files.", file_okay=False)],
    kind: Annotated[str, typer.Option("--type", help="model, dataset or space.")] = "model",
    revision: Annotated[str | None, typer.Option(help="A branch, a tag or a commit.")] = None,
) -> None:
    """Download a model, a dataset or a Space. Run again to go on where it broke off."""
    from ..sharing.push import pull

    with _errors_of(ValueError, OSError):
        typer.echo(str(pull(name, out, kind=kind, revision=revision)))


@app.command("bench")
def run_all_benchmarks(
    names: Annotated[list[str] | None, typer.Argument(help="Benchmarks; all by default.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the table, the picture and JSON.", file_okay=False)] = Path(
        "gato-bench"
    ),
) -> None:
    """Measure speed and memory against transformers' own models, side by side: about 20 minutes on two idle cores."""
    import subprocess
    import sys

    from ..system.packages import require_packages

    script = Path(__file__).parents[2] / "tests" / "benchmarks" / "run_all.py"
    with _errors_of(ValueError, ImportError, OSError):
        require_packages("gato bench", ("matplotlib", "datasets", "minigrid"), extra="quickstart")
        if not script.is_file():
            raise ValueError(f"the benchmarks come with a clone of the repository: there is no file {script}")
    raise typer.Exit(subprocess.run([sys.executable, str(script), *(names or ()), "--out", str(out)]).returncode)


@app.command("tasks")
def show_tasks(
    names: Annotated[list[str] | None, typer.Argument(help="Suites, tasks or patterns; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that is known of each task, as JSON.")] = False,
) -> None:
    """List the suites and their tasks: random and expert scores, tokens a step, and what installs them."""
    import json

    from ..suites import matching_task_ids
    from ..suites import registered_task as task_of
    from ..suites.table import describe, table_of_suites, table_of_tasks

    with _errors_of(ValueError):
        tasks = [task_of(task_id) for task_id in matching_task_ids(names or ["*"])]
    if as_json:
        typer.echo(json.dumps([describe(task) for task in tasks], indent=2))
        return
    console = _console()
    console.print(table_of_tasks(tasks))
    console.print(table_of_suites(tasks))


@app.command("collect")
def collect_demonstrations(
    names: Annotated[list[str], typer.Argument(help='Tasks, suites, patterns such as "babyai/go-to-*", or "all".')],
    out: Annotated[Path, typer.Option(help="Folder for SUITE/TASK/train-*.parquet and a card.", file_okay=False)],
    episodes: Annotated[int, typer.Option(min=1, help="Episodes to try, or documents, a task.")] = 100,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    noise: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Disturbs the executed actions: the deviation added to continuous ones, in halves of their range, or "
            "the probability of a random discrete one. The recorded action stays the expert's.",
        ),
    ] = 0.0,
    smallest_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Keep episodes from this share of the expert's score on; 0: all.")
    ] = 0.8,
    first_seed: Annotated[int | None, typer.Option(min=0, help="Seeds are this one and those that follow.")] = None,
    learner: Annotated[
        str | None,
        typer.Option(help="A checkpoint that acts, while the expert says what it would do (DAgger). All is kept."),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Leave the learner's episodes after these.")] = None,
    chunk_size: Annotated[int, typer.Option(min=1, help="Episodes a file.")] = 250,
) -> None:
    """Make demonstrations: episodes of the tasks' experts, as parquet files. Run again to go on where it stopped."""
    import time

    from ..data.collect import collect, content_hash, seeds_of
    from ..sharing.dataset_card import write_dataset_card
    from ..suites import find_task, matching_task_ids
    from ..system.progress import WorkProgress
    from ..system.provenance import command_line, git_commit

    console = _console()
    command = command_line()
    started = time.monotonic()
    with _errors_of(ValueError, ImportError, OSError):
        tasks = {task_id: find_task(task_id) for task_id in matching_task_ids(names)}
        wanted = {task_id: len(seeds_of(task, episodes, first_seed)) for task_id, task in tasks.items()}
        tried = dict.fromkeys(tasks, 0)
        try:
            with WorkProgress(console, "collecting", sum(wanted.values())) as progress:

                def advance(task_id: str, count: int) -> None:
                    tried[task_id] += count
                    finished = sum(tried[name] >= number for name, number in wanted.items())
                    progress.advance(count, f"{finished} of {len(tasks)} tasks, {task_id}")

                collections = collect(
                    tasks,
                    out,
                    episodes,
                    first_seed=first_seed,
                    workers=workers,
                    chunk_size=chunk_size,
                    noise=noise,
                    smallest_score=smallest_score,
                    learner=learner,
                    max_steps=max_steps,
                    progress=advance,
                )
        except KeyboardInterrupt as interruption:
            raise _told_to_go_on(command, interruption) from interruption
        write_dataset_card(out, tasks, collections, command, git_commit())
    for task_id, collection in collections.items():
        for reason, number in collection.dropped.items():
            console.print(f"{task_id}: dropped {number} episodes: {reason}")
    steps = sum(collection.steps for collection in collections.values())
    seconds = time.monotonic() - started
    console.print(
        f"{len(collections)} tasks, {sum(one.kept for one in collections.values())} episodes and documents, "
        f"{steps} steps, {sum(one.num_bytes for one in collections.values())} bytes, "
        f"{seconds:.0f} s, {steps / seconds:.0f} steps a second"
    )
    console.print(f"content SHA-256 {content_hash(out)}")


@app.command("measure")
def measure_reference_scores(
    names: Annotated[list[str], typer.Argument(help='Tasks, suites, patterns, or "all".')],
    episodes: Annotated[int, typer.Option(min=1, help="Episodes of each policy, a task.")] = 100,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Measure what random actions and the experts reach: the scale of all scores, kept with the suites."""
    from ..evaluation.reference import measure
    from ..suites import Task, find_task, matching_task_ids
    from ..system.progress import WorkProgress
    from ..system.provenance import command_line

    with _errors_of(ValueError, ImportError, OSError):
        task_ids = [task_id for task_id in matching_task_ids(names) if isinstance(find_task(task_id), Task)]
        with WorkProgress(_console(), "measuring", len(task_ids)) as progress:
            measure(
                task_ids,
                episodes,
                command=command_line(),
                workers=workers,
                progress=lambda task_id: progress.advance(1, task_id),
            )


@app.command("import-jat")
def import_jat_configuration(
    name: Annotated[str, typer.Argument(help='A configuration, such as "metaworld-assembly" or "oscar".')],
    out: Annotated[Path, typer.Option(help="New folder for train-*.parquet.", file_okay=False)],
    split: Annotated[str, typer.Option(help="Split of the dataset.")] = "train",
    path: Annotated[str, typer.Option(help="Name on the Hub, or a local copy.")] = "jat-project/jat-dataset",
) -> None:
    """Bring a configuration of the JAT dataset into our schema."""
    from ..data.exchange.jat import import_jat

    with _errors_of(ValueError, ImportError, OSError, TypeError):
        typer.echo(f"{import_jat(name, out, split, path)} rows in {out}")


@app.command("import-minari")
def import_minari_dataset(
    dataset_id: Annotated[str, typer.Argument(help='A Minari dataset, such as "D4RL/door/human-v2".')],
    out: Annotated[Path, typer.Option(help="New folder for train-*.parquet.", file_okay=False)],
    download: Annotated[bool, typer.Option("--download", help="Fetch it where it is not there.")] = False,
) -> None:
    """Bring a Minari dataset into our schema; nothing of it is lost."""
    from ..data.exchange.from_minari import import_minari

    with _errors_of(ValueError, ImportError, OSError, TypeError):
        typer.echo(f"{import_minari(dataset_id, out, download=download)} episodes in {out}")


@app.command("export-minari")
def export_minari_dataset(
    folder: Annotated[Path, typer.Argument(help="Folder of one task, with train-*.parquet.", file_okay=False)],
    dataset_id: Annotated[str | None, typer.Argument(help='Its new id, such as "babyai/go-to-local-v0".')] = None,
) -> None:
    """Make a Minari dataset of collected episodes, or of what was imported from Minari."""
    from ..data.exchange.to_minari import export_minari

    with _errors_of(ValueError, ImportError, OSError, TypeError):
        dataset = export_minari(folder, dataset_id)
        typer.echo(f"{dataset.total_episodes} episodes in the Minari dataset {dataset.id}")


def _console():
    from rich.console import Console

    return Console(highlight=False)


def _told_to_go_on(command: str, interruption: KeyboardInterrupt) -> typer.Exit:
    """Tells how to go on; gives the exit code of the signal, Ctrl-C's where none is named."""
    import signal

    typer.echo(f"Interrupted. To go on: {command}", err=True)
    return typer.Exit(128 + int(getattr(interruption, "signal", signal.SIGINT)))


@contextlib.contextmanager
def _errors_of(*kinds: type[Exception]) -> Iterator[None]:
    """What the user can mend is told in one line, not as a traceback."""
    try:
        yield
    except kinds as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
