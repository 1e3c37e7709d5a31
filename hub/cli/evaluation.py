# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato evaluate`, `gato compare` and `gato measure`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import explained_errors
from .options import ActionSeed, Prompt, PromptData, TaskNames, Workers, console


def evaluate(
    checkpoint: Annotated[
        str,
        typer.Argument(help='A folder or a name on the Hub, with model and processor; or "expert" or "random".'),
    ],
    tasks: Annotated[
        list[str], typer.Option("--tasks", help='A task, a suite, a pattern, or "all". Can be given several times.')
    ],
    out: Annotated[Path, typer.Option(help="Folder for results.json, tables and pictures.", file_okay=False)],
    episodes: Annotated[int, typer.Option(min=1, help="Episodes of each task.")] = 50,
    documents: Annotated[int, typer.Option(min=1, help="Test rows of each task of documents.")] = 500,
    prompt: Prompt = False,
    prompt_data: PromptData = None,
    workers: Workers = 2,
    seed: ActionSeed = 0,
    temperature: Annotated[
        float | None, typer.Option(help="Temperature of the sampling; the checkpoint's by default.")
    ] = None,
    sample: Annotated[
        bool | None, typer.Option("--sample/--mode", help="Sample actions, or take the likeliest one.")
    ] = None,
    continuous_actions: Annotated[
        str | None, typer.Option(help="sample, mode or mean; the checkpoint's by default.")
    ] = None,
) -> None:
    """Score a checkpoint on many tasks, on seeds that training never sees. Run again to go on where it stopped."""
    from ..evaluation.evaluate import EvaluationSettings, evaluate_checkpoint
    from ..evaluation.tables import results_table, write_results
    from ..suites import matching_task_ids
    from ..system.progress import WorkProgress
    from ..system.provenance import command_line

    with explained_errors(to_go_on=command_line()):
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
        with WorkProgress(console(), "evaluating", len(task_ids)) as progress:
            results = evaluate_checkpoint(
                checkpoint,
                task_ids,
                out,
                settings,
                workers=workers,
                progress=lambda task_id: progress.advance(1, task_id),
            )
        write_results(out, results)
    typer.echo(results_table(results))


def compare(
    first: Annotated[Path, typer.Argument(help="A results.json, its folder, or a JSON file of published scores.")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
    out: Annotated[Path | None, typer.Option(help="Markdown file to write the table to.", dir_okay=False)] = None,
) -> None:
    """Show two results side by side, task by task. A star marks a difference that is more than chance."""
    from ..evaluation.compare import compare, comparison_table, read_side
    from ..system.files import write_text

    with explained_errors():
        table = comparison_table(compare(read_side(first), read_side(second)), (str(first), str(second)))
        if out:
            write_text(out, table)
    typer.echo(table)


def measure(
    names: TaskNames,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes of each policy in each task.")] = 100,
    workers: Workers = 2,
) -> None:
    """Measure the scores of random actions and of the experts, which are the scale of all other scores."""
    from ..evaluation.reference import measure
    from ..suites import Task, find_task, matching_task_ids
    from ..system.progress import WorkProgress

    with explained_errors():
        task_ids = [task_id for task_id in matching_task_ids(names) if isinstance(find_task(task_id), Task)]
        with WorkProgress(console(), "measuring", len(task_ids)) as progress:
            measure(
                task_ids,
                episodes,
                workers=workers,
                progress=lambda task_id: progress.advance(1, task_id),
            )
