# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Which packages are installed, and in which versions."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from .errors import MissingPackageError

# What `gato train` needs, by the extra "train".
TRAINING_PACKAGES = ("accelerate", "datasets", "matplotlib", "pyarrow", "pydantic", "pyyaml")


def require_packages(purpose: str, packages: Iterable[str], extra: str) -> None:
    """Checks that packages are installed.

    Args:
        purpose: what needs them; it begins the error message.
        packages: their names on the package index.
        extra: the extra of this package that installs them.

    Raises:
        MissingPackageError: one is not installed; the message has the command that installs it.
    """
    for package in packages:
        try:
            version(package)
        except PackageNotFoundError:
            raise MissingPackageError(
                f"{purpose} needs the package {package!r}, which is not installed: "
                f"pip install 'gato-transformers[{extra}]'"
            ) from None


def package_versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Returns the versions of Python, of gato-transformers and of `packages`."""
    return {"python": platform.python_version()} | {
        name: package_version(name) for name in ("gato-transformers", *packages)
    }


def package_version(name: str = "gato-transformers") -> str:
    """Returns the version of a package, or "unknown" for a checkout on the path that was never installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
