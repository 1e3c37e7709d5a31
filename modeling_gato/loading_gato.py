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


def refuse_fresh_weights(where: Any, loading_info: dict[str, Any], allows_other_shapes: bool, prefix: str) -> None:
    """
    Refuses a model that was partly made of fresh weights.

    Args:
        where: name or folder of the checkpoint; None for a state dict, which may lack weights.
        loading_info: what `from_pretrained` tells of missing and mismatched weights.
        allows_other_shapes: whether weights may be fresh where the checkpoint has them in another shape.
        prefix: start of the names of the weights that must not be missing.

    Raises:
        ValueError: weights are missing or have another shape than the configuration says.
    """
    mismatched = sorted(loading_info["mismatched_keys"])
    if mismatched and not allows_other_shapes:
        found = ", ".join(
            f"{name} {tuple(there)} instead of {tuple(expected)}" for name, there, expected in mismatched[:3]
        )
        raise ValueError(f"{len(mismatched)} weights of {where} have another shape: {found}")
    fresh = set(loading_info["missing_keys"]) - {name for name, *_ in mismatched}
    missing = sorted(name for name in fresh if name.startswith(prefix))
    if missing and where is not None:
        raise ValueError(f"{len(missing)} weights of {where} are missing: {', '.join(missing[:3])}")


__all__ = ["clear_loading_errors", "refuse_fresh_weights"]
