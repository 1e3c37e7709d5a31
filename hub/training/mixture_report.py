# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What the mixture of a recipe is made of: the shares of tokens and labels of each task, measured in drawn windows."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console

from ..recipes.schema import Recipe
from .data import build_mixture, collect_demonstrations
from .mixture import Mixture
from .plan import resolve


def show_mixture(
    recipe: Recipe,
    data_folder: str | os.PathLike[str],
    num_windows: int,
    *,
    workers: int = 2,
    console: Console | None = None,
) -> dict[str, Any]:
    """Draws windows as the training would, and measures what they are made of.

    Args:
        recipe: The recipe.
        data_folder: The folder of the demonstrations. Those that are missing are collected.
        num_windows: The number of windows to draw.
        workers: The number of processes that collect demonstrations.
        console: Shows the progress.

    Returns:
        See `measure_mixture`.

    Raises:
        RecipeError: A key of the recipe is wrong; the message names it.
    """
    plan, folder = resolve(recipe), Path(data_folder)
    collect_demonstrations(plan.data, folder, workers, console or Console(highlight=False))
    return measure_mixture(build_mixture(recipe, plan.data, plan.processor, plan.acting, folder), num_windows)


def measure_mixture(mixture: Mixture, num_windows: int) -> dict[str, Any]:
    """Measures what a mixture is made of.

    Returns:
        A dictionary of "windows" and "rows" (their numbers), "full" (the share of positions that hold a token),
        "prompted" (the share of windows of episodes that begin with a prompt), "from_end" (the share of prompts that
        are the end of an episode), and "tasks": the weight, the number of windows, and the shares of tokens and of
        labels of each task.
    """
    counts: Counter[str] = Counter()
    windows, tokens, labels = Counter[str](), Counter[str](), Counter[str]()
    while windows.total() < num_windows and counts["rows"] < len(mixture):
        row = mixture[counts["rows"]]
        counts["rows"] += 1
        name = mixture.parts[row.part].name
        labels[name] += int((mixture.collate([row])["labels"] != -100).sum())
        for window in row.windows:
            windows[name] += 1
            tokens[name] += len(window)
            if len(window.sequence.step_starts):
                counts["of episodes"] += 1
                counts["prompted"] += window.prompt is not None
                counts["from end"] += window.prompt == "end"
    weights: dict[str, float] = {}
    total_weight = sum(part.weight for part in mixture.parts)
    for part in mixture.parts:
        weights[part.name] = weights.get(part.name, 0.0) + part.weight / total_weight
    return {
        "windows": windows.total(),
        "rows": counts["rows"],
        "full": tokens.total() / (counts["rows"] * mixture.length),
        "prompted": counts["prompted"] / max(1, counts["of episodes"]),
        "from_end": counts["from end"] / max(1, counts["prompted"]),
        "tasks": {
            name: {
                "weight": weight,
                "windows": windows[name],
                "token_share": tokens[name] / tokens.total(),
                "label_share": labels[name] / max(1, labels.total()),
            }
            for name, weight in weights.items()
        },
    }
