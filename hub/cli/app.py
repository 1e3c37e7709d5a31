# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The `gato` command: the command functions of this folder's other modules, registered."""

from __future__ import annotations

from typing import Annotated

import typer

from ..system.packages import package_version
from . import answering, bench, data, evaluation, playing, quickstart, sharing, tasks, training

app = typer.Typer(
    help="Gato, a generalist agent, for transformers.", no_args_is_help=True, pretty_exceptions_enable=False
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gato-transformers {package_version()}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


for _command in (
    quickstart.quickstart,
    training.train,
    evaluation.evaluate,
    evaluation.compare,
    training.average,
    playing.play,
    answering.caption,
    answering.chat,
    sharing.push,
    sharing.push_dataset,
    sharing.push_space,
    sharing.pull,
    bench.bench,
    tasks.tasks,
    data.collect,
    evaluation.measure,
    data.import_jat,
    data.import_minari,
    data.export_minari,
):
    app.command()(_command)  # named after the function, with hyphens
