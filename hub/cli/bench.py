# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import explained_errors


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Benchmarks to run; all by default.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the table, the picture and JSON.", file_okay=False)] = Path(
        "gato-bench"
    ),
) -> None:
    """Measure speed and memory beside transformers' own models: about 20 minutes on two idle cores."""
    from ..system.errors import GatoError
    from ..system.packages import require_packages

    script = Path(__file__).parents[2] / "tests" / "benchmarks" / "run_all.py"
    with explained_errors():
        require_packages("gato bench", ("matplotlib", "datasets", "minigrid"), extra="quickstart")
        if not script.is_file():
            raise GatoError(f"the benchmarks come with a clone of the repository: there is no file {script}")
    raise typer.Exit(subprocess.run([sys.executable, str(script), *(names or ()), "--out", str(out)]).returncode)
