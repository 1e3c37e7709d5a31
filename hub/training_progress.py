# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a person sees of a training run, and Ctrl-C that leaves a checkpoint."""

from __future__ import annotations

import signal

from rich.console import Console
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .progress import WorkProgress


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

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self._progress.advance(state.global_step - self._shown_step, self._note)
        self._shown_step = state.global_step

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self._progress.__exit__(None, None, None)


class CheckpointOnInterrupt(TrainerCallback):
    """Ctrl-C ends the training after the step at work, with a checkpoint. A second one ends it at once.

    `interrupted` tells afterwards whether the training was ended so. Signals reach the main thread only: train there.
    """

    def __init__(self, console: Console):
        self._console = console
        self._requested = False
        self.interrupted = False

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        self._previous_handler = signal.signal(signal.SIGINT, self._request)

    def _request(self, signal_number, frame):
        self._requested = True
        signal.signal(signal.SIGINT, self._previous_handler)
        self._console.print("Saving a checkpoint after this step. Press Ctrl-C again to stop at once.")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        if self._requested and state.global_step < state.max_steps:
            self.interrupted = True
            control.should_save = True
            control.should_training_stop = True

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs):
        signal.signal(signal.SIGINT, self._previous_handler)
