# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Pictures of episodes: a step with its tokens beside it, several episodes side by side, and their GIF or MP4."""

from __future__ import annotations

import itertools
import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..system.errors import GatoError
from ..system.files import replacing
from ..system.packages import require_packages
from .play import PlayedStep, PlayedToken

# Sizes in pixels: of the panel of tokens, of a picture beside it, and of one episode among several.
PANEL_WIDTH = 360
SMALLEST_HEIGHT = 320
LINE_HEIGHT = 16
TILE, TITLE_HEIGHT = 200, 20
CHARACTERS_A_LINE = 48
FORMATS = (".gif", ".mp4")
LAST_FRAME_MILLISECONDS = 1000  # so that the end can be seen


def draw_step(step: PlayedStep, title: str) -> Image.Image:
    """Returns the picture of a step, small ones enlarged, with its tokens beside it."""
    font = ImageFont.load_default(size=13)
    if step.frame is None:
        picture = Image.new("RGB", (SMALLEST_HEIGHT, SMALLEST_HEIGHT), "lightgrey")
        ImageDraw.Draw(picture).text((10, 10), "no picture:\nrendering needs OpenGL here", fill="black", font=font)
    else:
        picture = Image.fromarray(step.frame)
        scale = -(-SMALLEST_HEIGHT // picture.height)
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    # MP4 needs an even width and height.
    height = picture.height + picture.height % 2
    whole = Image.new("RGB", (picture.width + picture.width % 2 + PANEL_WIDTH, height), "white")
    whole.paste(picture)
    left = whole.width - PANEL_WIDTH + 10
    drawing = ImageDraw.Draw(whole)
    for number, line in enumerate(_panel(step, title, height // LINE_HEIGHT - 1)):
        drawing.text((left, 8 + number * LINE_HEIGHT), line, fill="black", font=font)
    return whole


def _panel(step: PlayedStep, title: str, most: int) -> list[str]:
    """Returns at most `most` lines about a step; what is read is cut before what is written."""
    state = "" if step.success is None else ", success" if step.success else ", not yet a success"
    lines = [title, step.mission, f"step {step.number}, reward so far {step.total_reward:.2f}{state}", ""]
    written = ["writes", *_wrapped(step.written)]
    lines += ["reads", *_wrapped(step.read), "", *written]
    if len(lines) > most:
        tail = 1 + len(written)
        lines = [*lines[: most - tail - 1], "...", *lines[-tail:]]
    return lines


def _wrapped(tokens: Sequence[PlayedToken]) -> list[str]:
    return textwrap.wrap(" ".join(map(str, tokens)), CHARACTERS_A_LINE, break_long_words=True) or [""]


def draw_side_by_side(episodes: Mapping[str, Sequence[PlayedStep]], columns: int = 3) -> list[Image.Image]:
    """Returns pictures that show several episodes at once, as many as the longest has steps.

    Args:
        episodes: Steps of each episode, by its title. A shorter episode stays at its last step.
        columns: Number of episodes in a row.

    Raises:
        GatoError: There are no episodes.
    """
    if not episodes:
        raise GatoError("there must be at least one episode, got none")
    rows = -(-len(episodes) // columns)
    size = (min(columns, len(episodes)) * TILE, rows * (TILE + TITLE_HEIGHT))
    font = ImageFont.load_default(size=12)
    pictures = []
    for number in range(max(map(len, episodes.values()))):
        whole = Image.new("RGB", size, "white")
        drawing = ImageDraw.Draw(whole)
        for place, (title, steps) in enumerate(episodes.items()):
            left, top = place % columns * TILE, place // columns * (TILE + TITLE_HEIGHT)
            step = steps[min(number, len(steps) - 1)]
            state = "  (success)" if step.success else ""
            drawing.text((left + 4, top + 3), title + state, fill="black", font=font)
            if step.frame is not None:
                picture = Image.fromarray(step.frame)
                picture.thumbnail((TILE - 4, TILE - 4))
                whole.paste(picture, (left + (TILE - picture.width) // 2, top + TITLE_HEIGHT))
        pictures.append(whole)
    return pictures


def write_episode(path: str | os.PathLike, pictures: Iterable[Image.Image], *, frames_a_second: float = 4.0) -> None:
    """Writes pictures of one size as an animated GIF or an MP4.

    Args:
        path: Name of the file, which ends in .gif or .mp4.
        pictures: The frames. They may come from a generator, as `play` yields their steps.

    Raises:
        GatoError: The name has another ending, or there are no pictures.
        MissingPackageError: The package that writes MP4 is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise GatoError(f"an episode is written as {' or '.join(FORMATS)}, not as {Path(path).name!r}")
    if suffix == ".mp4":
        require_packages("An MP4", ("imageio-ffmpeg",), extra="video")
    coming = iter(pictures)
    first = next(coming, None)
    if first is None:
        raise GatoError("an episode needs at least one picture, got none")
    write = _write_gif if suffix == ".gif" else _write_mp4
    with replacing(path) as temporary:
        write(temporary, first, coming, frames_a_second)


def _write_gif(path: Path, first: Image.Image, others: Iterator[Image.Image], frames_a_second: float) -> None:
    colors = [picture.quantize(128) for picture in itertools.chain([first], others)]
    durations = [int(1000 / frames_a_second)] * (len(colors) - 1) + [LAST_FRAME_MILLISECONDS]
    colors[0].save(path, format="GIF", save_all=True, append_images=colors[1:], duration=durations, loop=0)


def _write_mp4(path: Path, first: Image.Image, others: Iterator[Image.Image], frames_a_second: float) -> None:
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(str(path), first.size, fps=frames_a_second)
    writer.send(None)
    for picture in itertools.chain([first], others):
        writer.send(np.ascontiguousarray(picture))
    writer.close()
