# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Pictures of one to three shapes, with captions and questions. This module draws every row from its index.

A picture has 48 x 48 pixels, which are nine patches, and each shape lies within one patch. The place of a shape in its
patch, the brightness of its color and the background vary without changing the scene. A scene therefore has many
pictures, but a picture has one scene and one caption, which names the shapes in reading order.

A checksum of the caption assigns a scene to the training or the test split, for captions and questions alike. No scene
of the test split is ever seen in training.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from .document_task import DocumentTask, Split

CELL = 16
GRID = 3
LARGEST_SCENE = 3

# Each color at full brightness. A picture multiplies it by a number within BRIGHTNESS.
COLORS = {
    "red": (255, 40, 40),
    "green": (40, 220, 40),
    "blue": (60, 90, 255),
    "yellow": (255, 230, 40),
    "purple": (190, 50, 220),
    "white": (255, 255, 255),
}
BRIGHTNESS = (0.75, 1.0)
DARKEST_BACKGROUND, BRIGHTEST_BACKGROUND = 0, 60

SHAPES = ("circle", "square", "triangle", "cross")
# Side in pixels of the square that a shape fills.
SIZES = {"small": (7, 8), "large": (13, 14)}
PLACES = (
    ("at the top left", "at the top", "at the top right"),
    ("on the left", "in the centre", "on the right"),
    ("at the bottom left", "at the bottom", "at the bottom right"),
)
NUMBERS = ("zero", "one", "two", "three")
DIRECTIONS = ("left of", "right of", "above", "below")

# One scene in ten belongs to the test split.
TEST_SHARE = 10


@dataclass(frozen=True, order=True)
class Shape:
    """A shape of a scene. Shapes are ordered by their places, in reading order."""

    row: int
    column: int
    size: str
    color: str
    kind: str

    def phrase(self) -> str:
        """Returns the words for this shape in a caption."""
        return f"a {self.size} {self.color} {self.kind} {PLACES[self.row][self.column]}"


Scene = tuple[Shape, ...]
"""One to three shapes in reading order, each in a cell of its own."""


def caption_of(scene: Scene) -> str:
    """Returns the scene in words, which is the caption of all its pictures."""
    *first, last = [shape.phrase() for shape in scene]
    return f"{', '.join(first)} and {last}" if first else last


def split_of(scene: Scene) -> Split:
    """Returns the split that a scene belongs to."""
    return "test" if zlib.crc32(caption_of(scene).encode()) % TEST_SHARE == 0 else "train"


def draw_scene(generator: random.Random, split: Split, num_shapes: int | None = None) -> Scene:
    """Draws a scene of a split. If the number of shapes is not given, it is drawn too, from one to three."""
    while True:
        cells = generator.sample(range(GRID * GRID), num_shapes or generator.randint(1, LARGEST_SCENE))
        scene = tuple(
            Shape(
                *divmod(cell, GRID),
                size=generator.choice(list(SIZES)),
                color=generator.choice(list(COLORS)),
                kind=generator.choice(SHAPES),
            )
            for cell in sorted(cells)
        )
        if split_of(scene) == split:
            return scene


@lru_cache
def _mask(kind: str, side: int) -> np.ndarray:
    """Returns which pixels of its square a shape fills, (side, side) bool."""
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    if kind == "circle":
        return rows**2 + columns**2 <= (side / 2) ** 2
    if kind == "triangle":
        return np.abs(columns) <= (rows + side / 2) / 2
    if kind == "cross":
        return np.minimum(np.abs(rows), np.abs(columns)) <= side / 6
    return np.ones((side, side), bool)


def draw_picture(generator: random.Random, scene: Scene) -> np.ndarray:
    """Draws one of the many pictures of a scene, (48, 48, 3) uint8."""
    background = generator.randint(DARKEST_BACKGROUND, BRIGHTEST_BACKGROUND)
    picture = np.full((GRID * CELL, GRID * CELL, 3), background, np.uint8)
    for shape in scene:
        side = generator.choice(SIZES[shape.size])
        # A border of one pixel keeps shapes of neighboring cells apart.
        top = shape.row * CELL + generator.randint(1, CELL - 1 - side)
        left = shape.column * CELL + generator.randint(1, CELL - 1 - side)
        color = np.round(np.array(COLORS[shape.color]) * generator.uniform(*BRIGHTNESS))
        picture[top : top + side, left : left + side][_mask(shape.kind, side)] = color
    return picture


def _color_questions(scene: Scene) -> Iterator[tuple[str, str]]:
    for shape in scene:
        if sum(other.kind == shape.kind for other in scene) == 1:
            yield f"what colour is the {shape.kind}?", shape.color


def _count_questions(words: tuple[str, ...], scene: Scene) -> Iterator[tuple[str, str]]:
    for word in words:
        count = sum(word in (shape.color, shape.kind) for shape in scene)
        named = f"{word} shapes" if word in COLORS else f"{word}es" if word == "cross" else f"{word}s"
        yield f"how many {named} are there?", NUMBERS[count]


def _presence_questions(scene: Scene) -> Iterator[tuple[str, str]]:
    """Asks about a color and a kind that are both in the scene. The answer is "no" if no shape has both."""
    present = {(shape.color, shape.kind) for shape in scene}
    if len(scene) > 1:
        for color in dict.fromkeys(shape.color for shape in scene):
            for kind in dict.fromkeys(shape.kind for shape in scene):
                yield f"is there a {color} {kind}?", "yes" if (color, kind) in present else "no"


def _lies(shape: Shape, direction: str, other: Shape) -> bool:
    rows, columns = shape.row - other.row, shape.column - other.column
    return {"left of": columns < 0, "right of": columns > 0, "above": rows < 0, "below": rows > 0}[direction]


def _neighbor_questions(scene: Scene) -> Iterator[tuple[str, str]]:
    """Asks which shape lies in a direction, if exactly one does.

    A direction is skipped if another shape is in line, because pixels may then show an order that cells do not have.
    """
    for shape in scene:
        others = [other for other in scene if other is not shape]
        if any((other.color, other.kind) == (shape.color, shape.kind) for other in others):
            continue
        for direction in DIRECTIONS:
            across = "column" if direction in ("left of", "right of") else "row"
            found = [other for other in others if _lies(other, direction, shape)]
            in_line = any(getattr(other, across) == getattr(shape, across) for other in others)
            if len(found) == 1 and not in_line:
                yield f"what is {direction} the {shape.color} {shape.kind}?", found[0].kind


# Kinds of question with their answers. All kinds are equally likely, and so are all answers of one kind. Neither a
# constant answer nor the question alone therefore scores well.
QUESTIONS = (
    (_color_questions, tuple(COLORS)),
    (partial(_count_questions, tuple(COLORS)), NUMBERS),
    (partial(_count_questions, SHAPES), NUMBERS),
    (_presence_questions, ("yes", "no")),
    (_neighbor_questions, SHAPES),
)


def draw_question(generator: random.Random, split: Split) -> tuple[Scene, str, str]:
    """Draws a scene of a split, a question about it, and its answer in one word."""
    ask, answers = generator.choice(QUESTIONS)
    answer = generator.choice(answers)
    while True:
        # Only a scene of three shapes can be asked for the answer "three".
        scene = draw_scene(generator, split, LARGEST_SCENE if answer == NUMBERS[-1] else None)
        questions = [question for question, its_answer in ask(scene) if its_answer == answer]
        if questions:
            return scene, generator.choice(questions), answer


def _generator(task: str, split: Split, index: int) -> random.Random:
    return random.Random(f"{task} {split} {index}")


def caption_row(split: Split, index: int) -> dict[str, Any]:
    """Returns the fields of a row with a picture and its caption."""
    generator = _generator("captions", split, index)
    scene = draw_scene(generator, split)
    caption = caption_of(scene)
    return {"text": caption, "images": [draw_picture(generator, scene)], "caption": caption}


def question_row(split: Split, index: int) -> dict[str, Any]:
    """Returns the fields of a row with a picture, a question about it, and the answer in one word."""
    generator = _generator("questions", split, index)
    scene, question, answer = draw_question(generator, split)
    return {
        "text": f"{question} {answer}",
        "images": [draw_picture(generator, scene)],
        "question": question,
        "answer": answer,
    }


_shapes_task = partial(
    DocumentTask, extra="", packages=(), license="Apache-2.0", source="drawn by this module", score="exact match"
)

TASKS = (
    _shapes_task(id="captions/shapes", make_row=caption_row),
    _shapes_task(id="questions/shapes", make_row=question_row),
)
