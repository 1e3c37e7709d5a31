# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The stamp of every artifact: the command, the commit, the versions and the machine that made it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

from .hardware import hardware
from .packages import package_versions

# The module that `accelerate launch -m` runs.
TRAINING_MODULE = "gato_hub.train"


class Stamp(TypedDict):
    """What made an artifact.

    Attributes:
        command: quoted, so that it can be pasted into a shell.
        git_commit: see `git_commit`.
        versions: of Python, of this package, and of the packages that matter.
        hardware: the machine, as in "2 x NVIDIA H200".
    """

    command: str
    git_commit: str | None
    versions: dict[str, str]
    hardware: str


def stamp(packages: Iterable[str] = (), processes: int = 1) -> Stamp:
    """Returns what every artifact is stamped with.

    Args:
        packages: names of the packages whose versions matter to the artifact.
        processes: number of processes that computed it.
    """
    return Stamp(
        command=command_line(),
        git_commit=git_commit(),
        versions=package_versions(packages),
        hardware=hardware(processes),
    )


def command_line() -> str:
    """Returns the command that started this process, quoted so that it can be pasted.

    It begins with `gato`, or with `accelerate launch` for a training that Accelerate started. A script that uses this
    package as a library is named as it was started: `python script.py ...`.
    """
    name, *arguments = sys.argv
    module = getattr(getattr(sys.modules["__main__"], "__spec__", None), "name", None)
    if module == TRAINING_MODULE:
        return shlex.join(_accelerate_command(arguments) or ["gato", "train", *arguments])
    if module == "gato_hub.__main__" or Path(name).stem == "gato":
        return shlex.join(["gato", *arguments])
    return shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])


def _accelerate_command(arguments: Sequence[str]) -> list[str] | None:
    """Returns the words of `accelerate launch ...`, or None where Accelerate did not start this process.

    On Linux they are those of the parent process. Elsewhere only the number of processes is known.
    """
    try:
        parent = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        parent = []
    for number, word in enumerate(parent[:3]):
        if Path(word).name == "accelerate":
            return ["accelerate", *parent[number + 1 :]]
        if Path(word).name == "accelerate-launch" or word == "accelerate.commands.launch":
            return ["accelerate", "launch", *parent[number + 1 :]]
    if "WORLD_SIZE" in os.environ:
        return [
            *("accelerate", "launch", "--num_processes", os.environ["WORLD_SIZE"], "-m", TRAINING_MODULE),
            *arguments,
        ]
    return None


def git_commit() -> str | None:
    """Returns the commit of the checkout that this file is part of, or None where it is in no checkout.

    "+changes" is appended where tracked files differ from the commit.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
