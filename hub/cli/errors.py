# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How a command ends when something goes wrong."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..system.errors import GatoError


@contextmanager
def explained_errors(to_go_on: str | None = None) -> Iterator[None]:
    """Prints an error that the user can mend as one line and exits with 1. Every other error keeps its traceback.

    Args:
        to_go_on: the command that goes on with the work. Where it is given, Ctrl-C prints it and exits with the code
            of the signal.
    """
    try:
        yield
    except GatoError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as interruption:
        if to_go_on is None:
            raise
        typer.echo(f"Interrupted. To go on: {to_go_on}", err=True)
        raise typer.Exit(128 + int(getattr(interruption, "signal", signal.SIGINT))) from interruption
