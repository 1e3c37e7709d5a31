# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Rows of training from many tasks by weight (A Generalist Agent, section 2.3).

Row i depends on the seed and i alone: they decide its task, the episodes of that task, and the random numbers of its
windows. So any number of processes makes the same rows in the same order, and a resumed training goes on at the row
where it stopped.

A row is filled to the last token with windows of one task. So the share of a task in the rows is its share in the
tokens, as in the paper, where a sequence is of one task. Tasks take turns by a low-discrepancy sequence: after any
number of rows each task has got its weight's share of them, exact to about one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.source import EpisodeSource
from .errors import TrainingError

if TYPE_CHECKING:
    import gymnasium
    import torch

    from tokenization_gato import GatoProcessor
    from tokenization_gato.windows_gato import GatoWindow, GatoWindowSampler

LABEL_KINDS = ("text", "observation_text", "continuous_action", "discrete_action")
# 2^64 divided by the golden ratio. Its multiples modulo 2^64 are spread evenly, however many are taken.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_TURNS_A_BLOCK = 2**16
# The number of rows in which the tokens per step, or per character of a document, are measured.
_ROWS_MEASURED = 32
# The number of rows that are simulated to estimate how many windows a row has.
_ROWS_SIMULATED = 256


@dataclass
class MixturePart:
    """One task of a mixture.

    Attributes:
        name: The name under which its loss is logged.
        source: Its episodes or documents.
        weight: Its share of the tokens, relative to the other weights.
        observation_space: The space of its observations, see `GatoProcessor.encode_episode`.
        action_space: The space of its actions.
        context_steps: The timesteps of a window, without its prompt. The default is all that fit.
        label_weight: The weight of each of its labels in the loss.
    """

    name: str
    source: EpisodeSource
    weight: float
    observation_space: gymnasium.Space | None = None
    action_space: gymnasium.Space | None = None
    context_steps: int | None = None
    label_weight: float = 1.0


class Turns:
    """Decides which part a row is of.

    Called with the number of a row, it returns the part, and how many rows before it are of the same part. The result
    depends on the weights, the seed and the row alone.
    """

    def __init__(self, weights: Sequence[float], seed: int):
        shares = np.asarray(weights, np.float64)
        self._upper = np.cumsum(shares / shares.sum())[:-1]
        self._num_parts = len(shares)
        self._offset = np.random.default_rng([seed, 0x7475726E]).integers(2**64, dtype=np.uint64)
        self._before = [np.zeros(self._num_parts, np.int64)]
        self._block: tuple[int, np.ndarray, np.ndarray] | None = None

    def __call__(self, row: int) -> tuple[int, int]:
        number, place = divmod(row, _TURNS_A_BLOCK)
        if self._block is None or self._block[0] != number:
            while len(self._before) <= number:
                counts = np.bincount(self._parts(len(self._before) - 1), minlength=self._num_parts)
                self._before.append(self._before[-1] + counts)
            parts = self._parts(number)
            ranks = np.empty(_TURNS_A_BLOCK, np.int64)
            for part in np.unique(parts):
                mine = np.flatnonzero(parts == part)
                ranks[mine] = self._before[number][part] + np.arange(len(mine))
            self._block = (number, parts, ranks)
        return int(self._block[1][place]), int(self._block[2][place])

    def _parts(self, block: int) -> np.ndarray:
        rows = np.arange(block * _TURNS_A_BLOCK, (block + 1) * _TURNS_A_BLOCK, dtype=np.uint64)
        points = (self._offset + rows * _GOLDEN).astype(np.float64) / 2.0**64
        return np.searchsorted(self._upper, points, side="right")


@dataclass
class MixtureRow:
    """One row of training: windows of one part that together have the length of the row."""

    part: int
    windows: list[GatoWindow] = field(default_factory=list)


class Mixture:
    """A map-style dataset of packed rows. `collate` makes batches of them.

    Args:
        parts: The tasks with their weights.
        processor: A `GatoProcessor`.
        length: Tokens per row.
        num_rows: The number of rows, all that the training takes.
        seed: The seed of all random choices.
        prompt_probability: See `GatoDataCollator`.
        prompt_end_probability: See `GatoDataCollator`.
        loss_on_observation_text: See `GatoDataCollator`.

    Raises:
        ValueError: There are no parts, or a weight or label weight is not a positive number.
        TrainingError: A row can't be encoded, or one of its timesteps is longer than a row of training. Only the first
            rows of each part are checked when the mixture is made.
    """

    def __init__(
        self,
        parts: Sequence[MixturePart],
        processor: GatoProcessor,
        length: int,
        num_rows: int,
        seed: int = 0,
        prompt_probability: float = 0.25,
        prompt_end_probability: float = 0.5,
        loss_on_observation_text: bool = True,
    ):
        from tokenization_gato.windows_gato import GatoWindowSampler

        if not parts:
            raise ValueError("a mixture needs at least one part, got none")
        for part in parts:
            for what, weight in (("weight", part.weight), ("label weight", part.label_weight)):
                if not (np.isfinite(weight) and weight > 0):
                    raise ValueError(f"the {what} of {part.name} must be a positive number, got {weight}")
        self.parts = list(parts)
        self.processor = processor
        self.length = length
        self.num_rows = num_rows
        self.seed = seed
        self._turns = Turns([part.weight for part in parts], seed)
        self._drawers = [
            _PartDrawer(
                part,
                number,
                seed,
                GatoWindowSampler(
                    processor,
                    length,
                    prompt_probability,
                    prompt_end_probability,
                    loss_on_observation_text,
                    part.observation_space,
                    part.action_space,
                    part.context_steps,
                ),
            )
            for number, part in enumerate(parts)
        ]

    def __len__(self) -> int:
        return self.num_rows

    def __getitem__(self, row: int) -> MixtureRow:
        if not 0 <= row < self.num_rows:
            raise IndexError(f"there are {self.num_rows} rows, {row} was asked for")
        part, turn = self._turns(row)
        return MixtureRow(part, self._drawers[part].windows(turn, np.random.default_rng([self.seed, row])))

    def collate(self, rows: Sequence[MixtureRow]) -> dict[str, torch.Tensor]:
        """Makes a batch of rows.

        Returns:
            What `GatoDataCollator` returns, and `part_ids` (rows,), the part of each row, and `label_kinds`
            (rows, length), the index in `LABEL_KINDS` of each label.
        """
        import torch

        from tokenization_gato.windows_gato import pack

        sampler = self._drawers[0].sampler
        windows = [[window.sequence for window in row.windows] for row in rows]
        data = pack(windows, sampler.labels, self.processor, self.length)
        data["part_ids"] = np.array([row.part for row in rows], np.int64)
        data["label_kinds"] = self._label_kinds(windows, data["labels"])
        return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in data.items()}

    def _label_kinds(self, windows: list, labels: np.ndarray) -> np.ndarray:
        from tokenization_gato.sequence_gato import TokenRole

        roles = np.zeros(labels.shape, np.uint8)
        for row, sequences in enumerate(windows):
            joined = np.concatenate([sequence.roles for sequence in sequences])
            roles[row, : len(joined)] = joined
        continuous = self.processor.vocabulary.continuous
        is_action = roles == TokenRole.ACTION.value
        is_continuous = (labels >= continuous.start) & (labels < continuous.stop)
        kinds = np.where(roles == TokenRole.OBSERVATION_TEXT.value, 1, 0)
        return np.where(is_action, np.where(is_continuous, 2, 3), kinds).astype(np.uint8)


class _PartDrawer:
    """Draws the rows of one part.

    Its episodes come in a random order, all of them before any comes again. An episode as long as several windows
    comes once for each of them. Row j of the part begins at the place in this order where the rows before it end on
    average.
    """

    def __init__(self, part: MixturePart, number: int, seed: int, sampler: GatoWindowSampler):
        self._part = part
        self._number = number
        self._seed = seed
        self.sampler = sampler
        self._orders: dict[int, np.ndarray] = {}
        tokens_a_unit, first_step = self._measure()
        sizes = np.maximum(part.source.lengths * tokens_a_unit, 1.0)
        longest = float(sampler.max_length)
        if part.context_steps is not None:
            longest = min(longest, first_step + (part.context_steps - 1) * tokens_a_unit)
        times = np.maximum(np.rint(sizes / longest), 1).astype(np.int64)
        self._rows = np.arange(len(times)).repeat(times)
        windows = sizes if part.context_steps is None else np.minimum(sizes, longest)
        self._windows_a_row, with_room = self._simulate(windows[self._rows], sizes, first_step)
        # A window at the end of a row may have no room for a prompt, so the others get more prompts.
        sampler.prompt_probability = min(1.0, sampler.prompt_probability / with_room)

    def _simulate(self, windows: np.ndarray, prompts: np.ndarray, first_step: float) -> tuple[float, float]:
        """Estimates the number of windows per row, and the share of them that have room for a prompt."""
        length = self.sampler.max_length
        random = np.random.default_rng([self._seed, self._number])
        room = np.full(_ROWS_SIMULATED, float(length))
        count, with_room = 0, 0
        while (room > 0).any():
            open_ = room > 0
            size = random.choice(windows, _ROWS_SIMULATED)
            fits = room >= 2 * first_step
            is_prompted = fits & (random.random(_ROWS_SIMULATED) < self.sampler.prompt_probability)
            prompt = np.minimum(random.choice(prompts, _ROWS_SIMULATED), room / 2) * is_prompted
            count += int(np.count_nonzero(open_))
            with_room += int(np.count_nonzero(open_ & fits))
            room = np.maximum(room - prompt - np.minimum(size, room - prompt), 0.0)
        return count / _ROWS_SIMULATED, max(with_room, 1) / count

    def windows(self, turn: int, random: np.random.Generator) -> list[GatoWindow]:
        """Draws the windows of row `turn` of the part."""
        place = int(turn * self._windows_a_row)
        windows: list[GatoWindow] = []
        room = self.sampler.max_length
        while room:
            index = self._row_at(place + len(windows))
            window = self._draw(index, random, room)
            windows.append(window)
            room -= len(window)
        return windows

    def _draw(self, index: int, random: np.random.Generator, room: int) -> GatoWindow:
        source = self._part.source

        def find_prompt() -> dict[str, Any] | None:
            other = source.another(index, random)
            return None if other is None else source[other]

        with self._naming_row(index):
            return self.sampler.draw(source[index], random, find_prompt, room, fill=True)

    @contextmanager
    def _naming_row(self, index: int) -> Iterator[None]:
        """Names the row where the processor can't encode it, which it says by a TypeError or a ValueError."""
        try:
            yield
        except (TypeError, ValueError) as error:
            raise TrainingError(f"{self._part.name}, row {index}: {error}") from error

    def _row_at(self, place: int) -> int:
        """Returns the episode or document at a place in the random order, which goes on without end."""
        epoch, place = divmod(place, len(self._rows))
        if epoch not in self._orders:
            if len(self._orders) > 1:
                del self._orders[min(self._orders)]
            random = np.random.default_rng([self._seed, self._number, epoch])
            self._orders[epoch] = self._part.source.order(random, self._rows)
        return int(self._orders[epoch][place])

    def _measure(self) -> tuple[float, float]:
        """Measures the tokens per step or character, and those of a first step, in the first rows of the part.

        Raises:
            TrainingError: One of these rows can't be encoded.
        """
        from tokenization_gato.windows_gato import is_episode

        source, processor = self._part.source, self.sampler.processor
        count = min(len(source), _ROWS_MEASURED)
        tokens, first_steps = 0, []
        for index in range(count):
            row = source[index]
            with self._naming_row(index):
                if is_episode(row):
                    spaces = self.sampler.spaces(row)
                    lengths = processor.step_lengths(row, **spaces)
                    if (longest := int(lengths.first.max())) > self.sampler.max_length:
                        raise ValueError(
                            f"a timestep has {longest} tokens, more than sequence.length={self.sampler.max_length}"
                        )
                    processor.encode_episode(row, 0, 1, **spaces)
                    tokens += int(lengths.first[0] + lengths.following[1:].sum())
                    first_steps.append(int(lengths.first[0]))
                else:
                    tokens += len(processor.encode_document(row))
        return tokens / max(1, int(source.lengths[:count].sum())), float(np.mean(first_steps or [1]))
