# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato push`, `gato push-dataset`, `gato push-space` and `gato pull`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import explained_errors
from .options import Branch, Checkpoint, Private, RepositoryName


def push(
    checkpoint: Checkpoint,
    name: RepositoryName,
    private: Private = None,
    revision: Branch = None,
    results: Annotated[
        Path | None,
        typer.Option(help="results.json of `gato evaluate`, or its folder: the scores that the card shows."),
    ] = None,
    license: Annotated[str, typer.Option(help="License of the weights, as the Hub abbreviates it.")] = "apache-2.0",
    max_shard_size: Annotated[str, typer.Option(help="Weights larger than this are cut into several files.")] = "5GB",
    to_folder: Annotated[
        Path | None,
        typer.Option(help="Push nothing: write into this folder what would be pushed.", file_okay=False),
    ] = None,
) -> None:
    """Push a checkpoint to the Hub: safetensors, configuration, processor, code, and a card with its scores."""
    from ..sharing.push import push_checkpoint
    from ..system.packages import require_packages

    with explained_errors():
        require_packages("gato push", ("jinja2",), extra="publish")
        pushed_to = push_checkpoint(
            checkpoint,
            name,
            private=private,
            revision=revision,
            results=results,
            license=license,
            max_shard_size=max_shard_size,
            to_folder=to_folder,
        )
    typer.echo(pushed_to)


def push_dataset(
    folder: Annotated[Path, typer.Argument(help="A folder of `gato collect`.", file_okay=False)],
    name: RepositoryName,
    private: Private = None,
    revision: Branch = None,
) -> None:
    """Check each row of a folder of demonstrations and push it to the Hub. Run again to go on where it stopped."""
    from ..sharing import push

    with explained_errors():
        typer.echo(push.push_dataset(folder, name, private=private, revision=revision))


def push_space(checkpoint: Checkpoint, name: RepositoryName, private: Private = None) -> None:
    """Push a Space: a page where anyone watches a checkpoint act, asks it about pictures, and talks with it."""
    from ..sharing import push

    with explained_errors():
        typer.echo(push.push_space(name, checkpoint, private=private))


def pull(
    name: Annotated[str, typer.Argument(help="user/name on the Hub.")],
    out: Annotated[Path, typer.Option(help="Folder for the files.", file_okay=False)],
    kind: Annotated[str, typer.Option("--type", help="model, dataset or space.")] = "model",
    revision: Annotated[str | None, typer.Option(help="A branch, a tag or a commit.")] = None,
) -> None:
    """Download a model, a dataset or a Space. Run again to go on where it stopped."""
    from ..sharing import push

    with explained_errors():
        typer.echo(str(push.pull(name, out, kind=kind, revision=revision)))
