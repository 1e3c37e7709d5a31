# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Runs the benchmarks one after the other, and draws one table and one picture of their claims: `gato bench`.

    python tests/benchmarks/run_all.py --out gato-bench [NAME ...]

Each benchmark is a script beside this file. It measures us and a named peer in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gato_hub.system.errors import GatoError
from gato_hub.system.files import replacing, write_text

FOLDER = Path(__file__).parent
# The script of each benchmark, and its arguments.
BENCHMARKS: dict[str, tuple[str, ...]] = {
    "importing": ("importing.py", "--rounds", "3"),
    "loading": ("loading.py",),
    "tokenizing": ("tokenizing.py", "--rounds", "3"),
    "reading": ("reading.py", "--steps", "16"),
    "acting-mini": ("acting.py", "--sizes", "mini", "--rounds", "16"),
    "acting-mini-babyai": ("acting.py", "--sizes", "mini", "--observations", "babyai", "--rounds", "16"),
    "acting-small": ("acting.py", "--sizes", "small", "--rounds", "10"),
    "training-mini": ("training.py", "--size", "mini", "--rounds", "3"),
    "training-small": ("training.py", "--size", "small", "--data", "metaworld", "--rounds", "2"),
    "growth": ("growth.py", "--rounds", "3"),
}
COLUMNS = ("what", "against", "ratio", "middle half", "target", "")


def run_benchmarks(
    output: str | os.PathLike, names: Sequence[str] = (), *, progress: Callable[[str, float], None] | None = None
) -> list[dict[str, Any]]:
    """Runs benchmarks one after the other. Writes `NAME.json` of each, `bench.md` and `bench.png`.

    Args:
        output: Folder for these files.
        names: Names from `BENCHMARKS`; all by default.
        progress: Called with the name and the seconds of each finished benchmark.

    Returns:
        The claims of all benchmarks: what, against, ratio, low, high, bound, is_at_least, met, and the benchmark.

    Raises:
        GatoError: A name is unknown, or a benchmark failed.
    """
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise GatoError(f"there is no benchmark {unknown[0]!r}: there are {', '.join(BENCHMARKS)}")
    output = Path(output).absolute()
    output.mkdir(parents=True, exist_ok=True)
    claims, about = [], {}
    for name in names or BENCHMARKS:
        script, *arguments = BENCHMARKS[name]
        started = time.monotonic()
        command = [sys.executable, str(FOLDER / script), *arguments, "--out", str(output / f"{name}.json")]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
        if done.returncode:
            raise GatoError(f"the benchmark {name} failed:\n{done.stderr[-2000:]}")
        about = json.loads((output / f"{name}.json").read_text(encoding="utf-8"))
        claims += [{"benchmark": name, **entry} for entry in about.pop("claims")]
        if progress:
            progress(name, time.monotonic() - started)
    write_text(output / "bench.md", markdown(claims, about))
    draw(output / "bench.png", claims)
    return claims


def markdown(claims: Sequence[dict[str, Any]], about: dict[str, Any]) -> str:
    """Returns a Markdown table of all claims, met and missed, and a line about the run."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for one in claims:
        between = f"{_short(one['low'])} to {_short(one['high'])}" if one["low"] != one["high"] else ""
        target = f"{'at least' if one['is_at_least'] else 'at most'} {one['bound']:g}"
        state = "" if one["met"] else "missed"
        lines.append(f"| {one['what']} | {one['against']} | {_short(one['ratio'])} | {between} | {target} | {state} |")
    versions = ", ".join(f"{name} {version}" for name, version in about.get("versions", {}).items())
    commit = about.get("git_commit")
    machine = f"{about.get('machine')}, {about.get('threads')} threads"
    met = sum(one["met"] for one in claims)
    lines += [
        "",
        f"{met} of {len(claims)} targets met. `gato bench` at commit {commit}, {machine}, {versions}.",
    ]
    return "\n".join(lines) + "\n"


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def draw(path: Path, claims: Sequence[dict[str, Any]]) -> None:
    """Draws a bar for each claim: how far its ratio is from the target, on a logarithmic axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.2 + 0.24 * len(claims)), layout="constrained")
    axes = figure.add_subplot()
    for place, one in enumerate(claims):
        ratio, bound = max(one["ratio"], 1e-3), max(one["bound"], 1e-3)
        margin = ratio / bound if one["is_at_least"] else bound / ratio
        margin = min(max(margin, 0.1), 30.0)
        axes.barh(place, margin - 1, left=1, color="tab:green" if one["met"] else "tab:red", height=0.7)
        axes.text(31, place, _short(one["ratio"]), va="center", fontsize=6)
    axes.set_xscale("log")
    axes.set_xlim(0.1, 30)
    axes.set_xticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"], fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    labels = [f"{one['what']} / {one['against']}" for one in claims]
    axes.set_yticks(range(len(claims)), labels, fontsize=5.5)
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xlabel("times better than the target (right of 1: met); the ratio itself at the right", fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="Benchmarks; all by default.")
    parser.add_argument("--out", type=Path, default=Path("gato-bench"), help="Folder for the table, picture and JSON.")
    arguments = parser.parse_args()
    try:
        run_benchmarks(arguments.out, arguments.names, progress=lambda name, took: print(f"{name}: {took:.0f} s"))
    except GatoError as error:
        sys.exit(f"Error: {error}")
    print((arguments.out / "bench.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
