# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The error of a recipe that can't be run, and how an error of a library becomes one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..system.errors import GatoError


class RecipeError(GatoError):
    """A recipe that can't be run: the message names the key."""


@contextmanager
def naming_key(key: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turns a GatoError, or an error of the given kinds, into a RecipeError whose message begins with the key.

    Give only the kinds that a library raises for a bad value of the key. Every other error is a bug and keeps its
    traceback.
    """
    handled: tuple[type[Exception], ...] = (GatoError, *kinds)
    try:
        yield
    except handled as error:
        raise RecipeError(f"{key}: {error}") from error


@contextmanager
def naming_config(key: str) -> Iterator[None]:
    """Turns what a bad field of a `GatoConfig` raises into a RecipeError whose message begins with the key."""
    from huggingface_hub.errors import StrictDataclassError

    try:
        yield
    except StrictDataclassError as error:
        # The check of a strict dataclass comes wrapped: the cause says what is wrong.
        raise RecipeError(f"{key}: {error.__cause__ or error}") from error
    except (AttributeError, TypeError, ValueError) as error:  # AttributeError: torch has no such dtype
        raise RecipeError(f"{key}: {error}") from error
