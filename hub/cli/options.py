# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Arguments and options that several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

Checkpoint = Annotated[
    str, typer.Argument(help="A folder, a name on the Hub, or gato-mini, which comes with this package.")
]
TaskNames = Annotated[
    list[str], typer.Argument(help='Tasks, suites, patterns such as "babyai/go-to-*", or "all".', show_default=False)
]
Workers = Annotated[int, typer.Option(min=1, help="Number of processes. It does not change the results.")]
ActionSeed = Annotated[int, typer.Option(min=0, help="Seed of the sampling of actions.")]
Prompt = Annotated[
    bool,
    typer.Option(
        "--prompt/--no-prompt",
        help="Begin each episode with a demonstration: the expert's, if --prompt-data is not given.",
    ),
]
PromptData = Annotated[
    str | None,
    typer.Option(help="Take demonstrations from a folder of `gato collect`, parquet files or the Hub."),
]

# Of the commands that push.
RepositoryName = Annotated[str, typer.Argument(metavar="NAME", help="user/name on the Hub; made if it is not there.")]
Private = Annotated[
    bool | None,
    typer.Option("--private/--public", help="Who sees the repository, if it is made.", show_default=False),
]
Branch = Annotated[str | None, typer.Option(help="Branch to push to; made if it is not there.")]

NewParquetFolder = Annotated[Path, typer.Option(help="New folder for train-*.parquet.", file_okay=False)]


def console() -> Console:
    """Returns a console that prints numbers and names without colors of its own."""
    return Console(highlight=False)
