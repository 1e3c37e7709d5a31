# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Callbacks of a training: progress on the terminal, the log, and signals that leave a checkpoint."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..system.files import write_text
from ..system.progress import WorkProgress
from .log import read_log

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingProgress(TrainerCallback):
    """Shows steps, loss and the time that is left: a bar on a terminal, plain lines elsewhere.

    Use it with `TrainingArguments(disable_tqdm=True)` and `trainer.remove_callback(PrinterCallback)`.
    """

    def __init__(self, console: Console):
        self._console = console
        self._note: str | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._progress = WorkProgress(self._console, "training", state.max_steps).__enter__()
        self._progress.skip(state.global_step)
        self._shown_step = state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs and "loss" in logs:
            self._note = f"loss {float(logs['loss']):.3f}"
            if "tokens_per_second" in logs:
                self._note += f", {logs['tokens_per_second']:.0f} tokens/s, waiting {logs['waiting_share']:.1%}"

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._progress.advance(state.global_step - self._shown_step, self._note)
        self._shown_step = state.global_step

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._progress.__exit__(None, None, None)


class TrainingLog(TrainerCallback):
    """Appends what is logged to a file, one JSON object per line.

    When a run is resumed, the entries of steps that it does again are removed.
    """

    def __init__(self, path: Path):
        self._path = path

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.is_world_process_zero:
            kept = [entry for entry in read_log(self._path) if entry["step"] <= state.global_step]
            write_text(self._path, "".join(json.dumps(entry) + "\n" for entry in kept))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if state.is_world_process_zero and logs and "train_runtime" not in logs:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **logs}) + "\n")


class CheckpointOnSignal(TrainerCallback):
    """Ends the training with a checkpoint when Ctrl-C or SIGTERM comes, after the current step.

    A second Ctrl-C ends it at once. A signal that reaches one process of several ends all of them after the same
    step. Signals reach the main thread only: train there.

    Attributes:
        received: The signal that ended the training; None where none did.
    """

    def __init__(self, console: Console):
        self._console = console
        self._requested: int = 0
        self.received: signal.Signals | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._previous = {number: signal.signal(number, self._request) for number in _SIGNALS}

    def _request(self, number: int, frame: Any) -> None:
        if not self._requested:
            self._console.print("Saving a checkpoint after this step. Press Ctrl-C again to stop at once.")
        self._requested = self._requested or number
        signal.signal(signal.SIGINT, self._previous[signal.SIGINT])

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        requested = self._requested
        if args.world_size > 1:
            flag = torch.tensor(requested, device=args.device)
            torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
            requested = int(flag)
        if requested and state.global_step < state.max_steps:
            self.received = signal.Signals(requested)
            control.should_save = args.save_strategy != "no"
            control.should_training_stop = True

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
