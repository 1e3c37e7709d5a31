# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Makes training batches: windows of a limited length, prompts from other episodes, labels, packed rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature

from .processing_gato import GatoProcessor
from .rows_gato import DOCUMENT_COLUMNS, EPISODE_COLUMNS
from .sequence_gato import GatoSequence
from .spaces_gato import Space
from .windows_gato import GatoWindowSampler, is_episode, pack


class GatoDataCollator:
    """Makes batches of episodes and documents (A Generalist Agent, sections 2.2 and 2.3).

    An episode that doesn't fit is cut to whole timesteps that begin at a random one; a document is cut to tokens that
    begin at a random one. Some windows of episodes begin with a prompt: timesteps of another episode of the same task.

    Args:
        processor: A `GatoProcessor`.
        max_length: The most tokens of a window, and of a packed row.
        pack: Whether windows share rows. The rows then have no attention mask, but `position_ids` that begin at 0 in
            each window, by which a model tells the windows apart. Otherwise each window is a row, padded on the right.
        prompt_probability: Share of the episodes' windows with a prompt; 0.25 in the paper.
        prompt_end_probability: Share of the prompts that come from the end of an episode, to show a goal; 0.5 in the
            paper. The others come from anywhere in the episode.
        prompt_episodes: A dataset with a column "task", from which prompts are taken. None takes them from the other
            episodes of the same batch. An episode that is the only one of its task gets no prompt.
        loss_on_observation_text: Whether the loss counts the text of observations, besides documents and actions. The
            paper's rule, "text and action tokens", does.
        observation_space, action_space: One gymnasium space for all episodes, or a mapping from task to space, see
            `GatoProcessor.encode_episode`.
        seed: Seed of the random numbers. None takes them from torch's global generator, which `Trainer` seeds.

    Raises:
        TypeError, ValueError: for arguments of another type or out of their range.
    """

    def __init__(
        self,
        processor: GatoProcessor,
        max_length: int = 1024,
        pack: bool = True,
        prompt_probability: float = 0.25,
        prompt_end_probability: float = 0.5,
        prompt_episodes: Any = None,
        loss_on_observation_text: bool = True,
        observation_space: Space | Mapping[Any, Space] = None,
        action_space: Space | Mapping[Any, Space] = None,
        seed: int | None = None,
    ) -> None:
        self.sampler = GatoWindowSampler(
            processor,
            max_length,
            prompt_probability,
            prompt_end_probability,
            loss_on_observation_text,
            observation_space,
            action_space,
        )
        self.processor = processor
        self.max_length = max_length
        self.pack = pack
        self.prompt_episodes = prompt_episodes
        self.seed = seed
        self._generators: dict[int | None, np.random.Generator] = {}
        self._prompt_rows: dict[Any, np.ndarray] | None = None
        if prompt_episodes is not None:
            self._prompt_rows = _rows_by_task(prompt_episodes)

    def __call__(self, features: Sequence[Mapping]) -> BatchFeature:
        """Draws a window of each row of a dataset and joins the windows in a batch.

        Args:
            features: Rows of a dataset: episodes (see `GatoProcessor.encode_episode`), optionally with a "task", and
                documents (see `GatoProcessor.encode_document`).

        Returns:
            Tensors input_ids, local_position_ids and labels (rows, length), with labels of -100 where the loss counts
            nothing; position_ids if packed, otherwise attention_mask (rows, length); pixel_values and patch_positions
            if there are images.

        Raises:
            TypeError, ValueError: for rows that are neither episodes nor documents, or a timestep longer than
                `max_length`.
        """
        if len(features) == 0:
            raise ValueError("a batch needs at least one row, got none")
        random = self._random_generator()
        windows = [self._window(index, features, random) for index in range(len(features))]
        return self._packed(windows) if self.pack else self._unpacked(windows)

    # -----------------------------------------------------------------------------------------------------------
    # Windows
    # -----------------------------------------------------------------------------------------------------------

    def _random_generator(self) -> np.random.Generator:
        if self.seed is None:
            return np.random.default_rng(int(torch.randint(2**62, ())))
        # Each worker process has a copy of this object, and needs random numbers of its own, other ones each epoch.
        worker = torch.utils.data.get_worker_info()
        stream = None if worker is None else worker.seed
        if stream not in self._generators:
            self._generators[stream] = np.random.default_rng(self.seed if stream is None else [self.seed, stream])
        return self._generators[stream]

    def _window(self, index: int, features: Sequence[Mapping], random: np.random.Generator) -> GatoSequence:
        row = features[index]
        if not isinstance(row, Mapping):
            raise TypeError(f"row {index} of the batch must be a mapping, got {type(row).__name__}")
        if not is_episode(row) and all(row.get(name) is None for name in DOCUMENT_COLUMNS):
            raise ValueError(
                f"row {index} of the batch is neither an episode nor a document: it has the columns "
                f"{sorted(map(str, row))}. Trainer removes columns that the model's forward doesn't name: set "
                "remove_unused_columns=False in TrainingArguments"
            )
        return self.sampler.draw(row, random, lambda: self._other_episode(index, features, random)).sequence

    def _other_episode(self, index: int, features: Sequence[Mapping], random: np.random.Generator) -> Mapping | None:
        """Draws another episode of the same task; returns None if there is none."""
        task = features[index].get("task")
        if task is None:
            return None
        if self._prompt_rows is None:
            others = [
                other
                for other in range(len(features))
                if other != index and features[other].get("task") == task and is_episode(features[other])
            ]
            return features[others[int(random.integers(len(others)))]] if others else None
        rows = self._prompt_rows.get(task, ())
        if len(rows) == 0:
            return None
        first = int(random.integers(len(rows)))
        candidate = self.prompt_episodes[int(rows[first])]
        if len(rows) > 1 and _is_same_episode(candidate, features[index]):
            second = (first + 1 + int(random.integers(len(rows) - 1))) % len(rows)
            candidate = self.prompt_episodes[int(rows[second])]
        return None if _is_same_episode(candidate, features[index]) else candidate

    # -----------------------------------------------------------------------------------------------------------
    # Batches
    # -----------------------------------------------------------------------------------------------------------

    def _packed(self, windows: list[GatoSequence]) -> BatchFeature:
        """Puts each window into the first row with enough room."""
        rows: list[list[GatoSequence]] = []
        used: list[int] = []
        for window in windows:
            row = next((row for row, length in enumerate(used) if length + len(window) <= self.max_length), len(rows))
            if row == len(rows):
                rows.append([])
                used.append(0)
            rows[row].append(window)
            used[row] += len(window)
        return BatchFeature(pack(rows, self.sampler.labels, self.processor), tensor_type="pt")

    def _unpacked(self, windows: list[GatoSequence]) -> BatchFeature:
        batch = self.processor.pad(windows, return_tensors="pt", padding_side="right")
        labels = np.full(tuple(batch["input_ids"].shape), -100, np.int64)
        for row, window in enumerate(windows):
            labels[row, : len(window)] = self.sampler.labels(window)
        batch["labels"] = torch.from_numpy(labels)
        return batch


def _is_same_episode(one: Mapping, other: Mapping) -> bool:
    """Tells whether two rows have the same actions, rewards and observations. Images take too long to compare."""
    for name in (*EPISODE_COLUMNS, "rewards"):
        left, right = one.get(name), other.get(name)
        if left is None and right is None:
            continue
        if left is None or right is None or len(left) != len(right):
            return False
        if name != "image_observations" and not np.array_equal(np.asarray(left), np.asarray(right)):
            return False
    return True


def _rows_by_task(episodes: Any) -> dict[Any, np.ndarray]:
    """Returns the indices of the rows of each task."""
    if not hasattr(episodes, "__getitem__") or not hasattr(episodes, "__len__"):
        raise TypeError(
            f"prompt_episodes must be a dataset whose rows can be read by their number, got {type(episodes).__name__}"
        )
    names = getattr(episodes, "column_names", None)
    known = names if names is not None else sorted({str(name) for row in episodes for name in row})
    if "task" not in known:
        raise ValueError(f'prompt_episodes must have a column "task", got {known}')
    # A dataset reads one column without decoding the images of the others.
    tasks = episodes["task"] if names is not None else [row.get("task") for row in episodes]
    rows = defaultdict(list)
    for index, task in enumerate(tasks):
        rows[task].append(index)
    return {task: np.array(indices) for task, indices in rows.items()}


__all__ = ["GatoDataCollator"]
