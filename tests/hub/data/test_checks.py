# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest
from datasets import Features, Image, List, Value

from gato_hub.data.checks import check_columns, check_document, check_episode
from gato_hub.system.errors import GatoError

NUMBERS = List(Value("float32"))
INTEGERS = List(Value("int64"))


def episode(**changes):
    return {"continuous_observations": [[0.0], [1.0]], "discrete_actions": [0, 1], "rewards": [0.0, 0.0]} | changes


def test_an_episode_without_faults():
    check_episode(episode(text_observations=["a", "b"], executed_discrete_actions=None), "row 7")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (episode(continuous_observations=[[0.0], [float("nan")]]), "continuous_observations of step 1 holds a number"),
        (episode(continuous_observations=[[0.0], [1e39]]), "continuous_observations of step 1 holds a number"),
        (episode(continuous_observations=[[0.0], [0.0, 1.0]]), "step 1 has 2 values, that of step 0 1"),
        (episode(discrete_actions=[0]), "one length.*'discrete_actions': 1"),
        (episode(text_observations=["a", 3]), "text_observations of step 1 is int, not text"),
        (episode(image_observations=[b"abc", None], image_shape=[1, 1, 3]), "image_observations of step 1 is missing"),
        (episode(image_observations=[b"abc", b"a"], image_shape=[1, 1, 3]), "step 1 has 1 bytes, its image_shape is"),
        ({"rewards": []}, "at least one step"),
    ],
)
def test_the_column_and_the_step_that_are_wrong_are_named(row, message):
    with pytest.raises(GatoError, match=f"row 7.*{message}"):
        check_episode(row, "row 7")


@pytest.mark.parametrize(
    ("features", "kind"),
    [
        ({"text": Value("string"), "answer": Value("string")}, "documents"),
        ({"images": Image()}, "documents"),
        ({"continuous_observations": List(NUMBERS), "discrete_actions": INTEGERS, "rewards": NUMBERS}, "episodes"),
    ],
)
def test_what_the_rows_are(features, kind):
    assert check_columns(Features(features), "a file") == kind


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"a": Value("string")}, "a file holds no episodes: it needs continuous_observations or"),
        ({"discrete_observations": INTEGERS, "rewards": NUMBERS}, "needs continuous_actions or"),
        ({"text": Value("int64")}, "text must be string or large_string, it is int64"),
        ({"images": List(Value("binary"))}, "images are bytes, so that there must be a column image_shape"),
    ],
)
def test_columns_that_are_wrong(features, message):
    with pytest.raises(GatoError, match=message):
        check_columns(Features(features), "a file")


def test_an_empty_document():
    check_document({"text": "words", "images": None}, "row 7")
    with pytest.raises(GatoError, match="row 7: a document needs a text or images"):
        check_document({"text": None}, "row 7")
