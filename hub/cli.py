# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The `gato` command."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Gato, a generalist agent, for transformers.", no_args_is_help=True, pretty_exceptions_enable=False
)


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
    steps: Annotated[int, typer.Option(min=1, help="Training steps, of about 2000 tokens.")] = 850,
    episodes: Annotated[int, typer.Option(min=2, help="Demonstrations to make, all tasks together.")] = 12000,
    eval_episodes: Annotated[int, typer.Option(min=1, help="Fresh episodes a task, for each policy.")] = 100,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make demonstrations.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=10_000, help="The same seed gives the same run.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Demonstrations, training, evaluation: a small agent for two tasks from nothing, in minutes on two CPU cores."""
    from .quickstart import Interrupted, QuickstartError, Settings, run_quickstart

    settings = Settings(steps=steps, episodes=episodes, eval_episodes=eval_episodes, workers=workers, seed=seed)
    try:
        run_quickstart(output, settings, resume=resume)
    except QuickstartError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    except (Interrupted, KeyboardInterrupt) as interruption:
        typer.echo(f"Interrupted. To go on: {settings.command(output)} --resume", err=True)
        raise typer.Exit(130) from interruption
