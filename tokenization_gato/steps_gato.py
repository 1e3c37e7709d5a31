# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Timesteps as one token sequence.

A timestep is its observation (text, then image patches, then tensors), the separator, then the action's tokens
(A Generalist Agent, section 2.1).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from transformers import PreTrainedTokenizerBase

from .codec_gato import GatoCodec
from .fields_gato import Field, get_leaf, infer_fields, require_one_structure, stack_leaf
from .image_processing_gato import GatoImageProcessorPil
from .sequence_gato import GatoSequence, TokenRole
from .spaces_gato import Space

_PARTS_OF_A_STEP = np.array(
    [TokenRole.OBSERVATION_TEXT, TokenRole.IMAGE, TokenRole.OBSERVATION, TokenRole.SEPARATOR, TokenRole.ACTION],
    np.uint8,
)

_MAX_CACHED_TEXTS = 4096


class StepLengths(NamedTuple):
    """Numbers of tokens of each timestep of an episode, (steps,) int64 each.

    Args:
        following: Tokens of a step that follows the one before it.
        first: Tokens of a step that begins a sequence. It differs only where texts aren't repeated, because a
            sequence always begins with its text.
    """

    following: np.ndarray
    first: np.ndarray

    def earliest_start(self, budget: int) -> int:
        """Returns the first step from which the rest of the episode fits in `budget` tokens, or the last step."""
        to_the_end = np.cumsum(self.following[::-1])[::-1] - self.following + self.first
        fits = np.flatnonzero(to_the_end <= budget)
        return int(fits[0]) if len(fits) else len(self.first) - 1

    def furthest_stop(self, start: int, budget: int) -> int:
        """Returns the greatest stop such that the steps [start, stop) fit in `budget` tokens."""
        from_start = np.cumsum(self.following[start:]) - self.following[start] + self.first[start]
        return start + int(np.searchsorted(from_start, budget, side="right"))


class ObservedTexts:
    """Tokenizes the texts of observations, each distinct text once.

    Args:
        tokenizer: The text tokenizer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self._cached_ids: dict[str, np.ndarray] = {}

    def ids(self, text: str) -> np.ndarray:
        """Returns the ids (tokens,) int64 of a text. Names of special tokens in it are plain text.

        Raises:
            TypeError: for anything but a string.
        """
        if not isinstance(text, str):
            raise TypeError(f"a text observation must be a string, got {type(text).__name__}")
        ids = self._cached_ids.get(text)
        if ids is None:
            encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            ids = np.array(encoded, np.int64)
            if len(self._cached_ids) >= _MAX_CACHED_TEXTS:
                self._cached_ids.clear()
            self._cached_ids[text] = ids
        return ids

    def lengths(self, texts: Sequence[str]) -> np.ndarray | int:
        """Returns the number of tokens of each text; one number if the texts are all the same."""
        if all(text == texts[0] for text in texts):  # an instruction, most often
            return len(self.ids(texts[0]))
        return np.array([len(self.ids(text)) for text in texts], np.int64)


@dataclass(frozen=True)
class StepEncoder:
    """Writes timesteps, given the values of their fields, as a `GatoSequence`.

    Args:
        codec: Writes numbers and actions.
        texts: Tokenizes the texts of observations.
        image_processor: Cuts images into patches.
        num_local_positions: The most tokens that an observation may have in one timestep.
        repeat_text_observations: Whether each timestep has its text, see `GatoProcessor`.
    """

    codec: GatoCodec
    texts: ObservedTexts
    image_processor: GatoImageProcessorPil
    num_local_positions: int
    repeat_text_observations: bool

    def columns_of(self, observations: Sequence, space: Space = None) -> tuple[list[Field], list]:
        """Returns the fields of nested observations, and the values of each field in all timesteps.

        Raises:
            TypeError, ValueError: naming the leaf that is missing or can't be encoded.
        """
        if space is None:
            fields = infer_fields(observations[0], "observation")
            require_one_structure(observations)
        else:
            fields = self.codec.fields(space, "observation")
        if not fields:
            raise ValueError("an observation must hold at least one value, got none")
        return fields, [stack_leaf(observations, leaf) for leaf in fields]

    def encode_many(
        self, observations: Sequence, previous: Sequence | None, space: Space = None
    ) -> list[GatoSequence]:
        """Writes one timestep of each of many environments, see `GatoProcessor.encode_observations`."""
        fields, columns = self.columns_of(observations, space)
        written = np.ones(len(observations), bool)
        if previous is not None:
            paths = [leaf.path for leaf in fields if leaf.kind == "text"]
            written = np.array(
                [
                    before is None or any(get_leaf(now, path) != get_leaf(before, path) for path in paths)
                    for now, before in zip(observations, previous, strict=True)
                ]
            )
        joined = self.encode(fields, columns, None, text_is_written=written)
        ends = [*joined.step_starts[1:], len(joined)]
        return [joined[start:end] for start, end in zip(joined.step_starts, ends, strict=True)]

    def encode(
        self,
        fields: Sequence[Field],
        columns: Sequence,
        action_ids: np.ndarray | None,
        text_is_written: np.ndarray | None = None,
    ) -> GatoSequence:
        """Writes timesteps that follow each other.

        Args:
            fields: The fields of an observation, in the order of their tokens.
            columns: The values of each field in all timesteps.
            action_ids: Ids (steps, tokens), or one row fewer; None for no actions.
            text_is_written: In which steps a text that isn't repeated appears, (steps,) bool; by default in the first
                and where it changes.

        Raises:
            TypeError, ValueError: naming the field that can't be encoded, or for too many tokens in a timestep.
        """
        num_steps = len(columns[0])
        texts, images, tensors = _by_kind(fields, columns)
        text_ids, text_lengths = self._encode_texts(texts, num_steps, text_is_written)
        patches, patch_positions, image_lengths = self._cut_images(images, num_steps)
        tensor_ids = self.codec.encode(*tensors, num_steps)
        local_text_lengths = text_lengths if self.repeat_text_observations else np.zeros_like(text_lengths)
        self._check_local_positions(local_text_lengths + image_lengths + tensor_ids.shape[1])

        # Tokens of each part of each step, in the order in which they are written.
        parts = np.zeros((num_steps, len(_PARTS_OF_A_STEP)), np.int64)
        parts[:, 0] = text_lengths
        parts[:, 1] = image_lengths
        parts[:, 2] = tensor_ids.shape[1]
        parts[:, 3] = 1
        if action_ids is not None:
            parts[: len(action_ids), 4] = action_ids.shape[1]
        lengths = parts.sum(axis=1)
        starts = np.cumsum(lengths) - lengths
        roles = np.broadcast_to(_PARTS_OF_A_STEP, parts.shape).reshape(-1).repeat(parts.reshape(-1))
        is_text, is_image, is_tensor, is_separator, is_action = (roles == role for role in _PARTS_OF_A_STEP.tolist())

        input_ids = np.empty(len(roles), np.int64)
        input_ids[is_text] = text_ids
        input_ids[is_image] = self.codec.vocabulary.image_token_id
        input_ids[is_tensor] = tensor_ids.reshape(-1)
        input_ids[is_separator] = self.codec.vocabulary.separator_token_id
        if action_ids is not None:
            input_ids[is_action] = action_ids.reshape(-1)

        local = np.arange(len(roles)) - (starts + text_lengths - local_text_lengths).repeat(lengths)
        if not self.repeat_text_observations:
            local[is_text] = -1
        local[is_separator | is_action] = self.num_local_positions
        return GatoSequence(input_ids, local, roles, starts, patches, patch_positions)

    def lengths(self, fields: Sequence[Field], columns: Sequence, num_steps: int, action_size: int) -> StepLengths:
        """Counts the tokens that `encode` writes for each timestep.

        Args:
            fields: The fields of an observation.
            columns: The values of each field: of texts and images in all timesteps, of numbers in one or more.
            num_steps: The number of timesteps.
            action_size: The number of tokens of an action.
        """
        texts, images, tensors = _by_kind(fields, columns)
        text_lengths, image_lengths = np.zeros(num_steps, np.int64), np.zeros(num_steps, np.int64)
        for column in texts:
            text_lengths += self.texts.lengths(column)
        for column in images:
            image_lengths += self._count_patches(column)
        constant = 1 + action_size + sum(math.prod(column.shape[1:]) for column in tensors[1])
        first = text_lengths + image_lengths + constant
        if self.repeat_text_observations or not texts:
            return StepLengths(first, first)
        written = _changes(list(zip(*texts, strict=True)))
        return StepLengths(np.where(written, first, first - text_lengths), first)

    def _check_local_positions(self, lengths: np.ndarray) -> None:
        longest = int(lengths.max())
        if longest > self.num_local_positions:
            raise ValueError(
                f"an observation may have num_local_positions={self.num_local_positions} tokens in one timestep, "
                f"timestep {int(lengths.argmax())} has {longest}"
            )

    def _encode_texts(
        self, texts: list[Sequence[str]], num_steps: int, written: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns all text ids in order, and their number in each step."""
        if not texts:
            return np.zeros(0, np.int64), np.zeros(num_steps, np.int64)
        by_step = list(zip(*texts, strict=True))
        if not self.repeat_text_observations:
            written = _changes(by_step) if written is None else written
            by_step = [step if is_written else () for step, is_written in zip(by_step, written, strict=True)]
        ids = [[self.texts.ids(text) for text in step] for step in by_step]
        lengths = np.array([sum(map(len, step)) for step in ids], np.int64)
        flat = [part for step in ids for part in step]
        return np.concatenate(flat) if flat else np.zeros(0, np.int64), lengths

    def _cut_images(self, images: list, num_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the patches in order, their positions, and their number in each step."""
        in_order = images[0] if len(images) == 1 else [column[step] for step in range(num_steps) for column in images]
        patches, positions, grids = self.image_processor.patchify(in_order)
        counts = grids[:, 0] * grids[:, 1]
        return patches, positions, counts if len(images) == 1 else counts.reshape(num_steps, -1).sum(axis=1)

    def _count_patches(self, images: Sequence) -> np.ndarray:
        if isinstance(images, np.ndarray):  # of one size
            size = self.image_processor.image_size(images[0])
            return np.full(len(images), math.prod(self.image_processor.patch_grid(*size)), np.int64)
        sizes = [self.image_processor.image_size(image) for image in images]
        grids = {size: math.prod(self.image_processor.patch_grid(*size)) for size in set(sizes)}
        return np.array([grids[size] for size in sizes], np.int64)


def episodes_of(observations: Any, actions: Any) -> list[tuple[list, list]]:
    """Returns the (observations, actions) of each episode of a call, see `GatoProcessor.__call__`.

    Raises:
        TypeError, ValueError: for no timestep, or actions that aren't nested like the observations.
    """
    if not isinstance(observations, list):
        return [([observations], [] if actions is None else [actions])]
    if not observations:
        raise ValueError("observations must hold at least one timestep, got an empty list")
    if isinstance(actions, (Mapping, str)):
        raise TypeError("the actions of an episode must be a list with one element a timestep")
    if not isinstance(observations[0], list):
        return [(observations, _as_list(actions))]
    actions = [None] * len(observations) if actions is None else actions
    if len(actions) != len(observations):
        raise ValueError(f"got {len(observations)} episodes of observations and {len(actions)} of actions")
    for index, steps in enumerate(observations):
        if not isinstance(steps, list) or not steps:
            raise ValueError(f"episode {index} of the batch must be a list of at least one timestep")
    return [(steps, _as_list(taken)) for steps, taken in zip(observations, actions, strict=True)]


def _as_list(actions: Any) -> list:
    return [] if actions is None else list(actions)


def _by_kind(fields: Sequence[Field], columns: Sequence) -> tuple[list, list, tuple[list[Field], list]]:
    """Splits columns into those of texts, those of images, and the fields and columns of tensors."""
    texts: list = []
    images: list = []
    tensors: tuple[list[Field], list] = ([], [])
    for leaf, column in zip(fields, columns, strict=True):
        if leaf.kind == "text":
            texts.append(column)
        elif leaf.kind == "image":
            images.append(column)
        else:
            tensors[0].append(leaf)
            tensors[1].append(column)
    return texts, images, tensors


def _changes(steps: list) -> np.ndarray:
    """Tells whether each element differs from the one before it; the first counts as a change."""
    return np.array([index == 0 or step != steps[index - 1] for index, step in enumerate(steps)])


__all__ = ["ObservedTexts", "StepEncoder", "StepLengths", "episodes_of"]
