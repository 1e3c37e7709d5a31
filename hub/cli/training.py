# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato train` and `gato average`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import explained_errors
from .options import console


def train(
    recipe: Annotated[str, typer.Argument(help="A YAML file, or the name of a recipe that comes with this package.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Changes of the recipe, such as optimization.steps=100."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the model and all other files; gato-RECIPE by default.", file_okay=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of demonstrations; OUTPUT/demonstrations by default.", file_okay=False),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes that make demonstrations.")] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    show_mixture: Annotated[
        int, typer.Option(min=0, help="Train nothing: draw this many windows and print what they are made of.")
    ] = 0,
) -> None:
    """Train by a recipe, on a CPU or a GPU.

    On several GPUs or machines, Accelerate runs the same recipe, with a configuration file of this package or of your
    own (`accelerate config`):

        accelerate launch --config_file hub/recipes/accelerate/eight_gpus.yaml -m gato_hub.train RECIPE --output DIR

    The folder also has eight_gpus_fsdp.yaml, which shards model and optimizer (FSDP2), one_gpu.yaml, and
    two_cpu_processes.yaml, to try it without a GPU.
    """
    from ..system.packages import TRAINING_PACKAGES, require_packages

    output = output or Path(f"gato-{Path(recipe).stem}")
    command = shlex.join(["gato", "train", recipe, *(overrides or ()), "--output", str(output), "--resume"])
    with explained_errors(to_go_on=command):
        require_packages("gato train", TRAINING_PACKAGES, extra="train")
        from ..recipes.reading import load_recipe
        from ..training import mixture_report, run

        checked = load_recipe(recipe, overrides or ())
        if show_mixture:
            folder = data or output / "demonstrations"
            _print_mixture(mixture_report.show_mixture(checked, folder, show_mixture, workers=workers))
        else:
            run.train(checked, output, data_folder=data, resume=resume, workers=workers)


def _print_mixture(mixture: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("task", *(f"{name}, %" for name in ("weight", "tokens", "labels")), "windows")
    for name, about in mixture["tasks"].items():
        shares = (f"{100 * about[key]:.2f}" for key in ("weight", "token_share", "label_share"))
        table.add_row(name, *shares, str(about["windows"]))
    console().print(table)
    console().print(
        f"{mixture['windows']} windows in {mixture['rows']} rows, {mixture['full']:.2%} full; of those of episodes "
        f"{mixture['prompted']:.1%} with a prompt, {mixture['from_end']:.1%} of the prompts from an episode's end"
    )


def average(
    checkpoints: Annotated[list[str], typer.Argument(help="Folders, names on the Hub, or gato-mini.")],
    out: Annotated[Path, typer.Option(help="New folder for the average.", file_okay=False)],
    share: Annotated[
        list[float] | None,
        typer.Option(help="Share of a checkpoint; give one for each, in their order. Equal by default."),
    ] = None,
) -> None:
    """Average the weights of checkpoints that were trained on from the same one.

    The average is often as good at each task as the best of them.
    """
    from ..checkpoints.average import average_checkpoints

    with explained_errors():
        typer.echo(f"The mean is in {average_checkpoints(checkpoints, out, share)}")
