# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato bench` gathers what benchmarks claim; missed claims stay in the table."""

import importlib
import json

import pytest
from benchmarks import run_all as bench
from PIL import Image

from gato_hub.system.errors import GatoError

SCRIPT = """
import json, sys
claims = [
    {"what": "loading", "against": "a peer", "ratio": RATIO, "low": 0.9, "high": 1.2, "bound": 1.1,
     "is_at_least": False, "met": RATIO <= 1.1},
]
about = {"machine": "here", "threads": 2, "git_commit": "abc", "versions": {"torch": "2"}, "measurements": {}}
json.dump({"claims": claims, **about}, open(sys.argv[sys.argv.index("--out") + 1], "w"))
"""


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "fast.py").write_text(SCRIPT.replace("RATIO", "1.0"))
    (folder / "slow.py").write_text(SCRIPT.replace("RATIO", "1.5"))
    (folder / "broken.py").write_text("raise SystemExit('no such peer')")
    monkeypatch.setattr(bench, "FOLDER", folder)
    monkeypatch.setattr(bench, "BENCHMARKS", {name: (f"{name}.py",) for name in ("fast", "slow", "broken")})
    return tmp_path / "out"


def test_a_table_and_a_picture_of_all_claims(scripts):
    finished = []
    claims = bench.run_benchmarks(scripts, ["fast", "slow"], progress=lambda name, took: finished.append(name))
    assert finished == ["fast", "slow"] and [one["met"] for one in claims] == [True, False]
    table = (scripts / "bench.md").read_text().splitlines()
    assert table[2] == "| loading | a peer | 1 | 0.9 to 1.2 | at most 1.1 |  |"
    assert table[3] == "| loading | a peer | 1.5 | 0.9 to 1.2 | at most 1.1 | missed |"
    assert "1 of 2 targets met" in table[-1] and "commit abc" in table[-1]
    assert json.loads((scripts / "slow.json").read_text())["claims"][0]["ratio"] == 1.5
    with Image.open(scripts / "bench.png") as picture:
        assert len(picture.convert("RGB").getcolors(2**24)) > 10


def test_a_benchmark_that_fails_or_is_not_there_is_told(scripts):
    with pytest.raises(GatoError, match="the benchmark broken failed:\nno such peer"):
        bench.run_benchmarks(scripts, ["broken"])
    with pytest.raises(GatoError, match="there is no benchmark 'fats': there are fast, slow, broken"):
        bench.run_benchmarks(scripts, ["fats"])


def test_all_scripts_are_there_and_import(monkeypatch):
    monkeypatch.syspath_prepend(bench.FOLDER)
    assert {script for script, *_ in bench.BENCHMARKS.values()} <= {
        script.name for script in bench.FOLDER.glob("*.py")
    }
    for script in bench.FOLDER.glob("*.py"):
        importlib.import_module(script.stem)
