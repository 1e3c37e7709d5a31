# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""easy-VQA (Victor Zhou, 2019): questions about pictures of one shape, read from the package easy-vqa.

A picture has 64 x 64 pixels, which are sixteen patches. There are 13 answers of one word. The split is the package's
own: 38 575 questions about 4000 pictures for training, and 9 673 about 1000 others for testing.

A model soon memorizes so few pictures, because each has its own background and size. After the package's own rows, the
training split therefore continues without end: the same questions, about pictures redrawn with another size and place
of the shape and another background, half of them mirrored. This changes no answer. Every second of these rows asks for
the shape, which is harder to see than its color.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .document_task import DocumentTask, Split

SHAPES = ("circle", "rectangle", "triangle")
BACKGROUND_VALUES = (230, 255)  # the smallest and the largest of red, green and blue


@lru_cache
def _questions(split: Split) -> tuple[list[tuple[str, str, int]], dict[int, str]]:
    """Returns (question, answer, number of its picture) for each row, and the path of each picture."""
    import easy_vqa

    if split == "train":
        columns, paths = easy_vqa.get_train_questions(), easy_vqa.get_train_image_paths()
    else:
        columns, paths = easy_vqa.get_test_questions(), easy_vqa.get_test_image_paths()
    return list(zip(*columns, strict=True)), paths


@lru_cache
def _about_shapes() -> list[tuple[str, str, int]]:
    questions, _ = _questions("train")
    return [one for one in questions if one[1] in SHAPES]


def count_rows(split: Split) -> int | None:
    """Returns the number of test questions; None for the training split, which has no end."""
    return None if split == "train" else len(_questions(split)[0])


def redrawn(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Redraws a picture (height, width, 3) of one shape with another size and place and another plain background."""
    from PIL import Image

    corners, counts = np.unique(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0, return_counts=True)
    background = corners[counts.argmax()]  # a shape may cover a corner
    rows, columns = np.nonzero((pixels != background).any(axis=-1))
    shape = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    if random.random() < 0.5:
        shape = shape[:, ::-1]
    height, width = shape.shape[:2]
    scale = min(random.uniform(0.7, 1.4), pixels.shape[0] / height, pixels.shape[1] / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shape = np.asarray(Image.fromarray(shape).resize(size, Image.Resampling.BILINEAR))
    new_background = random.integers(BACKGROUND_VALUES[0], BACKGROUND_VALUES[1] + 1, 3, np.uint8)
    shape = np.where((shape == background).all(axis=-1, keepdims=True), new_background, shape)
    drawn = np.empty_like(pixels)
    drawn[:] = new_background
    top, left = (
        random.integers(0, whole - part + 1) for whole, part in zip(pixels.shape[:2], shape.shape[:2], strict=True)
    )
    drawn[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    return drawn


def make_row(split: Split, index: int) -> dict[str, Any]:
    """Returns the fields of a row with a picture, a question about it, and the answer in one word."""
    from PIL import Image

    questions, paths = _questions(split)
    is_redrawn = index >= len(questions)
    random = np.random.default_rng(index)
    if is_redrawn and index % 2:
        about_shapes = _about_shapes()
        question, answer, number = about_shapes[random.integers(len(about_shapes))]
    else:
        question, answer, number = questions[index % len(questions)]
    with Image.open(paths[number]) as picture:
        pixels = np.array(picture.convert("RGB"))
    if is_redrawn:
        pixels = redrawn(pixels, random)
    return {"text": f"{question} {answer}", "images": [pixels], "question": question, "answer": answer}


TASKS = (
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
