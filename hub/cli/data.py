# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato collect`, `gato import-jat`, `gato import-minari` and `gato export-minari`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import explained_errors
from .options import NewParquetFolder, TaskNames, Workers, console


def collect(
    names: TaskNames,
    out: Annotated[Path, typer.Option(help="Folder for SUITE/TASK/train-*.parquet and a card.", file_okay=False)],
    episodes: Annotated[int, typer.Option(min=1, help="Episodes to try, or documents, of each task.")] = 100,
    workers: Workers = 2,
    noise: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Noise of the executed actions: for continuous ones the standard deviation, in halves of their "
            "range; for discrete ones the probability of a random action. The recorded action stays the expert's.",
        ),
    ] = 0.0,
    smallest_score: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Keep episodes with at least this share of the expert's score; 0: all."),
    ] = 0.8,
    first_seed: Annotated[int | None, typer.Option(min=0, help="First of the consecutive seeds.")] = None,
    learner: Annotated[
        str | None,
        typer.Option(
            help="A checkpoint that acts, while the expert's answers are recorded (DAgger). All episodes are kept."
        ),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="End the learner's episodes after this many.")] = None,
    chunk_size: Annotated[int, typer.Option(min=1, help="Episodes in a file.")] = 250,
) -> None:
    """Make demonstrations: episodes of the tasks' experts, as parquet files. Run again to go on where it stopped."""
    from ..sharing.dataset import make_dataset
    from ..system.provenance import command_line

    with explained_errors(to_go_on=command_line()):
        made = make_dataset(
            names,
            out,
            episodes,
            console=console(),
            first_seed=first_seed,
            workers=workers,
            chunk_size=chunk_size,
            noise=noise,
            smallest_score=smallest_score,
            learner=learner,
            max_steps=max_steps,
        )
    for task_id, reason, number in made.dropped:
        console().print(f"{task_id}: dropped {number} episodes: {reason}")
    console().print(
        f"{made.tasks} tasks, {made.rows} episodes and documents, {made.steps} steps, {made.num_bytes} bytes, "
        f"{made.seconds:.0f} s, {made.steps / made.seconds:.0f} steps a second"
    )
    console().print(f"content SHA-256 {made.content_hash}")


def import_jat(
    name: Annotated[str, typer.Argument(help='A configuration, such as "metaworld-assembly" or "oscar".')],
    out: NewParquetFolder,
    split: Annotated[str, typer.Option(help="Split of the dataset.")] = "train",
    path: Annotated[str, typer.Option(help="Name on the Hub, or a local copy.")] = "jat-project/jat-dataset",
) -> None:
    """Convert a configuration of the JAT dataset to our columns."""
    from ..data.exchange.jat import import_jat

    with explained_errors():
        typer.echo(f"{import_jat(name, out, split, path)} rows in {out}")


def import_minari(
    dataset_id: Annotated[str, typer.Argument(help='A Minari dataset, such as "D4RL/door/human-v2".')],
    out: NewParquetFolder,
    download: Annotated[bool, typer.Option("--download", help="Download the dataset if it is not there.")] = False,
) -> None:
    """Convert a Minari dataset to our columns, without loss."""
    from ..data.exchange.from_minari import import_minari

    with explained_errors():
        typer.echo(f"{import_minari(dataset_id, out, download=download)} episodes in {out}")


def export_minari(
    folder: Annotated[Path, typer.Argument(help="Folder of one task, with train-*.parquet.", file_okay=False)],
    dataset_id: Annotated[
        str | None, typer.Argument(help='Id of the new dataset, such as "babyai/go-to-local-v0".')
    ] = None,
) -> None:
    """Convert collected episodes, or what was imported from Minari, to a Minari dataset."""
    from ..data.exchange.to_minari import export_minari

    with explained_errors():
        dataset = export_minari(folder, dataset_id)
        typer.echo(f"{dataset.total_episodes} episodes in the Minari dataset {dataset.id}")
