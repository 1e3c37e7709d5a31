# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import dataclasses
import hashlib
import os
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from gato_hub.suites import easy_vqa, shapes, text
from gato_hub.suites.document_task import SPLITS, DocumentTask, expected_answer

TASKS = {task.id: task for suite in (shapes, easy_vqa, text) for task in suite.TASKS}


def first_rows(task, split, num_rows=50):
    return list(islice(task.rows(split, 0, task.num_rows(split) or num_rows), num_rows))


def digest(rows):
    result = hashlib.sha256()
    for row in rows:
        result.update(repr((row["text"], row["index"], row["split"], row["task"])).encode())
        for image in row["images"]:
            result.update(image.tobytes())
    return result.hexdigest()


SLOW = ("text/numpy-docs", "text/python-docs")  # they read the whole source of a large package


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in TASKS])
def task(request):
    return TASKS[request.param]


@pytest.fixture(scope="module")
def processor():
    from tokenization_gato import GatoProcessor  # slow to load, and not needed by the process of a test below

    return GatoProcessor()


@pytest.mark.parametrize("split", SPLITS)
def test_rows_are_documents_that_the_processor_takes(task, split, processor):
    for index, row in enumerate(first_rows(task, split, 20)):
        assert (row["task"], row["split"], row["index"]) == (task.id, split, index)
        for image in row["images"]:
            assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[-1] == 3
        if "answer" in row:
            assert row["text"] == f"{row['question']} {row['answer']}" and len(row["images"]) == 1
            assert row["answer"] and " " not in row["answer"]
        elif "caption" in row:
            assert row["text"] == row["caption"] and len(row["images"]) == 1
        else:
            assert row["text"] and not row["images"]
        patches = sum(image.shape[0] * image.shape[1] // 256 for image in row["images"])
        assert len(processor.encode_document(row).patches) == patches


def test_rows_are_the_same_at_every_call_and_from_any_start(task):
    rows = first_rows(task, "train")
    assert digest(rows) == digest(first_rows(task, "train"))
    assert digest(rows[7:9]) == digest(task.rows("train", 7, 9))
    assert list(task.rows("train", 7, 7)) == []


@pytest.mark.subprocess
def test_rows_are_the_same_in_another_process():
    names = ["captions/shapes", "questions/shapes", "questions/easy-vqa", "text/gymnasium-docs"]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_documents import TASKS, digest, first_rows\n"
        f"for name in {names}: print(digest(first_rows(TASKS[name], 'test')))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    folder = str(Path(__file__).parent)
    printed = subprocess.run(
        [sys.executable, "-c", code, folder], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert printed.split() == [digest(first_rows(TASKS[name], "test")) for name in names]


def test_no_document_is_in_both_splits(task):
    train, test = (
        {digest([row | {"index": 0, "split": "", "task": ""}]) for row in first_rows(task, split, 500)}
        for split in SPLITS
    )
    assert train and test and not train & test


def test_rows_that_do_not_exist_are_refused(task):
    with pytest.raises(ValueError, match="split must be one of"):
        task.rows("validation")
    with pytest.raises(ValueError, match="were asked for"):
        task.rows("test", 3, 2)
    with pytest.raises(ValueError, match="were asked for"):
        task.rows("test", -1, 2)
    if task.count_rows is None:
        with pytest.raises(ValueError, match="no end"):
            task.rows("test")
    else:
        with pytest.raises(ValueError, match="were asked for"):
            task.rows("test", 0, task.num_rows("test") + 1)


def test_a_missing_package_names_the_command_that_installs_it():
    crippled = dataclasses.replace(TASKS["questions/easy-vqa"], packages=("no-such-package-anywhere",))
    with pytest.raises(ImportError, match=r"pip install 'gato-transformers\[documents\]'"):
        crippled.rows("train", 0, 1)


def baseline_score(task: DocumentTask, num_rows: int = 1000) -> float:
    """The score on the first test rows of an answer that ignores the document.

    For "exact match" that answer is the commonest one of as many training rows, and the score a share in [0, 1]. For
    "bits a byte" it is the frequencies of single bytes in them, each byte counted once more than it occurs.
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


def test_little_is_scored_without_looking():
    assert baseline_score(TASKS["captions/shapes"], 500) < 0.05
    assert baseline_score(TASKS["questions/shapes"], 500) < 0.2
    assert 0.3 < baseline_score(TASKS["questions/easy-vqa"]) < 0.5
    assert 4 < baseline_score(TASKS["text/gymnasium-docs"]) < 6


def test_easy_vqa_has_the_published_number_of_questions():
    task = TASKS["questions/easy-vqa"]
    assert (task.num_rows("train"), task.num_rows("test")) == (None, 9673)
    assert {expected_answer(row) for row in first_rows(task, "test", 500)} <= {
        *("circle", "rectangle", "triangle", "yes", "no"),
        *("black", "blue", "brown", "gray", "green", "red", "teal", "yellow"),
    }
    assert all(row["images"][0].shape == (64, 64, 3) for row in first_rows(task, "train", 5))


def test_easy_vqa_asks_again_of_the_same_shapes_elsewhere():
    """Even rows ask the package's questions in their order, odd ones ask for the shape."""
    task, count = TASKS["questions/easy-vqa"], 38575
    start = 2 * count  # even, and the first question again
    about_shapes = 0
    for first, again in zip(task.rows("train", 0, 60), task.rows("train", start, start + 60), strict=True):
        one, other = first["images"][0], again["images"][0]
        assert one.shape == other.shape and other.dtype == np.uint8 and not np.array_equal(one, other)
        if again["index"] % 2:
            about_shapes += again["answer"] in ("circle", "rectangle", "triangle")
            continue
        assert (again["question"], again["answer"]) == (first["question"], first["answer"])
        colors = []  # the commonest two: the ground, which is light, and the shape's
        for picture in (one, other):
            values, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
            ground, shape = sorted(values[np.argsort(counts)[-2:]].tolist(), key=min, reverse=True)
            assert min(ground) >= 230
            colors.append(shape)
        assert colors[0] == colors[1]
    assert about_shapes == 30


def test_docstrings_are_read_with_their_names_from_the_source(tmp_path):
    long = "It says at length what it is for. " * 4
    (tmp_path / "inner").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "__init__.py").write_text(f'"""Package. {long}"""\nraise RuntimeError("imported")\n')
    (tmp_path / "inner" / "module.py").write_text(
        f'class A:\n    """Class. {long}"""\n    if True:\n        def f(self):\n            """Method. {long}"""\n'
        'def g():\n    """Short."""\n'
    )
    (tmp_path / "tests" / "test_module.py").write_text(f'"""{long}"""\n')
    found = [(file, name, docstring[:6]) for file, name, docstring in text.read_docstrings(tmp_path, "pack")]
    assert found == [
        ("__init__", "pack", "Packag"),
        ("inner/module", "pack.inner.module.A", "Class."),
        ("inner/module", "pack.inner.module.A.f", "Method"),
    ]


def test_the_bible_has_all_chapters_and_no_numbers_of_verses():
    task = TASKS["text/king-james-bible"]
    assert sum(task.num_rows(split) for split in SPLITS) == 1189
    first = next(task.rows("train", 0, 1))["text"]
    assert first.startswith("The First Book of Moses, called Genesis, chapter 1\n\nIn the beginning God created ")
    bodies = [row["text"].partition("\n\n")[2] for split in SPLITS for row in task.rows(split)]
    assert not any(character.isdigit() for body in bodies for character in body)
