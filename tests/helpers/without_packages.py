# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Runs code in a process that can't import our packages, as where they are not installed."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

OUR_PACKAGES = ("modeling_gato", "tokenization_gato", "gato_hub")

# Works wherever our packages come from: a wheel, an editable install, or the path.
WITHOUT_PACKAGES = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotInstalled())
"""


def code_without_packages(code: str, others: Iterable[str] = ()) -> str:
    """The code of a process in which neither our packages nor `others` can be imported."""
    return WITHOUT_PACKAGES.replace("PACKAGES", repr((*OUR_PACKAGES, *others))) + code


def run_without_packages(
    code: str, folder: Path, others: Iterable[str] = (), **environment: str
) -> subprocess.CompletedProcess:
    """
    Runs Python code that must end well, and returns the process with its output.

    Args:
        folder: a folder of the test's own, in which the process runs and keeps what it loads from the Hub.
        others: names of further packages that can't be imported.
        environment: variables of the process, beside those of this one.
    """
    done = subprocess.run(
        [sys.executable, "-c", code_without_packages(code, others)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"} | environment,
    )
    assert done.returncode == 0, done.stderr
    return done
