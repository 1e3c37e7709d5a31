# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The modules that transformers copies beside saved weights work there: one folder, without our packages."""

import ast
from pathlib import Path

import pytest
from transformers.dynamic_module_utils import get_imports

ROOT = Path(__file__).parents[1]
FILES = [
    file
    for package in ("modeling_gato", "tokenization_gato")
    for file in sorted((ROOT / package).glob("*.py"))
    if file.name != "__init__.py"
]
# transformers refuses to load code that imports a missing package anywhere but in a `try` block.
NOT_REQUIRED = {"gato_hub", "gymnasium", "modeling_gato", "tokenization_gato"}


def test_every_module_has_a_name_of_its_own():
    names = [file.name for file in FILES]
    assert len(set(names)) == len(names)
    assert all(name.endswith("_gato.py") for name in names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_module_loads_where_our_packages_are_missing(file):
    assert not set(get_imports(file)) & NOT_REQUIRED


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_module_imports_only_modules_of_its_folder(file):
    imports = [
        node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    ]
    for node in imports:
        if node.level:
            assert node.level == 1
            assert (file.parent / f"{node.module}.py").is_file()
