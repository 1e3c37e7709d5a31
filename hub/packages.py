# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Which packages are there, and in which versions."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version


def require_packages(purpose: str, packages: Iterable[str], extra: str) -> None:
    """Raises ImportError, naming the command that helps, where a package is missing."""
    for package in packages:
        try:
            version(package)
        except PackageNotFoundError:
            raise ImportError(
                f"{purpose} needs the package {package!r}, which is not installed: "
                f"pip install 'gato-transformers[{extra}]'"
            ) from None


def package_versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """The versions of Python, of this distribution and of `packages`."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("gato-transformers", *packages)}
