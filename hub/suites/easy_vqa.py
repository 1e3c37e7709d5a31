# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""easy-VQA (Victor Zhou, 2019): questions about pictures of one shape, by way of the package easy-vqa, which has them.

64 x 64 pixels, sixteen patches, and 13 answers in one word. The split is the package's: 38 575 questions about 4000
pictures to train on, 9 673 about 1000 others to test. So few pictures are soon learnt by heart, shapes and all. So the
rows to train on go on after the package's own: the same questions again and again, each about its picture with the
shape moved to another place, half of them mirrored. No answer changes by that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .documents import DocumentTask, Split


@lru_cache
def _questions(split: Split) -> tuple[list[tuple[str, str, int]], dict[int, str]]:
    """(question, answer, number of its picture) of all rows, and the path of each picture."""
    import easy_vqa

    if split == "train":
        columns, paths = easy_vqa.get_train_questions(), easy_vqa.get_train_image_paths()
    else:
        columns, paths = easy_vqa.get_test_questions(), easy_vqa.get_test_image_paths()
    return list(zip(*columns, strict=True)), paths


def count_rows(split: Split) -> int | None:
    """Questions to test; those to train on have no end."""
    return None if split == "train" else len(_questions(split)[0])


def with_shape_moved(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A picture (height, width, 3) of one shape on an even ground, with the shape elsewhere, perhaps mirrored."""
    corners, counts = np.unique(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0, return_counts=True)
    ground = corners[counts.argmax()]  # a shape may cover a corner
    rows, columns = np.nonzero((pixels != ground).any(axis=-1))
    shape = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    if random.random() < 0.5:
        shape = shape[:, ::-1]
    moved = np.empty_like(pixels)
    moved[:] = ground
    top, left = (
        random.integers(0, whole - part + 1) for whole, part in zip(pixels.shape[:2], shape.shape[:2], strict=True)
    )
    moved[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    return moved


def make_row(split: Split, index: int) -> dict[str, Any]:
    """A picture, a question about it and the answer, one word."""
    from PIL import Image

    questions, paths = _questions(split)
    question, answer, number = questions[index % len(questions)]
    with Image.open(paths[number]) as picture:
        pixels = np.array(picture.convert("RGB"))
    if index >= len(questions):
        pixels = with_shape_moved(pixels, np.random.default_rng(index))
    return {"text": f"{question} {answer}", "images": [pixels], "question": question, "answer": answer}


DOCUMENT_TASKS = (
    DocumentTask(
        id="questions/easy-vqa",
        extra="documents",
        packages=("easy-vqa",),
        license="MIT",
        source="the package easy-vqa",
        score="exact match",
        make_row=make_row,
        count_rows=count_rows,
    ),
)
