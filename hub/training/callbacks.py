# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a person sees of a training run, its log, and signals that leave a checkpoint."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..system.files import replacing, write_text
from ..system.progress import WorkProgress

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingProgress(TrainerCallback):
    """Shows steps, loss and time left: a bar on a terminal, plain lines elsewhere.

    Use it with `TrainingArguments(disable_tqdm=True)` and `trainer.remove_callback(PrinterCallback)`.
    """

    def __init__(self, console: Console):
        self._console = console
        self._note: str | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self._progress = WorkProgress(self._console, "training", state.max_steps).__enter__()
        self._progress.skip(state.global_step)
        self._shown_step = state.global_step

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs=None, **kwargs):
        if logs and "loss" in logs:
            self._note = f"loss {float(logs['loss']):.3f}"
            if "tokens_per_second" in logs:
                self._note += f", {logs['tokens_per_second']:.0f} tokens/s, waiting {logs['waiting_share']:.1%}"

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self._progress.advance(state.global_step - self._shown_step, self._note)
        self._shown_step = state.global_step

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self._progress.__exit__(None, None, None)


class TrainingLog(TrainerCallback):
    """Appends what is logged to a file, one JSON object a line, and forgets what a resumed run does again."""

    def __init__(self, path: Path):
        self._path = path

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        if state.is_world_process_zero:
            kept = [entry for entry in read_log(self._path) if entry["step"] <= state.global_step]
            write_text(self._path, "".join(json.dumps(entry) + "\n" for entry in kept))

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs=None, **kwargs):
        if state.is_world_process_zero and logs and "train_runtime" not in logs:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **logs}) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The entries of a log; the last line may be cut off where the run was killed."""
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    return entries


def hours_of(entries: Iterable[dict[str, Any]], tokens_a_step: int) -> float:
    """Hours of training that a log tells of, without its pauses."""
    seconds, before = 0.0, 0
    for entry in entries:
        if speed := entry.get("tokens_per_second"):
            seconds += (entry["step"] - before) * tokens_a_step / speed
            before = entry["step"]
    return seconds / 3600


class CheckpointOnSignal(TrainerCallback):
    """Ctrl-C and SIGTERM end the training after the step at work, with a checkpoint. A second Ctrl-C ends it at once.

    A signal that reaches one process of several ends all of them after the same step. `received` tells afterwards
    which signal ended the training. Signals reach the main thread only: train there.
    """

    def __init__(self, console: Console):
        self._console = console
        self._requested: int = 0
        self.received: signal.Signals | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self._previous = {number: signal.signal(number, self._request) for number in _SIGNALS}

    def _request(self, number, frame):
        if not self._requested:
            self._console.print("Saving a checkpoint after this step. Press Ctrl-C again to stop at once.")
        self._requested = self._requested or number
        signal.signal(signal.SIGINT, self._previous[signal.SIGINT])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        requested = self._requested
        if args.world_size > 1:
            flag = torch.tensor(requested, device=args.device)
            torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
            requested = int(flag)
        if requested and state.global_step < state.max_steps:
            self.received = signal.Signals(requested)
            control.should_save = args.save_strategy != "no"
            control.should_training_stop = True

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def draw_learning_curve(path: str | os.PathLike, entries: list[dict[str, Any]]) -> None:
    """Writes a picture of the loss of each kind of label, and of the scores of rollouts, over the steps.

    Args:
        entries: of `read_log`.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    from .mixture import LABEL_KINDS

    losses = {"all labels": [(entry["step"], entry["loss"]) for entry in entries if "loss" in entry]}
    for kind in LABEL_KINDS:
        key = f"loss/{kind}"
        losses[kind.replace("_", " ")] = [(entry["step"], entry[key]) for entry in entries if key in entry]
    losses = {name: points for name, points in losses.items() if points}
    if len(losses) == 2:  # all labels are of one kind
        losses = dict(list(losses.items())[1:])
    scores = {
        key.removeprefix("score/"): [(entry["step"], entry[key]) for entry in entries if key in entry]
        for key in sorted({key for entry in entries for key in entry if key.startswith("score/")})
    }
    figure = Figure(figsize=(6, 7 if scores else 4), layout="constrained")
    axes = figure.subplots(2 if scores else 1, squeeze=False)[:, 0]
    for name, points in losses.items():
        axes[0].plot(*zip(*points, strict=True), marker="." if len(points) < 20 else None, label=name)
    axes[0].set_ylabel("cross-entropy of a label, nats")
    # An untrained model's loss is many times what is left of it after a few steps.
    axes[0].set_yscale("log")
    axes[0].yaxis.set_major_formatter(ScalarFormatter())
    axes[0].yaxis.set_minor_formatter(ScalarFormatter())
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
