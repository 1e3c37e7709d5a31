# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""An episode to look at: the picture of the environment, and beside it the tokens that were read and written."""

from __future__ import annotations

import itertools
import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..suites import Task
from ..system.files import replacing
from ..system.packages import require_packages
from .rollout import instruction

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

PANEL_WIDTH = 360
SMALLEST_HEIGHT = 320
CHARACTERS_A_LINE = 48
# Of an episode among others.
TILE, TITLE_HEIGHT = 200, 20
FORMATS = (".gif", ".mp4")


class PlayedToken(NamedTuple):
    """A token as it is shown: its name, an integer by its value, patches of a picture counted; and what it stands for,
    "image", "text", "continuous", "discrete" or "separator"."""

    name: str
    kind: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class PlayedStep:
    """A step of an episode.

    Attributes:
        frame: (height, width, 3) uint8 before the action, None where the environment can't draw itself here.
        read, written: tokens of the observation with the separator, and of the action.
        total_reward: after the action.
        success: None where the environment does not tell.
    """

    number: int
    mission: str
    frame: np.ndarray | None
    read: tuple[PlayedToken, ...]
    written: tuple[PlayedToken, ...]
    total_reward: float
    success: bool | None


def play(
    task: Task, seed: int, model: GatoForCausalLM, processor: GatoProcessor, /, *, human: bool = False, **options: Any
) -> Iterator[PlayedStep]:
    """The steps of one episode, as they are played.

    Args:
        seed: of the environment.
        human: show a window instead of giving frames.
        options: of `GatoAgent`; the first `seed` is the environment's, one among them the agent's.
    """
    from gymnasium.spaces import Text

    from modeling_gato import GatoAgent
    from tokenization_gato import TokenRole

    environment = task.make_environment(render_mode="human" if human else "rgb_array")
    try:
        space = environment.action_space
        options = {"observation_space": environment.observation_space, "task": task.id} | options
        agent = GatoAgent(model, processor, space, num_envs=None, **options)
        agent.reset()
        observation, _ = environment.reset(seed=seed)
        total, success, ended = 0.0, None, False
        for number in itertools.count():
            if ended:
                return
            frame = None if human else _rendered(environment)
            (sequence,) = processor.encode_observations(
                [observation],
                previous_observations=agent.previous_observations,
                observation_space=options["observation_space"],
            )
            action = agent.act(observation)
            written = processor.encode_action(action, space)
            shown = instruction(observation)
            observation, reward, terminated, truncated, info = environment.step(action)
            total += float(reward)
            if "success" in info:
                success = bool(success) or bool(info["success"])
            ended = terminated or truncated
            yield PlayedStep(
                number,
                shown,
                frame,
                _tokens(processor, sequence.input_ids, sequence.roles == TokenRole.OBSERVATION_TEXT),
                _tokens(processor, written, np.full(len(written), isinstance(space, Text))),
                total,
                success,
            )
    finally:
        environment.close()


def _rendered(environment) -> np.ndarray | None:
    try:
        return np.asarray(environment.render(), np.uint8)
    except Exception:  # of others' code, where there is no OpenGL, say
        return None


def _tokens(processor: GatoProcessor, ids: Sequence[int], is_text: Sequence[bool]) -> tuple[PlayedToken, ...]:
    """What is shown of ids, of which some are known to be text: discrete values may have the same ids."""
    vocabulary = processor.vocabulary
    names = processor.tokenizer.convert_ids_to_tokens([int(token) for token in ids])
    kinds = vocabulary.kind(np.asarray(ids, np.int64)).tolist()
    shown = []
    for token, name, kind, text in zip(ids, names, kinds, is_text, strict=True):
        if not text and token in vocabulary.discrete:
            kind, name = "discrete", str(int(token) - vocabulary.discrete.start)
        shown.append(PlayedToken(name, kind))
    counted = []
    for token, group in itertools.groupby(shown):
        count = len(list(group))
        is_counted = token.name == processor.image_token and count > 1
        counted += [PlayedToken(f"{token.name} x{count}", token.kind)] if is_counted else [token] * count
    return tuple(counted)


def draw_step(step: PlayedStep, title: str) -> Image.Image:
    """The picture of a step with its tokens beside it."""
    font = ImageFont.load_default(size=13)
    if step.frame is None:
        picture = Image.new("RGB", (SMALLEST_HEIGHT, SMALLEST_HEIGHT), "lightgrey")
        ImageDraw.Draw(picture).text((10, 10), "no picture:\nrendering needs OpenGL here", fill="black", font=font)
    else:
        picture = Image.fromarray(step.frame)
        scale = -(-SMALLEST_HEIGHT // picture.height)
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    # Widths and heights of videos are even.
    height = picture.height + picture.height % 2
    whole = Image.new("RGB", (picture.width + picture.width % 2 + PANEL_WIDTH, height), "white")
    whole.paste(picture)
    state = "" if step.success is None else ", success" if step.success else ", not yet a success"
    lines = [title, step.mission, f"step {step.number}, reward so far {step.total_reward:.2f}{state}", ""]
    lines += ["reads", *_wrapped(step.read), "", "writes", *_wrapped(step.written)]
    line_height = 16
    most = height // line_height - 1
    if len(lines) > most:
        tail = 2 + len(_wrapped(step.written))
        lines = [*lines[: most - tail - 1], "...", *lines[-tail:]]
    left = whole.width - PANEL_WIDTH + 10
    drawing = ImageDraw.Draw(whole)
    for number, line in enumerate(lines):
        drawing.text((left, 8 + number * line_height), line, fill="black", font=font)
    return whole


def draw_side_by_side(episodes: Mapping[str, Sequence[PlayedStep]], columns: int = 3) -> list[Image.Image]:
    """Pictures of several episodes at once, by title, as long as the longest: the others stay at their end."""
    if not episodes:
        raise ValueError("there must be at least one episode, got none")
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


def _wrapped(tokens: Sequence[PlayedToken]) -> list[str]:
    return textwrap.wrap(" ".join(map(str, tokens)), CHARACTERS_A_LINE, break_long_words=True) or [""]


def write_episode(path: str | os.PathLike, pictures: Iterable[Image.Image], *, frames_a_second: float = 4.0) -> None:
    """Writes pictures of one size as an animated GIF or an MP4, one after the other as they come.

    Raises:
        ValueError: the name ends otherwise, or there are no pictures.
        ImportError: for MP4 without the package that writes it.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"an episode is written as {' or '.join(FORMATS)}, not as {Path(path).name!r}")
    if suffix == ".mp4":
        require_packages("An MP4", ("imageio-ffmpeg",), extra="video")
    coming = iter(pictures)
    first = next(coming, None)
    if first is None:
        raise ValueError("an episode needs at least one picture, got none")
    coming = itertools.chain([first], coming)
    with replacing(path) as temporary:
        if suffix == ".gif":
            colors = [picture.quantize(128) for picture in coming]
            # The last one stays for a second, so that the end can be seen.
            durations = [int(1000 / frames_a_second)] * (len(colors) - 1) + [1000]
            colors[0].save(
                temporary, format="GIF", save_all=True, append_images=colors[1:], duration=durations, loop=0
            )
            return
        import imageio_ffmpeg

        writer = imageio_ffmpeg.write_frames(str(temporary), first.size, fps=frames_a_second)
        writer.send(None)
        for picture in coming:
            writer.send(np.ascontiguousarray(picture))
        writer.close()
