# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Levels of Sokoban written as text."""

import textwrap

from gato_hub.suites.environments.sokoban import Level

ONE_PUSH = """
#####
#@$.#
#####
"""
IN_A_CORNER = """
#####
#$  #
# @ #
#  .#
#####
"""


def level_of(text: str) -> Level:
    """Reads a level: `#` wall, ` ` floor, `.` target, `$` box, `*` box on a target, `@` player, `+` on a target."""
    lines = textwrap.dedent(text).strip("\n").split("\n")
    columns = max(map(len, lines))
    letters = "".join(line.ljust(columns, "#") for line in lines)

    def cells(kinds: str) -> frozenset[int]:
        return frozenset(cell for cell, letter in enumerate(letters) if letter in kinds)

    (player,) = cells("@+")
    return Level(len(lines), columns, cells(" .$*@+"), cells(".*+"), cells("$*"), player)


def play(level: Level, actions: list[int]) -> Level:
    for action in actions:
        level = level.after(action)
    return level
