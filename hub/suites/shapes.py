# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Pictures of one to three shapes, with captions and with questions about them. All is drawn here, from an index.

A picture has 48 x 48 pixels, nine patches, and a shape lies within one of its nine patches. Where in the patch it
lies, how bright its colour is and how dark the background vary from picture to picture without changing the scene, so
a scene has many pictures, but a picture has one scene and one caption: the shapes in reading order.

A checksum of the caption says whether a scene is of the training or of the test split, for captions and questions
alike: no scene of the test split is ever seen in training.
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

# The full brightness of each colour; a picture takes them between BRIGHTNESS of it.
COLOURS = {
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
# Pixels of the side of the square that a shape fills.
SIZES = {"small": (7, 8), "large": (13, 14)}
PLACES = (
    ("at the top left", "at the top", "at the top right"),
    ("on the left", "in the centre", "on the right"),
    ("at the bottom left", "at the bottom", "at the bottom right"),
)
NUMBERS = ("zero", "one", "two", "three")
DIRECTIONS = ("left of", "right of", "above", "below")

# One scene in ten is of the test split.
TEST_SHARE = 10


@dataclass(frozen=True, order=True)
class Shape:
    """A shape of a scene; the order is the reading order of places."""

    row: int
    column: int
    size: str
    colour: str
    kind: str

    def phrase(self) -> str:
        return f"a {self.size} {self.colour} {self.kind} {PLACES[self.row][self.column]}"


Scene = tuple[Shape, ...]
"""One to three shapes in reading order, each in a cell of its own."""


def caption_of(scene: Scene) -> str:
    """The scene in words, the one caption that any of its pictures has."""
    *first, last = [shape.phrase() for shape in scene]
    return f"{', '.join(first)} and {last}" if first else last


def split_of(scene: Scene) -> Split:
    """The split that a scene belongs to."""
    return "test" if zlib.crc32(caption_of(scene).encode()) % TEST_SHARE == 0 else "train"


def draw_scene(generator: random.Random, split: Split, num_shapes: int | None = None) -> Scene:
    """A scene of that split, of one to three shapes where their number isn't given."""
    while True:
        cells = generator.sample(range(GRID * GRID), num_shapes or generator.randint(1, LARGEST_SCENE))
        scene = tuple(
            Shape(
                *divmod(cell, GRID),
                size=generator.choice(list(SIZES)),
                colour=generator.choice(list(COLOURS)),
                kind=generator.choice(SHAPES),
            )
            for cell in sorted(cells)
        )
        if split_of(scene) == split:
            return scene


@lru_cache
def _mask(kind: str, side: int) -> np.ndarray:
    """The pixels of a shape in the square that it fills, (side, side) bool."""
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    if kind == "circle":
        return rows**2 + columns**2 <= (side / 2) ** 2
    if kind == "triangle":
        return np.abs(columns) <= (rows + side / 2) / 2
    if kind == "cross":
        return np.minimum(np.abs(rows), np.abs(columns)) <= side / 6
    return np.ones((side, side), bool)


def draw_picture(generator: random.Random, scene: Scene) -> np.ndarray:
    """One of the many pictures of a scene, (48, 48, 3) uint8."""
    background = generator.randint(DARKEST_BACKGROUND, BRIGHTEST_BACKGROUND)
    picture = np.full((GRID * CELL, GRID * CELL, 3), background, np.uint8)
    for shape in scene:
        side = generator.choice(SIZES[shape.size])
        # A border of one pixel keeps shapes of neighbouring cells apart.
        top = shape.row * CELL + generator.randint(1, CELL - 1 - side)
        left = shape.column * CELL + generator.randint(1, CELL - 1 - side)
        colour = np.round(np.array(COLOURS[shape.colour]) * generator.uniform(*BRIGHTNESS))
        picture[top : top + side, left : left + side][_mask(shape.kind, side)] = colour
    return picture


def _colour_questions(scene: Scene) -> Iterator[tuple[str, str]]:
    for shape in scene:
        if sum(other.kind == shape.kind for other in scene) == 1:
            yield f"what colour is the {shape.kind}?", shape.colour


def _count_questions(words: tuple[str, ...], scene: Scene) -> Iterator[tuple[str, str]]:
    for word in words:
        count = sum(word in (shape.colour, shape.kind) for shape in scene)
        named = f"{word} shapes" if word in COLOURS else f"{word}es" if word == "cross" else f"{word}s"
        yield f"how many {named} are there?", NUMBERS[count]


def _presence_questions(scene: Scene) -> Iterator[tuple[str, str]]:
    """About a colour and a kind that are both in the scene: "no" where no shape has both."""
    present = {(shape.colour, shape.kind) for shape in scene}
    if len(scene) > 1:
        for colour in dict.fromkeys(shape.colour for shape in scene):
            for kind in dict.fromkeys(shape.kind for shape in scene):
                yield f"is there a {colour} {kind}?", "yes" if (colour, kind) in present else "no"


def _lies(shape: Shape, direction: str, other: Shape) -> bool:
    rows, columns = shape.row - other.row, shape.column - other.column
    return {"left of": columns < 0, "right of": columns > 0, "above": rows < 0, "below": rows > 0}[direction]


def _neighbour_questions(scene: Scene) -> Iterator[tuple[str, str]]:
    """Where one shape lies that way. None may lie in line, because pixels might say then what cells don't."""
    for shape in scene:
        others = [other for other in scene if other is not shape]
        if any((other.colour, other.kind) == (shape.colour, shape.kind) for other in others):
            continue
        for direction in DIRECTIONS:
            across = "column" if direction in ("left of", "right of") else "row"
            found = [other for other in others if _lies(other, direction, shape)]
            in_line = any(getattr(other, across) == getattr(shape, across) for other in others)
            if len(found) == 1 and not in_line:
                yield f"what is {direction} the {shape.colour} {shape.kind}?", found[0].kind


# What a question asks, with its answers. Each line is as likely as the others, and within it each answer, so that
# neither a constant answer nor the question alone says much.
QUESTIONS = (
    (_colour_questions, tuple(COLOURS)),
    (partial(_count_questions, tuple(COLOURS)), NUMBERS),
    (partial(_count_questions, SHAPES), NUMBERS),
    (_presence_questions, ("yes", "no")),
    (_neighbour_questions, SHAPES),
)


def draw_question(generator: random.Random, split: Split) -> tuple[Scene, str, str]:
    """A scene of that split, a question about it and its answer in one word."""
    ask, answers = generator.choice(QUESTIONS)
    answer = generator.choice(answers)
    while True:
        # Many shapes allow more questions.
        scene = draw_scene(generator, split, LARGEST_SCENE if answer == NUMBERS[-1] else None)
        questions = [question for question, its_answer in ask(scene) if its_answer == answer]
        if questions:
            return scene, generator.choice(questions), answer


def _generator(task: str, split: Split, index: int) -> random.Random:
    return random.Random(f"{task} {split} {index}")


def caption_row(split: Split, index: int) -> dict[str, Any]:
    """A picture and its caption."""
    generator = _generator("captions", split, index)
    scene = draw_scene(generator, split)
    caption = caption_of(scene)
    return {"text": caption, "images": [draw_picture(generator, scene)], "caption": caption}


def question_row(split: Split, index: int) -> dict[str, Any]:
    """A picture, a question about it and the answer, one word."""
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
