# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The walls of the house hold: no room imports one above it, and the wheel is made of all packages."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_rooms_import_only_rooms_below_them():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_package_is_in_the_wheel():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = [
        file.parent
        for name in ("hub", "modeling_gato", "tokenization_gato")
        for file in (ROOT / name).rglob("__init__.py")
    ]
    found = [".".join(folder.relative_to(ROOT).parts).replace("hub", "gato_hub", 1) for folder in folders]
    assert sorted(found) == sorted(listed)
