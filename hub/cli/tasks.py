# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato tasks`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .errors import explained_errors
from .options import console


def tasks(
    names: Annotated[list[str] | None, typer.Argument(help="Suites, tasks or patterns; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that is known of each task, as JSON.")] = False,
) -> None:
    """List the suites and their tasks: random and expert scores, tokens of a step, and what installs them."""
    from ..suites import matching_task_ids, registered_task
    from ..suites.table import describe, table_of_suites, table_of_tasks

    with explained_errors():
        found = [registered_task(task_id) for task_id in matching_task_ids(names or ["*"])]
    if as_json:
        typer.echo(json.dumps([describe(task) for task in found], indent=2))
        return
    console().print(table_of_tasks(found))
    console().print(table_of_suites(found))
