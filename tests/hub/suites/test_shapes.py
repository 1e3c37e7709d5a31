# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Captions and questions about shapes, checked by a reader of pictures that shares no code with what draws them."""

import random
import re
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gato_hub.suites import shapes
from gato_hub.suites.document_task import SPLITS

CAPTIONS, QUESTIONS = shapes.TASKS

PLACES = {
    "at the top left": (0, 0),
    "at the top": (0, 1),
    "at the top right": (0, 2),
    "on the left": (1, 0),
    "in the centre": (1, 1),
    "on the right": (1, 2),
    "at the bottom left": (2, 0),
    "at the bottom": (2, 1),
    "at the bottom right": (2, 2),
}
# The channels that are bright in a color.
BRIGHT = {
    (1, 0, 0): "red",
    (0, 1, 0): "green",
    (0, 0, 1): "blue",
    (1, 1, 0): "yellow",
    (1, 0, 1): "purple",
    (1, 1, 1): "white",
}


def parse(caption):
    """(row, column, size, color, kind) of each shape of a caption, in its order."""
    phrases = re.split(", | and ", caption)
    scene = []
    for phrase in phrases:
        article, size, color, kind, place = phrase.split(" ", 4)
        assert article == "a"
        scene.append((*PLACES[place], size, color, kind))
    return scene


def look(picture):
    """The same, in reading order, by the pixels alone."""
    scene = []
    background = picture[0, 0]  # no shape touches the border
    for row, column in np.ndindex(3, 3):
        cell = picture[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        mask = (cell != background).any(-1)
        if not mask.any():
            continue
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        height, width = mask.shape
        assert abs(height - width) <= 1
        near_top, at_bottom = mask[height // 4].sum() / width, mask[-1].sum() / width
        if mask.all():
            kind = "square"
        elif at_bottom == 1:
            kind = "triangle"
        else:
            kind = "circle" if near_top > 0.6 else "cross"
        colors = np.unique(cell[(cell != background).any(-1)], axis=0)
        assert len(colors) == 1
        bright = tuple(int(channel > 0.6 * colors.max()) for channel in colors[0])
        scene.append((row, column, "large" if width > 10 else "small", BRIGHT[bright], kind))
    return scene


def answer(question, scene):
    """The answer by the shapes that were seen."""
    words = question.rstrip("?").replace("crosses", "cross").split()
    named = [(color, kind) for _, _, _, color, kind in scene]
    if words[:2] == ["what", "colour"]:
        (found,) = [color for color, kind in named if kind == words[-1]]
        return found
    if words[:2] == ["how", "many"]:
        matching = [pair for pair in named if words[2] in pair or words[2].removesuffix("s") in pair]
        return ["zero", "one", "two", "three"][len(matching)]
    if words[:2] == ["is", "there"]:
        return "yes" if (words[-2], words[-1]) in named else "no"
    assert words[:2] == ["what", "is"]
    (here,) = [shape for shape in scene if shape[3:] == (words[-2], words[-1])]
    axis, sign = {"left": (1, -1), "right": (1, 1), "above": (0, -1), "below": (0, 1)}[words[2]]
    (found,) = [shape[4] for shape in scene if (shape[axis] - here[axis]) * sign > 0]
    return found


@pytest.mark.parametrize("split", SPLITS)
def test_a_picture_has_the_one_caption_that_it_comes_with(split):
    for row in CAPTIONS.rows(split, 0, 300):
        assert parse(row["caption"]) == look(row["images"][0])


@pytest.mark.parametrize("split", SPLITS)
def test_answers_follow_from_the_picture(split):
    for row in QUESTIONS.rows(split, 0, 300):
        assert answer(row["question"], look(row["images"][0])) == row["answer"]


@given(st.integers(0, 2**32), st.sampled_from(SPLITS))
def test_any_scene_keeps_its_caption_in_any_picture(seed, split):
    generator = random.Random(seed)
    scene = shapes.draw_scene(generator, split)
    assert shapes.split_of(scene) == split
    for _ in range(3):
        picture = shapes.draw_picture(generator, scene)
        assert picture.shape == (48, 48, 3) and picture.dtype == np.uint8
        assert look(picture) == parse(shapes.caption_of(scene))


def test_no_scene_of_the_test_split_is_seen_in_training():
    scenes = {
        split: {tuple(look(row["images"][0])) for task in (CAPTIONS, QUESTIONS) for row in task.rows(split, 0, 500)}
        for split in SPLITS
    }
    assert scenes["train"] and scenes["test"] and not scenes["train"] & scenes["test"]


def test_scenes_of_all_shapes_colors_sizes_places_and_numbers_occur():
    seen = [Counter() for _ in range(5)]
    numbers = Counter()
    for row in CAPTIONS.rows("test", 0, 600):
        scene = look(row["images"][0])
        numbers[len(scene)] += 1
        for shape in scene:
            for counter, value in zip(seen, shape, strict=True):
                counter[value] += 1
    assert [len(counter) for counter in seen] == [3, 3, 2, 6, 4] and set(numbers) == {1, 2, 3}
    for counter in (*seen, numbers):
        assert min(counter.values()) > 0.6 * np.mean(list(counter.values()))


def test_neither_a_constant_answer_nor_the_question_alone_says_much():
    answers = defaultdict(Counter)
    for row in QUESTIONS.rows("train", 0, 2500):
        answers[row["question"]][row["answer"]] += 1
        answers[None][row["answer"]] += 1
    test = list(QUESTIONS.rows("test", 0, 600))
    constant = answers[None].most_common(1)[0][0]
    assert np.mean([row["answer"] == constant for row in test]) < 0.15
    by_question = [answers[row["question"]].most_common(1)[0][0] == row["answer"] for row in test]
    assert np.mean(by_question) < 0.4
