# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Progress of long work: a bar on a terminal, plain lines where the output goes to a file."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_LINES = 10  # lines printed in all, where the output is no terminal


class WorkProgress:
    """A context in which `advance(count, note)` shows how much of `total` is done, with a note such as the loss."""

    def __init__(self, console: Console, description: str, total: int):
        self._console = console
        self._description = description
        self._total = total
        self._done = self._done_before = 0
        self._note = ""
        self._bar: Progress | None = None

    def __enter__(self) -> WorkProgress:
        self._started = time.monotonic()
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=self._console,
            )
            self._row = self._bar.add_task(self._description, total=self._total, note="")
            self._bar.start()
        return self

    def skip(self, count: int) -> None:
        """Counts `count` of the total as done by an earlier run: it does not count for the speed."""
        self._done_before = count
        self._done = count
        if self._bar:
            self._bar.reset(self._row, completed=count)

    def advance(self, count: int, note: str | None = None) -> None:
        """Counts `count` more as done. A note replaces the last one; None keeps it."""
        lines_before = self._done * PLAIN_LINES // self._total
        self._done += count
        self._note = self._note if note is None else note
        if self._bar:
            self._bar.update(self._row, completed=self._done, note=self._note)
        elif self._done * PLAIN_LINES // self._total > lines_before:
            elapsed = time.monotonic() - self._started
            left = elapsed / max(1, self._done - self._done_before) * (self._total - self._done)
            note = f", {self._note}" if self._note else ""
            self._console.print(f"{self._description}: {self._done}/{self._total}{note}, {left:.0f} s left")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
