# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The first stage of a training: a recipe whose keys are all checked, before any work is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..recipes.errors import naming_key
from ..recipes.schema import Recipe
from ..suites import find_task, matching_task_ids
from ..system.packages import require_packages
from .data import DataPart, resolve_data
from .model import check_model, make_acting, make_config, make_processor

if TYPE_CHECKING:
    from modeling_gato import GatoConfig
    from tokenization_gato import GatoProcessor


@dataclass(frozen=True)
class Plan:
    """A recipe, and all that is made of it before there are data and weights.

    Attributes:
        recipe: The recipe.
        data: Its tasks and paths.
        processor: The processor of the model.
        config: The configuration of the model.
        acting: The settings of acting that the checkpoint gets.
    """

    recipe: Recipe
    data: tuple[DataPart, ...]
    processor: GatoProcessor
    config: GatoConfig
    acting: dict[str, Any]


def resolve(recipe: Recipe) -> Plan:
    """Checks every key of a recipe.

    Raises:
        RecipeError: A key is wrong; the message names it.
        MissingPackageError: A package that the recipe needs is not installed.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    check_packages(recipe)
    _check_trackers(recipe)
    _check_evaluation(recipe)
    processor = make_processor(recipe)
    config = make_config(recipe, processor)
    check_model(recipe, config)
    return Plan(recipe, resolve_data(recipe), processor, config, make_acting(recipe))


def check_packages(recipe: Recipe) -> None:
    """Checks that the optional packages which the recipe needs are installed.

    Raises:
        MissingPackageError: One is not; the message has the command that installs it.
    """
    if recipe.lora:
        require_packages("The key lora of the recipe", ["peft"], extra="lora")
    for tracker in recipe.logging.report_to:
        if tracker in ("tensorboard", "trackio"):
            require_packages("The key logging.report_to of the recipe", [tracker], extra=tracker)


def _check_trackers(recipe: Recipe) -> None:
    from transformers.integrations import get_reporting_integration_callbacks

    with naming_key("logging.report_to", ValueError):
        get_reporting_integration_callbacks(recipe.logging.report_to)


def _check_evaluation(recipe: Recipe) -> None:
    with naming_key("evaluation.tasks"):
        for task_id in matching_task_ids(recipe.evaluation.tasks):
            find_task(task_id)
