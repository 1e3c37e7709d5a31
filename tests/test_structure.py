# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The house is in order: its walls hold, its files and functions are short, and what .github says of it is true."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.mark.subprocess
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


@pytest.mark.subprocess
def test_ruff_finds_nothing():
    for command in (["check", "--no-cache"], ["format", "--no-cache", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda file: file.name)
def test_a_workflow_runs_what_is_there(file):
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    commands = " ".join(step["run"] for job in jobs.values() for step in job["steps"] if "run" in step)
    assert re.search(r"pytest|\.ci/run", commands)
    for path in re.findall(r"\S*/(?:run|\w+\.py)\b|tests/\w+", commands):
        assert (ROOT / path).exists(), path
    for marker in re.findall(r"not (\w+)", commands):
        assert f'"{marker}: ' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "file", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda file: file.name
)
def test_an_issue_form_has_what_github_asks_for(file):
    form = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    for field in form["body"]:
        assert field["type"] in ("markdown", "textarea", "input", "dropdown", "checkboxes")
        assert field["attributes"]["label"] and re.fullmatch(r"[\w-]+", field["id"])


def test_the_map_of_the_house_names_every_room():
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {file.name for file in (ROOT / "hub").iterdir() if file.is_dir() and file.name != "__pycache__"}
    assert set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)) == rooms
    for path in re.findall(r"`((?:hub|tests|\.ci)/[\w/.-]+)`", text):
        assert (ROOT / path).exists() or "my_suite" in path, path
