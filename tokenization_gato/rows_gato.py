# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Rows of a dataset as sequences: episodes with the columns of `jat-project/jat-dataset`, and documents."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from .codec_gato import GatoCodec
from .fields_gato import Field, Kind, Role
from .image_processing_gato import GatoImageProcessorPil
from .sequence_gato import GatoSequence, TokenRole
from .spaces_gato import Space
from .steps_gato import StepEncoder, StepLengths
from .tokenization_gato import IMAGE_TOKEN, GatoVocabulary
from .values_gato import as_array

# The columns of each role, in the order in which they are written where no space says otherwise.
_COLUMNS: dict[Role, dict[Kind, str]] = {
    "observation": {
        "text": "text_observations",
        "image": "image_observations",
        "continuous": "continuous_observations",
        "discrete": "discrete_observations",
    },
    "action": {"continuous": "continuous_actions", "discrete": "discrete_actions"},
}
EPISODE_COLUMNS = (*_COLUMNS["observation"].values(), *_COLUMNS["action"].values())
EXECUTED_PREFIX = "executed_"
DOCUMENT_COLUMNS = ("text", "images")


def encode_episode(
    encoder: StepEncoder,
    episode: Mapping,
    start: int = 0,
    stop: int | None = None,
    observation_space: Space = None,
    action_space: Space = None,
) -> GatoSequence:
    """Writes the timesteps [start, stop) of an episode, see `GatoProcessor.encode_episode`."""
    columns, num_steps = _columns_of(episode)
    stop = num_steps if stop is None else stop
    if not 0 <= start < stop <= num_steps:
        raise ValueError(f"need 0 <= start < stop <= {num_steps} steps, got start={start} and stop={stop}")
    columns = {name: column[start:stop] for name, column in columns.items()}
    observed = _fields_of(encoder.codec, columns, "observation", observation_space)
    _require_columns(observed[0], "observation")
    acted = _fields_of(encoder.codec, columns, "action", action_space)
    _require_columns(acted[0], "action")
    action_ids = encoder.codec.encode(*acted, stop - start)
    sequence = encoder.encode(*observed, action_ids)
    executed = _executed_columns(episode, columns, start, stop, num_steps)
    if executed:
        acted = _fields_of(encoder.codec, columns | executed, "action", action_space)
        is_action = sequence.roles == TokenRole.ACTION.value
        # `target_ids` keeps the expert's actions.
        sequence.input_ids = sequence.input_ids.copy()
        sequence.input_ids[is_action] = encoder.codec.encode(*acted, stop - start).reshape(-1)
    return sequence


def step_lengths(
    encoder: StepEncoder, episode: Mapping, observation_space: Space = None, action_space: Space = None
) -> StepLengths:
    """Counts the tokens that `encode_episode` writes for each timestep, without writing them."""
    columns, num_steps = _columns_of(episode)
    # One step tells the width of numbers; texts and images differ.
    varying = (_COLUMNS["observation"]["text"], _COLUMNS["observation"]["image"])
    columns = {name: column if name in varying else column[:1] for name, column in columns.items()}
    fields, values = _fields_of(encoder.codec, columns, "observation", observation_space)
    _, actions = _fields_of(encoder.codec, columns, "action", action_space)
    return encoder.lengths(fields, values, num_steps, sum(map(_num_values, actions)))


def encode_document(
    tokenizer: PreTrainedTokenizerBase,
    image_processor: GatoImageProcessorPil,
    vocabulary: GatoVocabulary,
    row: Mapping,
) -> GatoSequence:
    """Writes a text with images, see `GatoProcessor.encode_document`."""
    text, question, images = _parts_of_document(row)
    images = [] if images is None else image_processor.flatten(images)
    patches, positions, grids = image_processor.patchify(images)
    ids = tokenizer(_expand_placeholders(text, grids.prod(axis=1)))["input_ids"]
    if not ids or ids[-1] != tokenizer.eos_token_id:
        ids = [*ids, tokenizer.eos_token_id]
    ids = np.array(ids, np.int64)
    is_image = ids == vocabulary.image_token_id
    roles = np.where(is_image, TokenRole.IMAGE, TokenRole.DOCUMENT_TEXT).astype(np.uint8)
    if question:
        asked = np.array(tokenizer(question, add_special_tokens=False)["input_ids"], np.int64)
        words = np.flatnonzero(~is_image)[: len(asked)]
        # If the tokenizer joins the question's end with what follows, that token belongs to the answer.
        same = np.logical_and.accumulate(ids[words] == asked[: len(words)])
        roles[words[same]] = TokenRole.OBSERVATION_TEXT
    no_local_positions, no_steps = np.full(len(ids), -1, np.int64), np.zeros(0, np.int64)
    return GatoSequence(ids, no_local_positions, roles, no_steps, patches, positions)


def _parts_of_document(row: Mapping) -> tuple[str, str | None, Any]:
    """Returns the text, the question and the images of a document."""
    text, question, images = row.get("text"), row.get("question"), _images_of(row, "images")
    if text is None and images is None:
        raise ValueError(f"a document needs a text or images, got the columns {sorted(map(str, row))}")
    text = "" if text is None else text
    if not isinstance(text, str):
        raise TypeError(f"the text of a document must be a string, got {type(text).__name__}")
    if question is not None and not (isinstance(question, str) and text.startswith(question)):
        raise ValueError(f"the text of a document must begin with its question, {question!r}, got {text[:80]!r}")
    return text, question, images


def _expand_placeholders(text: str, patch_counts: np.ndarray) -> str:
    """Writes one placeholder for each patch; images come first in a text without placeholders."""
    if IMAGE_TOKEN not in text:
        text = IMAGE_TOKEN * len(patch_counts) + text
    parts = text.split(IMAGE_TOKEN)
    if len(parts) - 1 != len(patch_counts):
        raise ValueError(
            f"the text of a document has {len(parts) - 1} times {IMAGE_TOKEN}, but there are {len(patch_counts)} "
            "images"
        )
    return parts[0] + "".join(
        IMAGE_TOKEN * int(count) + part for count, part in zip(patch_counts, parts[1:], strict=True)
    )


def _columns_of(episode: Mapping) -> tuple[dict[str, Any], int]:
    """Returns the known columns of an episode, and the number of its timesteps."""
    columns = {name: episode[name] for name in EPISODE_COLUMNS if episode.get(name) is not None}
    image_column = _COLUMNS["observation"]["image"]
    if image_column in columns:
        columns[image_column] = _images_of(episode, image_column)
    if not columns:
        raise ValueError(
            f"an episode needs some of the columns {list(EPISODE_COLUMNS)}, got {sorted(map(str, episode))}"
        )
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of an episode must have one length, got {lengths}")
    num_steps = next(iter(lengths.values()))
    if num_steps == 0:
        raise ValueError("an episode must have at least one timestep, got none")
    return columns, num_steps


def _executed_columns(
    episode: Mapping, columns: Mapping[str, Any], start: int, stop: int, num_steps: int
) -> dict[str, np.ndarray]:
    """Returns the actions that the environment was given, by the names of the columns of the expert's actions."""
    executed = {}
    for name in _COLUMNS["action"].values():
        column = episode.get(EXECUTED_PREFIX + name)
        if column is None:
            continue
        executed[name] = np.asarray(column)[start:stop]
        if len(executed[name]) != len(columns.get(name, ())):
            raise ValueError(f"{EXECUTED_PREFIX}{name} must have the {num_steps} steps of {name}, got {len(column)}")
    return executed


def _images_of(row: Mapping, name: str) -> Any:
    """Returns the images of a row; those stored as bytes become arrays of the row's "image_shape"."""
    images = row.get(name)
    if images is None or len(images) == 0 or not isinstance(images[0], bytes):
        return images
    shape = row.get("image_shape")
    if shape is None:
        raise ValueError(f'{name} are bytes: the row needs their "image_shape", (height, width, channels)')
    size = math.prod(shape)
    for index, image in enumerate(images):
        if len(image) != size:
            raise ValueError(f"{name}[{index}] has {len(image)} bytes, an image of shape {tuple(shape)} has {size}")
    return np.frombuffer(b"".join(images), np.uint8).reshape(len(images), *shape)


def _fields_of(codec: GatoCodec, columns: Mapping[str, Any], role: Role, space: Space) -> tuple[list[Field], list]:
    """Returns the fields of a role, and the values of each; without a space each column is a field."""
    names = {kind: name for kind, name in _COLUMNS[role].items() if name in columns}
    if space is None:
        fields = [Field(role, (name,), kind) for kind, name in names.items()]
        return fields, [_checked_column(columns[name], name, kind) for kind, name in names.items()]
    fields = codec.fields(space, role)
    return fields, _share_out(fields, columns, names)


def _require_columns(fields: Sequence[Field], role: Role) -> None:
    if not fields:
        raise ValueError(f"an episode needs one of the columns {sorted(_COLUMNS[role].values())}, got none")


def _checked_column(column: Any, name: str, kind: Kind) -> Any:
    """Returns a column of numbers as an array, any other as it is. Raises TypeError for floats that must be ints."""
    if kind in ("text", "image"):
        return column
    values = as_array(column, name)
    if kind == "discrete" and values.dtype.kind == "f":
        raise TypeError(f"{name} must hold integers, got an array of {values.dtype}")
    return values


def _share_out(fields: Sequence[Field], columns: Mapping[str, Any], names: Mapping[Kind, str]) -> list:
    """Gives each field its part of the column of its kind, from left to right.

    Args:
        fields: The fields of a space.
        columns: The columns of an episode by name.
        names: The name of the column of each kind.

    Raises:
        TypeError, ValueError: if a column is missing, too narrow or too wide.
    """
    values, taken = [], dict.fromkeys(names, 0)
    for leaf in fields:
        if leaf.kind not in names:
            raise ValueError(f"the space has a {leaf.kind} leaf {leaf.name}, the episode no column for it")
        name, start = names[leaf.kind], taken[leaf.kind]
        column = _checked_column(columns[name], name, leaf.kind)
        if leaf.kind in ("text", "image"):
            if start:
                raise ValueError(f"{name} holds one {leaf.kind} a step, the space has several")
            taken[leaf.kind] = 1
            values.append(column)
        else:
            taken[leaf.kind] = start + leaf.size
            values.append(column.reshape(len(column), -1)[:, start : start + leaf.size])
    for kind, name in names.items():
        width = 1 if kind in ("text", "image") else _num_values(as_array(columns[name], name))
        if taken[kind] != width:
            raise ValueError(f"{name} has {width} values a step, the space takes {taken[kind]}")
    return values


def _num_values(column: np.ndarray) -> int:
    return math.prod(column.shape[1:])


__all__ = ["DOCUMENT_COLUMNS", "EPISODE_COLUMNS", "encode_document", "encode_episode", "step_lengths"]
