# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The command `gato` in the process of the test: starting one of its own takes longer than most of what it does."""

from typing import NamedTuple

from typer.testing import CliRunner

from gato_hub.cli.app import app


class Finished(NamedTuple):
    """What `subprocess.run` tells of a command."""

    returncode: int
    stdout: str
    stderr: str


def gato_here(*arguments, text: str | None = None) -> Finished:
    """Raises what the command does not catch: it would have been a traceback."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, list(map(str, arguments)), input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)
