# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How an agent chooses its actions: what the caller says, else what the checkpoint says of the task."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

CONTINUOUS_ACTIONS = ("sample", "mode", "mean")
PAST_WINDOW = ("memory", "reread")


def acting_settings(agent: Mapping[str, Any] | None, task: str | None) -> dict[str, Any]:
    """
    Reads from `generation_config.agent` how a checkpoint acts in a task.

    Args:
        agent: `do_sample`, `temperature`, `continuous_actions`, `context_steps` and `past_window` of [`GatoAgent`],
            and `tasks`: the same by task, by suite (the part of a task's name before the slash), or by pattern. Where
            several keys fit, the longest counts.
        task: name of the task, such as "metaworld/reach"; None for a task that the checkpoint doesn't know.
    """
    settings = dict(agent or {})
    by_name = settings.pop("tasks", None) or {}
    for name in sorted(by_name, key=len) if task is not None else ():
        if task == name or task.startswith(f"{name}/") or fnmatchcase(task, name):
            settings |= by_name[name]
    return settings


@dataclass(frozen=True)
class ActingSettings:
    """
    The settings of a [`GatoAgent`]; see there what each means.

    Raises:
        ValueError: a setting has a value that it can't have.
    """

    do_sample: bool
    temperature: float
    continuous_actions: str
    context_steps: int | None
    past_window: str

    def __post_init__(self) -> None:
        if self.continuous_actions not in CONTINUOUS_ACTIONS:
            raise ValueError(
                f"`continuous_actions` must be one of {CONTINUOUS_ACTIONS}, got {self.continuous_actions!r}"
            )
        if self.temperature <= 0.0:
            raise ValueError(
                f"`temperature` must be above 0, got {self.temperature}; for the likeliest use do_sample=False"
            )
        if self.context_steps is not None and self.context_steps < 1:
            raise ValueError(f"`context_steps` must be at least 1, got {self.context_steps}")
        if self.past_window not in PAST_WINDOW:
            raise ValueError(f"`past_window` must be one of {PAST_WINDOW}, got {self.past_window!r}")

    @classmethod
    def resolve(cls, agent: Mapping[str, Any] | None, task: str | None, **given: Any) -> "ActingSettings":
        """
        Fills in what a caller leaves out.

        Args:
            agent, task: see [`acting_settings`].
            given: the settings by name; None for those that the caller leaves out.
        """
        settings = acting_settings(agent, task)
        if given["do_sample"] is not None:  # goes before all that the checkpoint says of sampling
            settings.pop("continuous_actions", None)
        settings |= {name: value for name, value in given.items() if value is not None}
        do_sample = settings.get("do_sample", True)
        return cls(
            do_sample=do_sample,
            temperature=settings.get("temperature", 1.0),
            continuous_actions=settings.get("continuous_actions", "sample" if do_sample else "mode"),
            context_steps=settings.get("context_steps"),
            past_window=settings.get("past_window", "memory"),
        )


__all__ = ["ActingSettings", "acting_settings"]
