# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The log of a training, log.jsonl, and the learning curve drawn from it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..system.files import replacing


def read_log(path: Path) -> list[dict[str, Any]]:
    """Reads the entries of a log. A last line that was cut off when the run was killed is left out."""
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return entries


def hours_of(entries: Iterable[Mapping[str, Any]], tokens_per_step: int) -> float:
    """Returns the hours of training that a log shows, without the pauses between interruptions.

    Args:
        entries: The entries of the log.
        tokens_per_step: The tokens of the batch of one step.
    """
    seconds, before = 0.0, 0
    for entry in entries:
        if speed := entry.get("tokens_per_second"):
            seconds += (entry["step"] - before) * tokens_per_step / speed
            before = entry["step"]
    return seconds / 3600


def draw_learning_curve(path: str | os.PathLike[str], entries: Sequence[Mapping[str, Any]]) -> None:
    """Draws the loss of each kind of label, and the scores of rollouts, over the steps.

    Args:
        path: The PNG file to write.
        entries: The entries of the log.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    losses, scores = _loss_curves(entries), _score_curves(entries)
    figure = Figure(figsize=(6, 7 if scores else 4), layout="constrained")
    axes = figure.subplots(2 if scores else 1, squeeze=False)[:, 0]
    for name, points in losses.items():
        axes[0].plot(*zip(*points, strict=True), marker="." if len(points) < 20 else None, label=name)
    axes[0].set_ylabel("cross-entropy of a label, nats")
    # The loss of an untrained model is many times that after a few steps.
    axes[0].set_yscale("log")
    axes[0].yaxis.set_major_formatter(ScalarFormatter())
    axes[0].yaxis.set_minor_formatter(ScalarFormatter())
    if losses:  # none where the training ended before the first was logged
        axes[0].legend(fontsize="small")
    if scores:
        for name, points in scores.items():
            axes[1].plot(*zip(*points, strict=True), marker=".", label=name)
        axes[1].set_ylabel("score: 0 random, 1 expert")
        if len(scores) <= 10:
            axes[1].legend(fontsize="small")
    for one in axes:
        one.set_xlabel("step")
        one.grid(alpha=0.3, which="both")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


Curve = list[tuple[int, float]]


def _curve(entries: Sequence[Mapping[str, Any]], key: str) -> Curve:
    return [(entry["step"], entry[key]) for entry in entries if key in entry]


def _loss_curves(entries: Sequence[Mapping[str, Any]]) -> dict[str, Curve]:
    """Returns the loss of all labels and of each kind of them; of one where all labels are of one kind."""
    from .mixture import LABEL_KINDS

    curves = {"all labels": _curve(entries, "loss")}
    curves |= {kind.replace("_", " "): _curve(entries, f"loss/{kind}") for kind in LABEL_KINDS}
    curves = {name: points for name, points in curves.items() if points}
    return dict(list(curves.items())[1:]) if len(curves) == 2 else curves


def _score_curves(entries: Sequence[Mapping[str, Any]]) -> dict[str, Curve]:
    """Returns the scores of each task."""
    keys = sorted({key for entry in entries for key in entry if key.startswith("score/")})
    return {key.removeprefix("score/"): _curve(entries, key) for key in keys}
