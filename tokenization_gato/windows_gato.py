# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Draws windows of episodes and documents, puts prompts before them, labels them, and packs them into rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .processing_gato import GatoProcessor
from .rows_gato import DOCUMENT_COLUMNS, EPISODE_COLUMNS
from .sequence_gato import GatoSequence, TokenRole
from .spaces_gato import Space
from .values_gato import require_positive_integer


@dataclass
class GatoWindow:
    """A part of an episode or of a document, and the prompt before it.

    Args:
        sequence: The tokens, those of the prompt first.
        prompt: The part of another episode that the prompt comes from; None without a prompt.
    """

    sequence: GatoSequence
    prompt: Literal["end", "anywhere"] | None = None

    def __len__(self) -> int:
        return len(self.sequence)


class GatoWindowSampler:
    """Draws windows from rows of a dataset (A Generalist Agent, sections 2.2 and 2.3).

    Args:
        processor, max_length, prompt_probability, prompt_end_probability, loss_on_observation_text,
        observation_space, action_space: See `GatoDataCollator`.
        max_steps: The most timesteps of a window, without those of its prompt; all that fit by default.

    Raises:
        TypeError, ValueError: for arguments of another type or out of their range.
    """

    def __init__(
        self,
        processor: GatoProcessor,
        max_length: int = 1024,
        prompt_probability: float = 0.25,
        prompt_end_probability: float = 0.5,
        loss_on_observation_text: bool = True,
        observation_space: Space | Mapping[Any, Space] = None,
        action_space: Space | Mapping[Any, Space] = None,
        max_steps: int | None = None,
    ) -> None:
        if not hasattr(processor, "encode_episode"):
            raise TypeError(f"processor must be a GatoProcessor, got {type(processor).__name__}")
        require_positive_integer(max_length, "max_length")
        if max_steps is not None and max_steps < 1:
            raise ValueError(f"max_steps must be at least 1, got {max_steps}")
        for name, value in (
            ("prompt_probability", prompt_probability),
            ("prompt_end_probability", prompt_end_probability),
        ):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {value}")
        self.processor = processor
        self.max_length = max_length
        self.prompt_probability = prompt_probability
        self.prompt_end_probability = prompt_end_probability
        self.loss_on_observation_text = loss_on_observation_text
        self.observation_space = observation_space
        self.action_space = action_space
        self.max_steps = max_steps
        # Whether the loss counts the tokens of each role.
        self._role_has_loss = np.zeros(len(TokenRole), bool)
        self._role_has_loss[[TokenRole.DOCUMENT_TEXT, TokenRole.ACTION]] = True
        self._role_has_loss[TokenRole.OBSERVATION_TEXT] = loss_on_observation_text

    def draw(
        self,
        row: Mapping,
        random: np.random.Generator,
        find_prompt: Callable[[], Mapping | None],
        budget: int | None = None,
        fill: bool = False,
    ) -> GatoWindow:
        """Draws a window of an episode or of a document.

        Args:
            row: A row of a dataset; see `GatoProcessor.encode_episode` and `encode_document`.
            random: Decides where the window lies and whether it has a prompt.
            find_prompt: Returns another episode of the same task, or None; called only if a prompt was drawn.
            budget: The most tokens of the window; `max_length` by default.
            fill: Whether the window may end within a timestep, so that it has exactly `budget` tokens if the row is
                long enough. Otherwise it ends with a whole timestep.

        Raises:
            ValueError: for a row that is neither an episode nor a document, or a timestep of more than `max_length`
                tokens.
        """
        budget = self.max_length if budget is None else budget
        if is_episode(row):
            return self._episode(row, random, find_prompt, budget, fill)
        if any(row.get(name) is not None for name in DOCUMENT_COLUMNS):
            document = self.processor.encode_document(row)
            start = int(random.integers(max(len(document) - budget, 0) + 1))
            return GatoWindow(document[start : start + budget])
        raise ValueError(f"a row is neither an episode nor a document: it has the columns {sorted(map(str, row))}")

    def labels(self, window: GatoSequence) -> np.ndarray:
        """Returns the ids to predict, (length,) int64, with -100 where the loss counts nothing."""
        labels = np.where(self._role_has_loss[window.roles], window.target_ids, -100)
        # In a packed row the first token would be predicted from the end of another window.
        labels[:1] = -100
        return labels

    def _episode(
        self,
        row: Mapping,
        random: np.random.Generator,
        find_prompt: Callable[[], Mapping | None],
        budget: int,
        fill: bool,
    ) -> GatoWindow:
        if random.random() < self.prompt_probability:
            prompt = self._prompt(find_prompt(), random, budget // 2)
            if prompt is not None:
                window = self._steps(row, budget - len(prompt), random, fill, required=False)
                # A prompt is left out if it leaves no room for a single step.
                if window is not None:
                    return GatoWindow(GatoSequence.concatenate([prompt.sequence, window]), prompt.prompt)
        steps = self._steps(row, budget, random, fill)
        assert steps is not None  # some are required
        return GatoWindow(steps)

    def _steps(
        self, episode: Mapping, budget: int, random: np.random.Generator, fill: bool, required: bool = True
    ) -> GatoSequence | None:
        """Draws timesteps from a random one on, of at most `budget` tokens.

        Returns:
            The timesteps; None if not one fits and none is required.
        """
        spaces = self.spaces(episode)
        lengths = self.processor.step_lengths(episode, **spaces)
        # The first start from which the window reaches the end: a later one would only make the window shorter.
        num_steps = len(lengths.first)
        max_steps = num_steps if self.max_steps is None else self.max_steps
        last_start = max(lengths.earliest_start(budget), num_steps - max_steps)
        start = int(random.integers(last_start + 1))
        stop = min(lengths.furthest_stop(start, budget), start + max_steps)
        if stop == start:
            if not required:
                return None
            if not fill or budget == self.max_length:
                raise ValueError(
                    f"timestep {start} of an episode has {lengths.first[start]} tokens, more than max_length={budget}"
                )
        if fill and stop < min(num_steps, start + max_steps):
            return self.processor.encode_episode(episode, start, stop + 1, **spaces)[:budget]
        return self.processor.encode_episode(episode, start, stop, **spaces)

    def _prompt(self, episode: Mapping | None, random: np.random.Generator, budget: int) -> GatoWindow | None:
        """Draws timesteps of an episode, of at most `budget` tokens; returns None if not one fits."""
        if episode is None:
            return None
        spaces = self.spaces(episode)
        lengths = self.processor.step_lengths(episode, **spaces)
        start = lengths.earliest_start(budget)
        place: Literal["end", "anywhere"] = "end"
        if random.random() >= self.prompt_end_probability:
            start, place = int(random.integers(start + 1)), "anywhere"
        stop = lengths.furthest_stop(start, budget)
        if stop == start:
            return None
        return GatoWindow(self.processor.encode_episode(episode, start, stop, **spaces), place)

    def spaces(self, episode: Mapping) -> dict[str, Any]:
        """Returns the spaces of an episode as arguments of `GatoProcessor.encode_episode`.

        Raises:
            ValueError: if there are spaces by task, but none for the task of the episode.
        """
        return {
            "observation_space": _space_of_task(self.observation_space, episode, "observation_space"),
            "action_space": _space_of_task(self.action_space, episode, "action_space"),
        }


def is_episode(row: Mapping) -> bool:
    """Tells whether a row of a dataset is an episode; otherwise it is a document, or neither."""
    return any(row.get(name) is not None for name in EPISODE_COLUMNS)


def _space_of_task(space: Space | Mapping[Any, Space], episode: Mapping, name: str) -> Space:
    # A gymnasium Dict is a mapping, too.
    if not isinstance(space, Mapping) or hasattr(space, "sample"):
        return space
    task = episode.get("task")
    if task not in space:
        raise ValueError(f"{name} has no space for the task {task!r}, it has {sorted(map(str, space))}")
    return space[task]


def pack(
    rows: Sequence[Sequence[GatoSequence]],
    labels: Callable[[GatoSequence], np.ndarray],
    processor: GatoProcessor,
    length: int | None = None,
) -> dict[str, np.ndarray]:
    """Joins the windows of each row, and pads the rows on the right.

    Args:
        rows: The windows of each row.
        labels: Returns the labels of a window.
        processor: The processor that wrote the windows.
        length: The number of tokens of each row; that of the longest by default.

    Returns:
        input_ids, position_ids, which begin at 0 in each window, local_position_ids and labels (rows, length);
        pixel_values and patch_positions if there are images.
    """
    length = max(sum(map(len, windows)) for windows in rows) if length is None else length
    shape = (len(rows), length)
    data = {
        "input_ids": np.full(shape, processor.tokenizer.pad_token_id, np.int64),
        # Position 0 makes each padding token a sequence of its own, to which nothing attends.
        "position_ids": np.zeros(shape, np.int64),
        "local_position_ids": np.full(shape, -1, np.int64),
        "labels": np.full(shape, -100, np.int64),
    }
    for row, windows in enumerate(rows):
        start = 0
        for window in windows:
            where = slice(start, start + len(window))
            data["input_ids"][row, where] = window.input_ids
            data["position_ids"][row, where] = np.arange(len(window))
            data["local_position_ids"][row, where] = window.local_position_ids
            data["labels"][row, where] = labels(window)
            start += len(window)
    return data | processor.image_inputs([window for windows in rows for window in windows])


__all__ = ["GatoWindow", "GatoWindowSampler", "is_episode", "pack"]
