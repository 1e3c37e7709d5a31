# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Which packages are there, and in which versions."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .errors import MissingPackageError

# What `gato train` needs, by the extra "train".
TRAINING_PACKAGES = ("accelerate", "datasets", "matplotlib", "pyarrow", "pydantic", "pyyaml")


def require_packages(purpose: str, packages: Iterable[str], extra: str) -> None:
    """Raises MissingPackageError, naming the command that helps, where a package is missing."""
    for package in packages:
        try:
            version(package)
        except PackageNotFoundError:
            raise MissingPackageError(
                f"{purpose} needs the package {package!r}, which is not installed: "
                f"pip install 'gato-transformers[{extra}]'"
            ) from None


def package_versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """The versions of Python, of this distribution and of `packages`."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("gato-transformers", *packages)}


def git_commit() -> str | None:
    """The commit of the checkout that this module is part of, with "+changes" where files differ; None outside one."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
