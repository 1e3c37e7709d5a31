# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Actions as ids, the ids that are legal for the next action, and ids as actions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .codec_gato import GatoCodec
from .fields_gato import infer_fields, stack_leaf
from .spaces_gato import Space, join_leaves
from .values_gato import as_array


def encode_actions(codec: GatoCodec, actions: Sequence, space: Space = None) -> np.ndarray:
    """Returns the ids (steps, tokens) int64 of nested actions.

    Raises:
        TypeError, ValueError: naming the leaf that can't be encoded.
    """
    fields = infer_fields(actions[0], "action") if space is None else codec.fields(space, "action")
    return codec.encode(fields, [stack_leaf(actions, leaf) for leaf in fields], len(actions))


def action_token_ranges(codec: GatoCodec, space: Space) -> np.ndarray:
    """Returns the (first legal id, one past the last) of each token of an action, (tokens, 2) int64.

    Raises:
        TypeError, ValueError: for a space without a rule or with more values than discrete ids.
    """
    ranges = [np.stack(codec.legal_ids(leaf), axis=1) for leaf in codec.fields(space, "action")]
    return np.concatenate([np.zeros((0, 2), np.int64), *ranges])


def decode_actions(codec: GatoCodec, ids: Any, space: Space) -> list:
    """Returns the action that the last ids of each row stand for.

    Args:
        codec: The codec that wrote the ids.
        ids: Integers (length,) or (rows, length); only the last tokens count.
        space: The gymnasium space of one environment's actions.

    Raises:
        ValueError: for too few ids, or one outside its legal range.
    """
    ranges = action_token_ranges(codec, space)
    ids = as_array(ids, "ids")
    if ids.dtype.kind not in "iu" or ids.ndim not in (1, 2):
        raise ValueError(f"ids must be integers of shape (length,) or (rows, length), got {ids.dtype} {ids.shape}")
    rows = np.atleast_2d(ids)
    if rows.shape[1] < len(ranges):
        raise ValueError(f"an action of this space has {len(ranges)} tokens, got {rows.shape[1]} ids")
    rows = rows[:, rows.shape[1] - len(ranges) :].astype(np.int64)
    illegal = (rows < ranges[:, 0]) | (rows >= ranges[:, 1])
    if illegal.any():
        row, slot = (int(axis[0]) for axis in np.nonzero(illegal))
        first, past_last = ranges[slot]
        raise ValueError(
            f"action token {slot} of row {row} has id {rows[row, slot]}, legal are [{first}, {past_last})"
        )
    fields = codec.fields(space, "action")
    return [join_leaves(space, codec.decode(fields, row)) for row in rows]


__all__ = ["action_token_ranges", "decode_actions", "encode_actions"]
