# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Reading recipes from YAML files and the command line, and writing them.

The key `extends` of a file names another recipe, a file or one that ships with the package. Its values hold where the
file has none: mappings are merged, lists are replaced whole.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from .errors import RecipeError, naming_config
from .schema import Recipe

RECIPES = Path(__file__).parent


def load_recipe(name: str | os.PathLike[str], overrides: Iterable[str] = ()) -> Recipe:
    """Reads and checks a recipe.

    Args:
        name: A path, or the name of a recipe that ships with the package.
        overrides: Changes of the form `KEY=VALUE`. The key is dotted, as in `optimization.steps=100` or
            `data.0.weight=2`; the value is YAML.

    Raises:
        RecipeError: There is no such file, it is no YAML, or some keys or values are wrong. All of them are named.
    """
    path = recipe_path(name)
    values = _read(path)
    for override in overrides:
        _override(values, override)
    return check_recipe(values, str(path))


def check_recipe(values: Mapping[str, Any], source: str = "the recipe") -> Recipe:
    """Makes a recipe of plain values, as YAML has them.

    Args:
        values: The keys of the recipe.
        source: Where they come from, for the error message.

    Raises:
        RecipeError: Some keys or values are wrong. All of them are named.
    """
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_problem(details) for details in error.errors())
        raise RecipeError(f"{source}: {problems}") from None
    if recipe.model.size is not None:
        from modeling_gato import GatoConfig

        with naming_config(f"{source}: model.config"):
            getattr(GatoConfig, recipe.model.size)(**recipe.model.config)
    return recipe


def as_yaml(recipe: Recipe) -> str:
    """Returns the whole recipe as YAML, defaults included. Reading it gives the same recipe."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    for data, section in zip(values["data"], recipe.data, strict=True):
        for key in ("episodes", "noise") if section.path else ("split",):
            data.pop(key)
    return yaml.safe_dump(values, sort_keys=False)


def recipe_path(name: str | os.PathLike[str]) -> Path:
    """Returns the file of a recipe.

    Args:
        name: A path, or the name of a recipe that ships with the package.

    Raises:
        RecipeError: There is no such recipe.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = RECIPES / f"{name}.yaml"
    if path.parent == Path() and shipped.is_file():
        return shipped
    names = ", ".join(sorted(path.stem for path in RECIPES.glob("*.yaml")))
    raise RecipeError(f"there is no file {name}, and no recipe of that name; there are {names}")


# ---------------------------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------------------------


def _read(path: Path, *readers: Path) -> dict[str, Any]:
    """Reads a file, and the recipes that it extends. `readers` are the files that extend this one."""
    if path in readers:
        raise RecipeError(f"{path}: extends: the recipe extends itself")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is no YAML: {error}") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must hold a mapping of keys, got {type(values).__name__}")
    extended = values.pop("extends", None)
    if extended is None:
        return values
    beside = path.parent / str(extended)
    return _merged(_read(beside if beside.is_file() else recipe_path(str(extended)), path, *readers), values)


def _merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Merges mappings key by key, and replaces all else."""
    merged = dict(values)
    for key, change in changes.items():
        old = values.get(key)
        merged[key] = _merged(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return merged


# ---------------------------------------------------------------------------------------------------------------
# Overrides
# ---------------------------------------------------------------------------------------------------------------


def _override(values: dict[str, Any], override: str) -> None:
    """Sets one `KEY=VALUE` in the values of a recipe."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"{override!r} must have the form KEY=VALUE, as in optimization.steps=100")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"{key}: {text!r} is no YAML: {error}") from error
    *folders, last = key.split(".")
    place: Any = values
    for part in folders:
        place = _entered(place, part, key)
    if isinstance(place, list):
        place[_number(place, last, key)] = value
    else:
        place[last] = value


def _entered(place: Any, part: str, key: str) -> Any:
    """Returns the mapping or list under one part of a dotted key, and makes a mapping that is not there."""
    if isinstance(place, list):
        inner = place[_number(place, part, key)]
    else:
        if place.get(part) is None:
            place[part] = {}
        inner = place[part]
    if not isinstance(inner, dict | list):
        raise RecipeError(f"{key}: {part} holds no other keys")
    return inner


def _number(place: list[Any], part: str, key: str) -> int:
    """Returns the part of a dotted key that is a place in a list."""
    if not part.isdecimal() or int(part) >= len(place):
        raise RecipeError(f"{key}: {part} must be a number below {len(place)}")
    return int(part)


# ---------------------------------------------------------------------------------------------------------------
# Messages
# ---------------------------------------------------------------------------------------------------------------


def _problem(details: Mapping[str, Any]) -> str:
    """Says what one error of pydantic is, beginning with the dotted key."""
    key = ".".join(map(str, details["loc"])) or "the recipe"
    if details["type"] == "extra_forbidden":
        message = _unknown_key(details["loc"])
    else:
        message = details["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
    given = "" if details["type"] in ("missing", "value_error") else f", got {details['input']!r}"
    return f"{key}: {message}{given}"


def _unknown_key(location: tuple[int | str, ...]) -> str:
    """Says which keys there are where an unknown one was given."""
    section: Any = Recipe
    for part in location[:-1]:
        # The key of a mapping, such as a task, is no field.
        if part in getattr(section, "model_fields", ()):
            section = _section_of(section.model_fields[part].annotation)
    keys = list(getattr(section, "model_fields", ()))
    close = difflib.get_close_matches(str(location[-1]), keys, n=1)
    return "there is no such key" + (f"; did you mean {close[0]}?" if close else f"; there are {', '.join(keys)}")


def _section_of(annotation: Any) -> Any:
    """Returns the section inside an annotation such as `list[Section]` or `Section | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _section_of(part))), None)
