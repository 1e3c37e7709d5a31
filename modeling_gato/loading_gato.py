# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Checks of a checkpoint that is loaded: a model that was partly made of fresh weights would act, badly."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from safetensors import SafetensorError


@contextmanager
def clear_loading_errors(where: Any) -> Iterator[None]:
    """
    Says which checkpoint is damaged where a library only says how.

    Args:
        where: name or folder of the checkpoint.

    Raises:
        ValueError: weights or JSON files are damaged or cut off.
        OSError: a file is not there.
    """
    try:
        yield
    except SafetensorError as error:
        raise ValueError(f"the weights of {where} are damaged, cut off, or no safetensors: {error}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"a JSON file of {where} is damaged: {error}") from error
    except FileNotFoundError as error:
        raise OSError(f"{where} is incomplete, a file that it names is not there: {error}") from error


def refuse_other_shapes(where: Any, loading_info: dict[str, Any]) -> None:
    """Raises a ValueError where weights of a checkpoint have other shapes than the configuration says."""
    mismatched = sorted(loading_info["mismatched_keys"])
    if mismatched:
        found = ", ".join(
            f"{name} {tuple(there)} instead of {tuple(expected)}" for name, there, expected in mismatched[:3]
        )
        raise ValueError(f"{len(mismatched)} weights of {where} have another shape: {found}")


def refuse_missing_weights(where: Any, loading_info: dict[str, Any], prefix: str) -> None:
    """Raises a ValueError where weights whose names start with `prefix` are missing from a checkpoint."""
    mismatched = {name for name, *_ in loading_info["mismatched_keys"]}
    missing = sorted(name for name in set(loading_info["missing_keys"]) - mismatched if name.startswith(prefix))
    if missing:
        raise ValueError(f"{len(missing)} weights of {where} are missing: {', '.join(missing[:3])}")


__all__ = ["clear_loading_errors", "refuse_missing_weights", "refuse_other_shapes"]
