# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Work in several processes, which end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any


def run_in_workers(
    function: Callable[[Any], Any], jobs: Sequence[Any], workers: int
) -> Generator[tuple[int, Any], None, None]:
    """Runs `function` on each job, in other processes, and yields the number and the result of each finished job.

    After an error or Ctrl-C no further job is begun. The error is raised when the running jobs are finished.

    Args:
        function: a module-level function; it and the jobs must be picklable.
        jobs: the arguments, one for each call.
        workers: the largest number of processes; 0 runs the jobs in this process, one after the other.
    """
    if not jobs:
        return
    if workers == 0:
        yield from enumerate(map(function, jobs))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), context, initializer=_end_with_parent) as executor:
        # A terminal sends Ctrl-C to all its processes. The workers start with it blocked: this process stops them.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            futures = {executor.submit(function, job): number for number, job in enumerate(jobs)}
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """Ends this worker when its parent ends. It would wait for work forever, or write beside a run that goes on."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a worker

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
