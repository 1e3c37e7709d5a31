# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Windows of episodes and documents, prompts before them, their labels, and rows into which they are packed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .processing_gato import GatoProcessor
from .rows_gato import DOCUMENT_COLUMNS, EPISODE_COLUMNS
from .sequence_gato import GatoSequence, TokenRole
from .values_gato import require_positive_integer


@dataclass
class GatoWindow:
    """A part of an episode or of a document, and the prompt before it.

    Args:
        sequence: the tokens, the prompt's first.
        prompt: where in another episode the prompt comes from; None if there is none.
    """

    sequence: GatoSequence
    prompt: Literal["end", "anywhere"] | None = None

    def __len__(self) -> int:
        return len(self.sequence)


class GatoWindowSampler:
    """Draws windows of rows of a dataset (A Generalist Agent, sections 2.2 and 2.3).

    Args:
        processor, max_length, prompt_probability, prompt_end_probability, loss_on_observation_text,
        observation_space, action_space: see `GatoDataCollator`.
        max_steps: timesteps of a window beside its prompt; all that fit by default.

    Raises:
        TypeError, ValueError: for arguments out of their range.
    """

    def __init__(
        self,
        processor: GatoProcessor,
        max_length: int = 1024,
        prompt_probability: float = 0.25,
        prompt_end_probability: float = 0.5,
        loss_on_observation_text: bool = True,
        observation_space=None,
        action_space=None,
        max_steps: int | None = None,
    ):
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
        # Whether the loss counts a token, by its role.
        self._role_counts = np.zeros(len(TokenRole), bool)
        self._role_counts[[TokenRole.DOCUMENT_TEXT, TokenRole.ACTION]] = True
        self._role_counts[TokenRole.OBSERVATION_TEXT] = loss_on_observation_text

    def draw(
        self,
        row: Mapping,
        random: np.random.Generator,
        find_prompt: Callable[[], Mapping | None],
        budget: int | None = None,
        fill: bool = False,
    ) -> GatoWindow:
        """A window of an episode or of a document.

        Args:
            row: a row of a dataset; see `GatoProcessor.encode_episode` and `encode_document`.
            random: decides where the window lies and whether it has a prompt.
            find_prompt: called where a prompt is wanted; gives another episode of the same task, or None.
            budget: most tokens; `max_length` by default.
            fill: whether the window may end within a timestep, so that it has `budget` tokens where the row is long
                enough. Otherwise it ends with a whole one.

        Raises:
            ValueError: for a row that is neither, or a timestep of more than `max_length` tokens.
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
        """(length,) int64, the ids to predict, -100 where the loss doesn't count."""
        labels = np.where(self._role_counts[window.roles], window.target_ids, -100)
        # It would be predicted from the end of the window before it.
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
                # A prompt that leaves no room for a single step is left out.
                if window is not None:
                    return GatoWindow(GatoSequence.concatenate([prompt.sequence, window]), prompt.prompt)
        return GatoWindow(self._steps(row, budget, random, fill))

    def _steps(
        self, episode: Mapping, budget: int, random: np.random.Generator, fill: bool, required: bool = True
    ) -> GatoSequence | None:
        """Timesteps from a random one on, within `budget` tokens; None if not one fits and none is required."""
        spaces = self.spaces(episode)
        lengths = self.processor.step_lengths(episode, **spaces)
        # The last start from which the end is reached: later ones would only make the window shorter.
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
        """Timesteps of an episode within `budget` tokens; None if there is none."""
        if episode is None:
            return None
        spaces = self.spaces(episode)
        lengths = self.processor.step_lengths(episode, **spaces)
        start, place = lengths.earliest_start(budget), "end"
        if random.random() >= self.prompt_end_probability:
            start, place = int(random.integers(start + 1)), "anywhere"
        stop = lengths.furthest_stop(start, budget)
        if stop == start:
            return None
        return GatoWindow(self.processor.encode_episode(episode, start, stop, **spaces), place)

    def spaces(self, episode: Mapping) -> dict[str, Any]:
        """The spaces of an episode, as arguments of `GatoProcessor.encode_episode`."""
        return {
            "observation_space": _of_task(self.observation_space, episode, "observation_space"),
            "action_space": _of_task(self.action_space, episode, "action_space"),
        }


def is_episode(row: Mapping) -> bool:
    """Whether a row of a dataset is an episode; otherwise it is a document, or neither."""
    return any(row.get(name) is not None for name in EPISODE_COLUMNS)


def _of_task(space, episode: Mapping, name: str):
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
    """Windows one after the other in rows.

    Args:
        rows: the windows of each row.
        labels: gives the labels of a window.
        length: of the rows; that of the longest by default.

    Returns:
        input_ids, position_ids, which begin anew at each window, local_position_ids and labels (rows, length);
        pixel_values and patch_positions if there are images.
    """
    length = max(sum(map(len, windows)) for windows in rows) if length is None else length
    shape = (len(rows), length)
    data = {
        "input_ids": np.full(shape, processor.tokenizer.pad_token_id, np.int64),
        # Every padding token is a sequence of its own, to which nothing attends.
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
