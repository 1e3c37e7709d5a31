# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Keeps what `generate` writes within the legal actions of a space."""

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor


class GatoActionLogitsProcessor(LogitsProcessor):
    """Rules out all ids but the legal ones of the next action token.

    An action follows a separator and holds none, so the number of tokens since the last separator of a row tells which
    token comes next. The processor keeps no state: one object serves any number of calls, batches and beams.

    Args:
        token_ranges: The (first id, one past the last id) of each token of an action.
        separator_token_id: The id of the separator.
    """

    def __init__(self, token_ranges: Sequence[tuple[int, int]], separator_token_id: int):
        self.token_ranges = [(int(first), int(past_last)) for first, past_last in token_ranges]
        self.separator_token_id = separator_token_id

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Returns the scores with those of illegal ids set to minus infinity.

        Args:
            input_ids: The ids written so far, (rows, length).
            scores: The scores of the next id, (rows, vocabulary).

        Raises:
            ValueError: if a row has no separator, or its action is already complete.
        """
        from_the_end = (input_ids == self.separator_token_id).flip(-1).int()
        num_written = from_the_end.argmax(-1)
        if input_ids.shape[-1] == 0 or not from_the_end.any(-1).all():
            raise ValueError("an action needs a separator in front of it: encode the observation with the processor")
        if int(num_written.max()) >= len(self.token_ranges):
            raise ValueError(
                f"an action of this space has {len(self.token_ranges)} tokens, but a row already has "
                f"{int(num_written.max())} tokens after its last separator"
            )
        ranges = torch.tensor(self.token_ranges, device=scores.device)[num_written.to(scores.device)]
        ids = torch.arange(scores.shape[-1], device=scores.device)
        legal = (ids >= ranges[:, :1]) & (ids < ranges[:, 1:])
        return scores.masked_fill(~legal, -torch.inf)


__all__ = ["GatoActionLogitsProcessor"]
