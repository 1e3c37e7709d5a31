# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What artifacts are stamped with."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gato_hub.system import provenance
from gato_hub.system.packages import package_versions
from gato_hub.system.provenance import command_line, git_commit, stamp

OVERRIDES = ["train", "mini", "model={pretrained: gato-mini}", "--output", "my folder"]


@pytest.fixture
def started(monkeypatch):
    """Pretends that this process was started as `arguments`, by `python -m module` where one is given."""

    def pretend(*arguments: str, module: str | None = None) -> None:
        monkeypatch.setattr("sys.argv", list(arguments))
        monkeypatch.setattr(sys.modules["__main__"], "__spec__", module and SimpleNamespace(name=module))

    return pretend


@pytest.mark.parametrize(
    ("program", "module"), [("/usr/bin/gato", None), ("/site-packages/gato_hub/__main__.py", "gato_hub.__main__")]
)
def test_the_command_can_be_pasted(started, program, module):
    started(program, *OVERRIDES, module=module)
    assert command_line() == "gato train mini 'model={pretrained: gato-mini}' --output 'my folder'"
    assert shlex.split(command_line()) == ["gato", *OVERRIDES]


def test_a_script_is_named_as_it_was_started(tmp_path):
    script = tmp_path / "my script.py"
    script.write_text("from gato_hub.system.provenance import command_line\nprint(command_line())\n")
    printed = subprocess.run([sys.executable, script, "a b"], capture_output=True, text=True, check=True).stdout
    assert shlex.split(printed) == [Path(sys.executable).name, str(script), "a b"]


@pytest.mark.parametrize(
    ("parent", "command"),
    [
        ("python\0/bin/accelerate\0launch\0--config_file\0a b.yaml\0-m\0gato_hub.train\0large\0", None),
        ("python\0-m\0accelerate.commands.launch\0--config_file\0a b.yaml\0-m\0gato_hub.train\0large\0", None),
        ("/bin/accelerate-launch\0--config_file\0a b.yaml\0-m\0gato_hub.train\0large\0", None),
        ("mpirun\0-n\0002\0", "accelerate launch --num_processes 2 -m gato_hub.train large"),
    ],
)
def test_a_training_by_accelerate_has_the_command_of_accelerate(monkeypatch, started, parent, command):
    started("/site-packages/gato_hub/train.py", "large", module="gato_hub.train")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(provenance.Path, "read_bytes", lambda path: parent.encode())
    assert command_line() == (command or "accelerate launch --config_file 'a b.yaml' -m gato_hub.train large")


def test_a_training_module_without_accelerate_is_gato_train(monkeypatch, started):
    started("/site-packages/gato_hub/train.py", "large", module="gato_hub.train")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert command_line() == "gato train large"


def test_the_commit_is_that_of_the_checkout():
    folder = Path(provenance.__file__).resolve().parent
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    if not (folder.parents[1] / ".git").exists():
        pytest.skip("this package is installed from a wheel")
    assert git_commit().partition("+")[0] == subprocess.check_output(command, text=True).strip()


def test_outside_of_a_checkout_there_is_no_commit(tmp_path):
    shutil.copytree(Path(provenance.__file__).parents[1] / "system", tmp_path / "system")
    code = "from system.provenance import git_commit; print(git_commit())"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert printed.stdout == "None\n"


def test_a_package_without_metadata_has_an_unknown_version():
    assert package_versions(["no-such-package"])["no-such-package"] == "unknown"


def test_a_stamp_has_command_commit_versions_and_machine(started):
    started("gato", "tasks")
    made = stamp(["numpy"], processes=2)
    assert set(made) == {"command", "git_commit", "versions", "hardware"}
    assert made["command"] == "gato tasks"
    assert set(made["versions"]) == {"python", "gato-transformers", "numpy"}
    assert made["hardware"].startswith("2 x ")
