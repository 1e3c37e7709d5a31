# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""One token sequence before it becomes part of a batch: the processor makes it, the collator cuts and joins it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


class TokenRole(enum.IntEnum):
    """What a token stands for. The loss and the cutting of windows depend on it."""

    OBSERVATION = 0
    DOCUMENT_TEXT = 1
    OBSERVATION_TEXT = 2
    ACTION = 3
    SEPARATOR = 4
    IMAGE = 5


@dataclass
class GatoSequence:
    """An episode, a document, or a part of one, as tokens.

    Args:
        input_ids: Ids (length,) int64.
        local_position_ids: Index of an observation token within its timestep; num_local_positions for separators and
            actions; -1 for text outside of timesteps; (length,) int64.
        roles: The `TokenRole` of each token, (length,) uint8.
        step_starts: Index of the first token of each timestep that begins in the sequence, (steps,) int64.
        patches: Pixels that aren't normalized yet, (patches, 3, patch_size, patch_size), one patch for each token with
            the role IMAGE.
        patch_positions: The places of the patches in their images, (patches, 2, 2) int64.
        target_ids: The id that a model should predict at each token, (length,) int64; None for `input_ids`. They
            differ where the environment was given another action than the expert's: the input is the executed action,
            the target is the expert's.
    """

    input_ids: np.ndarray
    local_position_ids: np.ndarray
    roles: np.ndarray
    step_starts: np.ndarray
    patches: np.ndarray
    patch_positions: np.ndarray
    target_ids: np.ndarray = None  # type: ignore[assignment]  # never None afterwards

    def __post_init__(self) -> None:
        if self.target_ids is None:
            self.target_ids = self.input_ids

    def __len__(self) -> int:
        return len(self.input_ids)

    def __getitem__(self, tokens: slice) -> "GatoSequence":
        """Returns the sequence of a slice of the tokens, with the patches that belong to them."""
        if not isinstance(tokens, slice) or tokens.step not in (None, 1):
            raise TypeError(f"a GatoSequence is cut with a slice of step 1, got {tokens!r}")
        start, stop, _ = tokens.indices(len(self))
        stop = max(start, stop)
        first_patch, num_patches = 0, 0
        if len(self.patches):
            first_patch = int(np.count_nonzero(self.roles[:start] == TokenRole.IMAGE.value))
            num_patches = int(np.count_nonzero(self.roles[start:stop] == TokenRole.IMAGE.value))
        patches = slice(first_patch, first_patch + num_patches)
        begins_here = (self.step_starts >= start) & (self.step_starts < stop)
        return GatoSequence(
            self.input_ids[start:stop],
            self.local_position_ids[start:stop],
            self.roles[start:stop],
            self.step_starts[begins_here] - start,
            self.patches[patches],
            self.patch_positions[patches],
            self.target_ids[start:stop],
        )

    @staticmethod
    def concatenate(sequences: Sequence["GatoSequence"]) -> "GatoSequence":
        """Joins sequences, one after the other.

        Raises:
            ValueError: for no sequence.
        """
        if not sequences:
            raise ValueError("concatenate needs at least one sequence, got none")
        if len(sequences) == 1:
            return sequences[0]
        ends = np.cumsum([len(sequence) for sequence in sequences])
        starts = ends - [len(sequence) for sequence in sequences]
        # Sequences without images don't decide the type of the patches.
        with_patches = [sequence for sequence in sequences if len(sequence.patches)] or sequences[:1]
        return GatoSequence(
            np.concatenate([sequence.input_ids for sequence in sequences]),
            np.concatenate([sequence.local_position_ids for sequence in sequences]),
            np.concatenate([sequence.roles for sequence in sequences]),
            np.concatenate([sequence.step_starts + start for sequence, start in zip(sequences, starts, strict=True)]),
            np.concatenate([sequence.patches for sequence in with_patches]),
            np.concatenate([sequence.patch_positions for sequence in with_patches]),
            np.concatenate([sequence.target_ids for sequence in sequences]),
        )


__all__ = ["GatoSequence", "TokenRole"]
