# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The wheel holds everything: it is built from a copy of the sources, installed in a folder, and used from there."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.subprocess]

ROOT = Path(__file__).parents[1]
PACKAGES = {"hub": "gato_hub", "modeling_gato": "modeling_gato", "tokenization_gato": "tokenization_gato"}
# For developers, who have the repository.
NOT_IN_THE_WHEEL = {"gato_hub/recipes/LOG.md"}

IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    print(package.__file__)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        print(importlib.import_module(module.name).__file__)
"""


def run(*command, folder: Path, **environment) -> str:
    """The output of a command that succeeds; `folder` is where it runs, outside of the repository."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the installed wheel. Builds from a copy: setuptools would leave `build/` among the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / "sources" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "sources")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, folder / "sources", folder=folder)
    (wheel,) = folder.glob("*.whl")
    run(*pip, "install", "--no-deps", "--no-index", "--target", folder / "installed", wheel, folder=folder)
    return folder / "installed"


def test_every_file_of_the_packages_is_in_the_wheel(installed):
    files = {
        f"{package}/{file.relative_to(ROOT / name).as_posix()}"
        for name, package in PACKAGES.items()
        for file in (ROOT / name).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {file for file in files if not (installed / file).is_file()} == NOT_IN_THE_WHEEL


def test_every_module_imports_from_the_wheel(installed):
    """Outside of the repository, in an interpreter of its own."""
    output = run(
        sys.executable, "-c", IMPORT_ALL, *PACKAGES.values(), folder=installed.parent, PYTHONPATH=str(installed)
    )
    imported = [Path(line) for line in output.splitlines()]
    assert len(imported) > 50
    assert [file for file in imported if not file.is_relative_to(installed)] == []


def test_the_command_works_from_the_wheel(installed):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    gato = installed / "bin" / "gato"
    output = run(sys.executable, gato, "--version", folder=installed.parent, PYTHONPATH=str(installed))
    assert version in output
    shown = run(sys.executable, gato, "tasks", "metaworld/*", folder=installed.parent, PYTHONPATH=str(installed))
    assert "metaworld/reach" in shown
