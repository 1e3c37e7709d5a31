# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Tasks made of documents: captions, questions about pictures, and plain text.

One row is one document, with the columns `text` and `images` that `GatoProcessor.encode_document` takes. Rows of
captions and questions also hold the expected answer in a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..system.errors import GatoError
from .task import BaseTask

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, kw_only=True)
class DocumentTask(BaseTask):
    """A task made of documents: where they come from, their license, and how answers are scored.

    Attributes:
        license: License of the documents: an SPDX expression, or words if there is none.
        source: Where the documents come from.
        score: "exact match" of the `answer` or `caption`, or "bits a byte" of the text.
        make_row: `make_row(split, index)` returns the fields of one row, without `task`, `split` and `index`.
        count_rows: `count_rows(split)` returns the number of rows, or None if the split has no end; None if no split
            has an end, because each row is drawn from its index.
    """

    license: str
    source: str
    score: Literal["exact match", "bits a byte"]
    make_row: Callable[[Split, int], dict[str, Any]]
    count_rows: Callable[[Split], int | None] | None = None

    def num_rows(self, split: Split) -> int | None:
        """Returns the number of rows of a split; None if it has no end.

        Raises:
            GatoError: There is no such split.
        """
        if split not in SPLITS:
            raise GatoError(f"split must be one of {SPLITS}, not {split!r}")
        return None if self.count_rows is None else self.count_rows(split)

    def rows(self, split: Split, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
        """Returns the rows `start`, ..., `stop - 1` of a split, the same at every call.

        Args:
            split: "train" or "test".
            start: Index of the first row.
            stop: One past the last row; None for the end of the split.

        Returns:
            An iterator of rows with these fields:
                task, split, index: Which row it is.
                text: The whole document. Its images, if any, come before the text.
                images: A list of (height, width, 3) uint8 arrays.
                question, answer: Only in rows of a question, whose text is `f"{question} {answer}"`.
                caption: Only in rows of a caption, whose text is the caption.

        Raises:
            GatoError: There is no such split, or it lacks some of these rows.
            MissingPackageError: A package of this task is not installed.
        """
        self.check_installed()
        num_rows = self.num_rows(split)
        if stop is None:
            if num_rows is None:
                raise GatoError(f"the rows of {self.id!r} have no end: pass `stop`")
            stop = num_rows
        if not 0 <= start <= stop or (num_rows is not None and stop > num_rows):
            has = "has no end of rows" if num_rows is None else f"has {num_rows} rows"
            raise GatoError(f"rows {start} to {stop} of {self.id!r} were asked for; its split {split!r} {has}")
        return self._rows(split, start, stop)

    def _rows(self, split: Split, start: int, stop: int) -> Iterator[dict[str, Any]]:
        for index in range(start, stop):
            yield {"task": self.id, "split": split, "index": index, **self.make_row(split, index)}


def expected_answer(row: dict[str, Any]) -> str:
    """Returns the answer that counts as right for a row of a task whose score is "exact match"."""
    return row["answer"] if "answer" in row else row["caption"]
