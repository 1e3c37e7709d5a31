# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The data of a recipe: its tasks and paths, the demonstrations that are missing, and the mixture of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ..data.collect import collect, learner_digest, seeds_of
from ..data.files import parquet_files
from ..data.source import EpisodeSource
from ..recipes.errors import RecipeError, naming_key
from ..recipes.schema import DataSection, Recipe
from ..suites import BaseTask, Task, find_task, matching_task_ids
from ..system.progress import WorkProgress
from .mixture import Mixture, MixturePart

if TYPE_CHECKING:
    import gymnasium

    from tokenization_gato import GatoProcessor

# The observation and the action space of episodes. They decide how numbers become tokens.
Spaces = tuple["gymnasium.Space | None", "gymnasium.Space | None"]


@dataclass(frozen=True)
class DataPart:
    """One task or path of a recipe, checked.

    Attributes:
        key: The key of the recipe that names it, for error messages.
        name: The name under which its loss is logged.
        weight: Its share of the tokens, relative to the other weights.
        section: The section of the recipe that it is of.
        task: The task; None for a path that names none.
        spaces: The spaces of its episodes; (None, None) where they are not known.
        source: The rows of a path; None for a task, whose demonstrations are collected first.
        episodes: The number of demonstrations to collect; 0 for a path.
        learner_digest: The digest of the weights of the learner; None without a learner.
    """

    key: str
    name: str
    weight: float
    section: DataSection
    task: BaseTask | None
    spaces: Spaces
    source: EpisodeSource | None = None
    episodes: int = 0
    learner_digest: str | None = None

    @property
    def noise(self) -> float:
        """The noise of the executed actions. Documents have none."""
        return self.section.noise if isinstance(self.task, Task) else 0.0

    def folder(self, demonstrations: Path) -> Path:
        """Returns the folder of its demonstrations: those with noise and those of a learner have their own."""
        if self.learner_digest:
            name, max_steps = f"learner-{self.learner_digest[:12]}", self.section.max_steps
            return demonstrations / (f"{name}-{max_steps}-steps" if max_steps else name)
        return demonstrations / f"noise-{self.noise:g}" if self.noise else demonstrations


# ---------------------------------------------------------------------------------------------------------------
# Resolving
# ---------------------------------------------------------------------------------------------------------------


def resolve_data(recipe: Recipe) -> tuple[DataPart, ...]:
    """Finds and checks all tasks and paths of a recipe.

    Raises:
        RecipeError: A task, path, learner or environment does not exist or can't be used.
    """
    known_spaces: dict[str, Spaces] = {}  # the same task may be there with and without noise
    parts: list[DataPart] = []
    for number, section in enumerate(recipe.data):
        if section.path is None:
            parts += _task_parts(f"data.{number}", section, known_spaces)
        else:
            parts.append(_path_part(f"data.{number}.path", section, section.path, known_spaces))
    return tuple(parts)


def _task_parts(section_key: str, section: DataSection, known_spaces: dict[str, Spaces]) -> list[DataPart]:
    key = f"{section_key}.tasks"
    with naming_key(key):
        tasks = [find_task(task_id) for task_id in matching_task_ids(section.tasks or ())]
    without = [task.id for task in tasks if isinstance(task, Task) and task.make_expert is None]
    if without:
        raise RecipeError(f"{key}: these have no expert whose episodes could be made: {', '.join(without)}")
    digest = None
    if section.learner:
        with naming_key(f"{section_key}.learner"):
            digest = learner_digest(section.learner, tasks)
    parts = []
    for task in tasks:
        with naming_key(key):
            episodes = len(seeds_of(task, section.episodes, section.first_seed))
        parts.append(
            DataPart(
                key=key,
                name=task.id,
                weight=section.weight / len(tasks),
                section=section,
                task=task,
                spaces=_spaces_of(task, known_spaces),
                episodes=episodes,
                learner_digest=digest,
            )
        )
    return parts


def _path_part(key: str, section: DataSection, path: str, known_spaces: dict[str, Spaces]) -> DataPart:
    with naming_key(key):
        files = parquet_files(path, section.name, section.split, section.revision)
        task = find_task(section.task) if section.task else None
    if section.environment:
        spaces = _spaces_of_environment(key, section.environment, known_spaces)
    else:
        spaces = _spaces_of(task, known_spaces)
    with naming_key(key):
        source = EpisodeSource(files, streaming=section.streaming, max_steps=section.max_steps)
    name = section.task or "/".join(part for part in (path.strip("/."), section.name) if part)
    return DataPart(
        key=key, name=name, weight=section.weight, section=section, task=task, spaces=spaces, source=source
    )


def _spaces_of(task: BaseTask | None, known_spaces: dict[str, Spaces]) -> Spaces:
    if not isinstance(task, Task):
        return None, None
    if task.id not in known_spaces:
        known_spaces[task.id] = _closed(task.make_environment())
    return known_spaces[task.id]


def _spaces_of_environment(key: str, environment_id: str, known_spaces: dict[str, Spaces]) -> Spaces:
    import gymnasium

    if environment_id not in known_spaces:
        with naming_key(f"{key}: environment", gymnasium.error.Error, ImportError):
            environment = gymnasium.make(environment_id)
        known_spaces[environment_id] = _closed(environment)
    return known_spaces[environment_id]


def _closed(environment: gymnasium.Env) -> Spaces:
    environment.close()
    return environment.observation_space, environment.action_space


# ---------------------------------------------------------------------------------------------------------------
# Collecting
# ---------------------------------------------------------------------------------------------------------------


def collect_demonstrations(parts: Sequence[DataPart], folder: Path, workers: int, console: Console) -> None:
    """Collects the demonstrations that are not in the folder yet.

    Args:
        parts: The data of a recipe.
        folder: The folder of all demonstrations.
        workers: The number of processes; 0 works in this one.
        console: Shows the progress.

    Raises:
        RecipeError: The folder holds other demonstrations, or no episode of a task is good enough.
    """
    missing = [part for part in parts if part.source is None]
    if not missing:
        return
    # Tasks with the same settings are collected together: processes take longer to start than one task takes.
    groups: dict[tuple[str, float], list[DataPart]] = {}
    for part in missing:
        groups.setdefault((part.key, part.noise), []).append(part)
    with WorkProgress(console, "demonstrations", sum(part.episodes for part in missing)) as progress:
        for group in groups.values():
            _collect(group, folder, workers, console, progress)


def _collect(group: Sequence[DataPart], folder: Path, workers: int, console: Console, progress: WorkProgress) -> None:
    """Collects the demonstrations of tasks with the same settings."""
    first, settings = group[0], group[0].section
    with naming_key(first.key):
        collections = collect(
            [part.task for part in group if part.task],
            first.folder(folder),
            settings.episodes,
            first_seed=settings.first_seed,
            workers=workers,
            noise=first.noise,
            learner=settings.learner,
            max_steps=settings.max_steps if settings.learner else None,
            progress=lambda _, count: progress.advance(count),
        )
    for name, collected in collections.items():
        for reason, number in collected.dropped.items():
            console.print(f"{name}: dropped {number} episodes: {reason}")
        if not collected.kept:
            raise RecipeError(f"{first.key}: none of the {settings.episodes} episodes of {name} is good enough")


# ---------------------------------------------------------------------------------------------------------------
# Mixing
# ---------------------------------------------------------------------------------------------------------------


def build_mixture(
    recipe: Recipe, parts: Sequence[DataPart], processor: GatoProcessor, acting: dict[str, Any], folder: Path
) -> Mixture:
    """Mixes the data of a recipe, all of which is there now, into rows of training.

    Args:
        recipe: The recipe.
        parts: Its data.
        processor: Encodes the rows.
        acting: The settings of acting, whose `context_steps` the windows have, too.
        folder: The folder of all demonstrations.

    Raises:
        RecipeError: There are no demonstrations of a task, or rows that can't be encoded.
    """
    from modeling_gato.generation_gato import acting_settings

    mixed = []
    for part in parts:
        with naming_key(part.key):
            source = part.source or _demonstrations(part, folder)
        context_steps = acting_settings(acting, part.task.id if part.task else None).get("context_steps")
        label_weight = part.section.label_weight
        mixed.append(MixturePart(part.name, source, part.weight, *part.spaces, context_steps, label_weight))
    with naming_key("data"):
        return Mixture(
            mixed,
            processor,
            recipe.sequence.length,
            recipe.optimization.steps * recipe.optimization.batch_size,
            recipe.seed,
            recipe.sequence.prompt_probability,
            recipe.sequence.prompt_end_probability,
            recipe.sequence.loss_on_observation_text,
        )


def _demonstrations(part: DataPart, folder: Path) -> EpisodeSource:
    files = parquet_files(str(part.folder(folder) / part.name))
    return EpisodeSource(files, streaming=part.section.streaming, max_steps=part.section.max_steps)
