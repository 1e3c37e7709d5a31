# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato quickstart`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import explained_errors


def quickstart(
    output: Annotated[Path, typer.Option(help="Folder for all files of the run.", file_okay=False)] = Path(
        "gato-quickstart"
    ),
    steps: Annotated[int, typer.Option(min=1, help="Training steps of 2688 tokens each.")] = 700,
    episodes: Annotated[int, typer.Option(min=2, help="Demonstrations to make, of all tasks together.")] = 12000,
    eval_episodes: Annotated[int, typer.Option(min=1, help="Evaluation episodes of each policy in each task.")] = 100,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes that make demonstrations.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=10_000, help="Seed; the same seed gives the same run.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Collect demonstrations, train, and evaluate: an agent for two tasks, in minutes on two CPU cores."""
    from ..quickstart.run import Settings, run_quickstart

    settings = Settings(steps=steps, episodes=episodes, eval_episodes=eval_episodes, workers=workers, seed=seed)
    with explained_errors(to_go_on=f"{settings.command(output)} --resume"):
        run_quickstart(output, settings, resume=resume)
