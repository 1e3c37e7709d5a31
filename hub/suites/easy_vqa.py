# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""easy-VQA (Victor Zhou, 2019): questions about pictures of one shape, by way of the package easy-vqa, which has them.

64 x 64 pixels, sixteen patches, and 13 answers in one word. The split is the package's: 38 575 questions about 4000
pictures to train on, 9 673 about 1000 others to test. So few pictures are soon learnt by heart: each has a ground and
a size of its own, by which it is known. So the rows to train on go on without end after the package's own: the same
questions, about pictures whose shape has another size and place and whose ground another colour, half of them
mirrored. No answer changes by that. Every other of these rows asks for the shape, which is harder to see than the
colour.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .document_task import DocumentTask, Split

SHAPES = ("circle", "rectangle", "triangle")
GROUND_VALUES = (230, 255)  # the smallest and the largest of red, green and blue


@lru_cache
def _questions(split: Split) -> tuple[list[tuple[str, str, int]], dict[int, str]]:
    """(question, answer, number of its picture) of all rows, and the path of each picture."""
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
    """Questions to test; those to train on have no end."""
    return None if split == "train" else len(_questions(split)[0])


def redrawn(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A picture (height, width, 3) of one shape on an even ground, with another size, place and ground."""
    from PIL import Image

    corners, counts = np.unique(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0, return_counts=True)
    ground = corners[counts.argmax()]  # a shape may cover a corner
    rows, columns = np.nonzero((pixels != ground).any(axis=-1))
    shape = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    if random.random() < 0.5:
        shape = shape[:, ::-1]
    height, width = shape.shape[:2]
    scale = min(random.uniform(0.7, 1.4), pixels.shape[0] / height, pixels.shape[1] / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shape = np.asarray(Image.fromarray(shape).resize(size, Image.Resampling.BILINEAR))
    new_ground = random.integers(GROUND_VALUES[0], GROUND_VALUES[1] + 1, 3, np.uint8)
    shape = np.where((shape == ground).all(axis=-1, keepdims=True), new_ground, shape)
    drawn = np.empty_like(pixels)
    drawn[:] = new_ground
    top, left = (
        random.integers(0, whole - part + 1) for whole, part in zip(pixels.shape[:2], shape.shape[:2], strict=True)
    )
    drawn[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    return drawn


def make_row(split: Split, index: int) -> dict[str, Any]:
    """A picture, a question about it and the answer, one word."""
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
