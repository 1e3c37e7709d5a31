# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The public names of the hub."""

import subprocess
import sys

import pytest

import gato_hub


@pytest.mark.parametrize("name", gato_hub.__all__)
def test_every_public_name_is_there(name):
    assert callable(getattr(gato_hub, name))
    assert name in dir(gato_hub)


def test_no_other_name_is_there():
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        gato_hub.trian  # noqa: B018


@pytest.mark.subprocess
def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, gato_hub; print(*sorted({'gymnasium', 'torch', 'transformers'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "\n"
