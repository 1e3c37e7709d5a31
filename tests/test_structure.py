# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The house is in order: its walls hold, its files and functions are short, and what .github says of it is true."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGES = ("hub", "modeling_gato", "tokenization_gato")
LONGEST_FILE, LONGEST_FUNCTION = 500, 60  # lines; a function's without its docstring


def sources() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.subprocess
def test_rooms_import_only_rooms_below_them():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_package_is_in_the_wheel():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = [file.parent for name in PACKAGES for file in (ROOT / name).rglob("__init__.py")]
    found = [".".join(folder.relative_to(ROOT).parts).replace("hub", "gato_hub", 1) for folder in folders]
    assert sorted(found) == sorted(listed)


def test_few_modules_lie_outside_of_the_rooms():
    assert {file.name for file in (ROOT / "hub").glob("*.py")} == {"__init__.py", "__main__.py", "train.py"}


def test_a_file_is_short_or_says_why_it_is_long():
    texts = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in sources()}
    long = [name for name, text in texts.items() if text.count("\n") > LONGEST_FILE]
    assert [name for name in long if "long because" not in (ast.get_docstring(ast.parse(texts[name])) or "")] == []


def test_no_function_is_long():
    long = []
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                first = node.body[0]
                docstring = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) is not None else 0
                if node.end_lineno - node.lineno + 1 - docstring > LONGEST_FUNCTION:
                    long.append(f"{file.relative_to(ROOT).as_posix()}: {node.name}")
    assert long == []


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
