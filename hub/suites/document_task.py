# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a suite of documents says of each of its tasks: captions, questions about pictures, and plain text.

One row is one document, with the columns `text` and `images` that `GatoProcessor.encode_document` takes. Captions and
questions say apart from each other what a model is given and what it is to answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ..system.packages import require_packages

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, kw_only=True)
class DocumentTask:
    """A task of documents: where they come from, under which licence, and how answers to them are scored.

    Attributes:
        id: `suite/task-name`.
        extra: the extra of this distribution that installs what the documents come from; "" where nothing is needed.
        packages: the distributions that the documents come from; data record their versions.
        license: of the documents: an SPDX expression, or words where there is none.
        source: where the documents come from.
        score: "exact match" of the `answer` or `caption`, "bits a byte" of the text.
        make_row: `make_row(split, index)` gives the fields of one row but for `task`, `split` and `index`.
        count_rows: `count_rows(split)`, or None where a row is drawn from its index, so that they have no end.
    """

    id: str
    extra: str
    packages: tuple[str, ...]
    license: str
    source: str
    score: Literal["exact match", "bits a byte"]
    make_row: Callable[[Split, int], dict[str, Any]]
    count_rows: Callable[[Split], int | None] | None = None

    def check_installed(self) -> None:
        """Raises ImportError, naming the command that helps, where a package of this task is missing."""
        require_packages(f"The task {self.id!r}", self.packages, self.extra)

    def num_rows(self, split: Split) -> int | None:
        """Rows of a split; None where they have no end."""
        if split not in SPLITS:
            raise ValueError(f"split must be one of {SPLITS}, not {split!r}")
        return None if self.count_rows is None else self.count_rows(split)

    def rows(self, split: Split, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
        """The rows `start`, ..., `stop - 1` of a split; the same rows at every call.

        Args:
            stop: one past the last row; None is the end of the split.

        Returns:
            Rows with
                task, split, index: which row it is.
                text: the whole document; images, if there are any, come before it.
                images: list of (height, width, 3) uint8 arrays.
                question, answer: of a question; the text is `f"{question} {answer}"`.
                caption: of a picture; the text is the caption.

        Raises:
            ValueError: there is no such split or there are no such rows.
            ImportError: a package of this task is not installed.
        """
        self.check_installed()
        num_rows = self.num_rows(split)
        if stop is None:
            if num_rows is None:
                raise ValueError(f"the rows of {self.id!r} have no end: say with `stop` how many to give")
            stop = num_rows
        if not 0 <= start <= stop or (num_rows is not None and stop > num_rows):
            has = "has no end of rows" if num_rows is None else f"has {num_rows} rows"
            raise ValueError(f"rows {start} to {stop} of {self.id!r} were asked for; its split {split!r} {has}")
        return self._rows(split, start, stop)

    def _rows(self, split: Split, start: int, stop: int) -> Iterator[dict[str, Any]]:
        for index in range(start, stop):
            yield {"task": self.id, "split": split, "index": index, **self.make_row(split, index)}


def expected_answer(row: dict[str, Any]) -> str:
    """What a model is to answer to the row of a task whose score is "exact match"."""
    return row["answer"] if "answer" in row else row["caption"]


def baseline_score(task: DocumentTask, num_rows: int = 1000) -> float:
    """The score on the first test rows of what can be said without looking at the document.

    For "exact match" that is the commonest answer of as many training rows, a share of [0, 1]; for "bits a byte" the
    frequencies of single bytes in them, each byte counted once more than it occurs.
    """
    train, test = (list(task.rows(split, 0, min(num_rows, task.num_rows(split) or num_rows))) for split in SPLITS)
    if task.score == "exact match":
        commonest, _ = Counter(map(expected_answer, train)).most_common(1)[0]
        return float(np.mean([expected_answer(row) == commonest for row in test]))
    train_counts, test_counts = (
        np.bincount(np.frombuffer("".join(row["text"] for row in rows).encode(), np.uint8), minlength=256)
        for rows in (train, test)
    )
    bits = -np.log2((train_counts + 1) / (train_counts + 1).sum())
    return float(test_counts @ bits / test_counts.sum())
