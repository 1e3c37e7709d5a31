# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Any mix of text, images, observations and actions to model inputs, and ids back to text or actions.

A timestep is its observation (text, then image patches, then tensors), the separator, then the action's tokens; an
episode is its timesteps in order (A Generalist Agent, section 2.1).
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from transformers import BatchFeature, LogitsProcessorList, ProcessorMixin
from transformers.image_utils import ImageInput
from transformers.processing_utils import ProcessingKwargs

from .action_constraints_gato import GatoActionLogitsProcessor
from .image_processing_gato import GatoImageProcessorKwargs, GatoImageProcessorPil
from .sequence_gato import GatoSequence, TokenRole
from .tokenization_gato import IMAGE_TOKEN, default_tokenizer, extend_tokenizer
from .value_tokenization_gato import (
    ActionField,
    ObservationField,
    ValueScales,
    action_fields,
    as_array,
    get_leaf,
    infer_action_fields,
    infer_observation_fields,
    observation_fields,
    rebuild_action,
    structure,
)

# One line a message; an assistant's ends with the end-of-sequence token, where generation stops.
DEFAULT_CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ message['role'] + ': ' }}"
    "{%- set ends = eos_token if message['role'] == 'assistant' else '' -%}"
    "{%- set content = namespace(text='') -%}"
    "{%- if message['content'] is string -%}"
    "{%- set content.text = message['content'] -%}"
    "{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}{%- set content.text = content.text + '" + IMAGE_TOKEN + "' -%}"
    "{%- elif part['type'] == 'text' -%}{%- set content.text = content.text + part['text'] -%}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{% generation %}{{ content.text + ends }}{% endgeneration %}"
    "{%- else -%}{{ content.text }}{%- endif -%}"
    "{{ '\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ 'assistant: ' }}{%- endif -%}"
)

_OBSERVATION_COLUMNS = {
    "text_observations": "text",
    "image_observations": "image",
    "continuous_observations": "continuous",
    "discrete_observations": "discrete",
}
_ACTION_COLUMNS = {"continuous_actions": "continuous", "discrete_actions": "discrete"}
EPISODE_COLUMNS = (*_OBSERVATION_COLUMNS, *_ACTION_COLUMNS)
EXECUTED_PREFIX = "executed_"
DOCUMENT_COLUMNS = ("text", "images")

_PARTS_OF_A_STEP = np.array(
    [TokenRole.OBSERVATION_TEXT, TokenRole.IMAGE, TokenRole.OBSERVATION, TokenRole.SEPARATOR, TokenRole.ACTION],
    np.uint8,
)

_MAX_CACHED_TEXTS = 4096
_MAX_CACHED_SPACES = 1024


class GatoProcessorKwargs(ProcessingKwargs, total=False):
    _defaults = {}  # transformers 5.17 reads it
    images_kwargs: GatoImageProcessorKwargs


class StepLengths(NamedTuple):
    """Tokens of each timestep of an episode, (steps,) int64 each.

    Args:
        following: of a step that follows the one before it.
        first: of a step that begins a sequence. It differs only where texts aren't repeated, because a sequence
            always begins with its text.
    """

    following: np.ndarray
    first: np.ndarray

    def earliest_start(self, budget: int) -> int:
        """First step from which the rest of the episode fits in `budget` tokens; the last step if none does."""
        to_the_end = np.cumsum(self.following[::-1])[::-1] - self.following + self.first
        fits = np.flatnonzero(to_the_end <= budget)
        return int(fits[0]) if len(fits) else len(self.first) - 1

    def furthest_stop(self, start: int, budget: int) -> int:
        """One past the last step such that those from `start` on fit in `budget` tokens; `start` if none does."""
        from_start = np.cumsum(self.following[start:]) - self.following[start] + self.first[start]
        return start + int(np.searchsorted(from_start, budget, side="right"))


class GatoProcessor(ProcessorMixin):
    """Turns text, images, observations and actions into the inputs of a Gato model, and ids into text or actions.

    Args:
        image_processor: a `GatoImageProcessorPil`; None makes one.
        tokenizer: any text tokenizer of transformers. A copy of it is given the tokens of values, see
            `extend_tokenizer`. None makes the small `default_tokenizer`.
        chat_template: Jinja template of conversations; None takes a simple one.
        num_bins, mu, mu_law_bound: bins and companding of continuous values.
        num_discrete: discrete values lie in [0, num_discrete).
        share_discrete_with_text: the paper's layout, see `GatoVocabulary`.
        num_local_positions: tokens that an observation may have in one timestep.
        repeat_text_observations: True writes the text of an observation in every timestep, as the paper does. False
            takes it for an instruction: written before the observation that begins a sequence, and again only where
            it changes, outside of the local positions.

    Raises:
        TypeError, ValueError: for values that contradict each other, see the classes named above.
    """

    valid_processor_kwargs = GatoProcessorKwargs

    def __init__(
        self,
        image_processor=None,
        tokenizer=None,
        chat_template=None,
        num_bins=1024,
        mu=100.0,
        mu_law_bound=256.0,
        num_discrete=1024,
        share_discrete_with_text=True,
        num_local_positions=512,
        repeat_text_observations=True,
    ):
        image_processor = GatoImageProcessorPil() if image_processor is None else image_processor
        if not hasattr(image_processor, "patchify"):
            raise TypeError(f"image_processor must be a GatoImageProcessorPil, got {type(image_processor).__name__}")
        if (
            isinstance(num_local_positions, bool)
            or not isinstance(num_local_positions, int)
            or num_local_positions < 1
        ):
            raise ValueError(f"num_local_positions must be a positive integer, got {num_local_positions!r}")
        tokenizer = default_tokenizer() if tokenizer is None else tokenizer
        tokenizer, self.vocabulary = extend_tokenizer(tokenizer, num_bins, num_discrete, share_discrete_with_text)
        self.num_bins = num_bins
        self.mu = mu
        self.mu_law_bound = mu_law_bound
        self.num_discrete = num_discrete
        self.share_discrete_with_text = share_discrete_with_text
        self.num_local_positions = num_local_positions
        self.repeat_text_observations = repeat_text_observations
        self.image_token = IMAGE_TOKEN
        self.image_token_id = self.vocabulary.image_token_id
        self._scales = ValueScales(num_bins, mu, mu_law_bound, num_discrete)
        self._cached_texts: dict[str, np.ndarray] = {}
        self._cached_fields: dict[tuple, tuple] = {}
        super().__init__(image_processor, tokenizer, chat_template=chat_template or DEFAULT_CHAT_TEMPLATE)

    def __repr__(self) -> str:
        # That of the base class names each of the thousand tokens of values.
        return f"GatoProcessor({json.dumps(self.to_dict(), indent=2)})"

    @property
    def model_kwargs(self) -> dict[str, Any]:
        """What the configuration of a model must agree with: `GatoConfig(**processor.model_kwargs)`."""
        return {
            "vocab_size": self.vocabulary.size,
            "image_token_id": self.vocabulary.image_token_id,
            "separator_token_id": self.vocabulary.separator_token_id,
            "continuous_token_range": [self.vocabulary.continuous.start, self.vocabulary.continuous.stop],
            "pad_token_id": self.tokenizer.pad_token_id,
            "bos_token_id": self.tokenizer.bos_token_id,
            "eos_token_id": self.tokenizer.eos_token_id,
            "patch_size": self.image_processor.patch_size,
            "num_patch_positions": self.image_processor.num_patch_positions,
            "num_local_positions": self.num_local_positions,
        }

    @property
    def unused_input_names(self) -> list[str]:
        """The image grid only serves to count placeholders."""
        return ["image_grid"]

    # -----------------------------------------------------------------------------------------------------------
    # Calls
    # -----------------------------------------------------------------------------------------------------------

    def __call__(
        self,
        images: ImageInput | None = None,
        text: str | list[str] | None = None,
        observations: Any = None,
        actions: Any = None,
        observation_space=None,
        action_space=None,
        **kwargs,
    ) -> BatchFeature:
        """Model inputs for text and images, or for observations and actions.

        Args:
            images, text: as for any processor of transformers. Each "<image>" of the text stands for an image; a text
                without one gets its images in front. Images without text make one row an image, or one row a list of
                images.
            observations: a mapping, array or string is one timestep; a list of those an episode; a list of lists a
                batch of episodes. Tuples are nested observations.
            actions: the actions of the timesteps, nested like the observations. With one fewer than observations the
                sequence ends with a separator: the model is to act.
            observation_space, action_space: gymnasium spaces, where values don't say enough.
            kwargs: `return_tensors`, "pt", "np" or None; for text and images any of `ProcessorMixin.__call__`, for
                observations `padding_side`.

        Returns:
            input_ids and attention_mask (rows, length), padded on the left by default; pixel_values
            (patches, 3, patch_size, patch_size) and patch_positions (patches, 2, 2) if there are images; for
            observations local_position_ids (rows, length) as well.

        Raises:
            TypeError, ValueError: naming the input that can't be encoded.
        """
        if observations is None:
            if actions is not None or observation_space is not None or action_space is not None:
                raise ValueError("actions and spaces need observations, got none")
            return super().__call__(images=images, text=text, **kwargs)
        if images is not None or text is not None:
            raise ValueError("give observations, or images and text, not both: an observation holds its own")
        return_tensors, padding_side = kwargs.pop("return_tensors", None), kwargs.pop("padding_side", "left")
        if kwargs:
            raise TypeError(f"unexpected arguments for observations: {sorted(kwargs)}")
        episodes = self._as_batch(observations, actions)
        sequences = [
            self._encode_steps(*self._steps_of(steps, taken, observation_space, action_space))
            for steps, taken in episodes
        ]
        return self.pad(sequences, return_tensors=return_tensors, padding_side=padding_side)

    @staticmethod
    def _as_batch(observations, actions) -> list[tuple[list, list]]:
        """(observations, actions) of each episode."""
        if not isinstance(observations, list):
            return [([observations], [] if actions is None else [actions])]
        if not observations:
            raise ValueError("observations must hold at least one timestep, got an empty list")
        if isinstance(actions, (Mapping, str)):
            raise TypeError("the actions of an episode must be a list with one element a timestep")
        if not isinstance(observations[0], list):
            return [(observations, [] if actions is None else list(actions))]
        if actions is None:
            actions = [[]] * len(observations)
        if len(actions) != len(observations):
            raise ValueError(f"got {len(observations)} episodes of observations and {len(actions)} of actions")
        for index, steps in enumerate(observations):
            if not isinstance(steps, list) or not steps:
                raise ValueError(f"episode {index} of the batch must be a list of at least one timestep")
        return [
            (steps, [] if taken is None else list(taken)) for steps, taken in zip(observations, actions, strict=True)
        ]

    def prepare_inputs_layout(self, images=None, text=None, videos=None, audio=None, **kwargs):
        """Puts images in front of texts without a placeholder; see `__call__`."""
        if isinstance(text, str):
            text = [text]
        if text is not None and not (isinstance(text, (list, tuple)) and all(isinstance(row, str) for row in text)):
            raise TypeError(f"text must be a string or a list of strings, got {text!r}")
        if images is not None and not any(self.image_token in row for row in text or ()):
            text = self._with_images_in_front(images, text)
        images = None if images is None else self.image_processor.flatten(images)
        return super().prepare_inputs_layout(images=images, text=text, videos=videos, audio=audio, **kwargs)

    def _with_images_in_front(self, images, text: list[str] | None) -> list[str]:
        nested = isinstance(images, (list, tuple)) and len(images) > 0 and isinstance(images[0], (list, tuple))
        if nested:
            counts = [len(self.image_processor.flatten(row)) for row in images]
        else:
            count = len(self.image_processor.flatten(images))
            counts = [count] if text is not None and len(text) == 1 else [1] * count
        if text is None:
            text = [""] * len(counts)
        if len(text) != len(counts):
            raise ValueError(
                f"got {len(text)} texts without {self.image_token} and {len(counts)} images or lists of images: "
                f"say with {self.image_token} where the images belong"
            )
        return [self.image_token * count + row for count, row in zip(counts, text, strict=True)]

    def validate_inputs(self, images=None, text=None, videos=None, audio=None, **kwargs):
        """Raises ValueError if there is neither text nor image, or the placeholders don't match the images."""
        super().validate_inputs(images=images, text=text, videos=videos, audio=audio, **kwargs)
        if text is not None:
            num_images = 0 if images is None else len(images)
            num_placeholders = sum(row.count(self.image_token) for row in text)
            if num_placeholders != num_images:
                raise ValueError(
                    f"the text has {num_placeholders} times {self.image_token}, but {num_images} images were given"
                )

    def replace_image_token(self, image_inputs: dict, image_idx: int, **kwargs) -> str:
        """One placeholder for each patch of the image."""
        rows, columns = image_inputs["image_grid"][image_idx]
        return self.image_token * int(rows * columns)

    def _get_num_multimodal_tokens(self, image_sizes=None, **kwargs):
        """Numbers of placeholders for images of these (height, width), as inference servers ask for them."""
        from transformers.processing_utils import MultiModalData

        if image_sizes is None:
            return MultiModalData()
        counts = [
            self.image_processor.get_number_of_image_patches(height, width, kwargs) for height, width in image_sizes
        ]
        return MultiModalData(num_image_tokens=counts, num_image_patches=counts)

    # -----------------------------------------------------------------------------------------------------------
    # Actions
    # -----------------------------------------------------------------------------------------------------------

    def encode_action(self, action, action_space=None) -> np.ndarray:
        """Ids (tokens,) int64 of one action. Without a space integers are discrete and floats lie in [-1, 1]."""
        return self._encode_actions([action], action_space)[0]

    def action_token_ranges(self, action_space) -> list[tuple[int, int]]:
        """(first id, one past the last id) of each token of an action: any id between is legal.

        Raises:
            TypeError, ValueError: for a space without a rule or with more values than discrete ids.
        """
        ranges = []
        for leaf in self._fields(action_fields, action_space):
            first, past_last = leaf.legal_range(self._scales)
            offset = self._first_id(leaf.is_continuous)
            ranges += [(int(low), int(high)) for low, high in zip(first + offset, past_last + offset, strict=True)]
        return ranges

    def action_constraints(self, action_space) -> dict[str, Any]:
        """Arguments with which `model.generate(**inputs, **constraints)` writes exactly one legal action.

        The end-of-sequence token is switched off: as an id below `num_discrete` it can be part of an action.
        """
        ranges = self.action_token_ranges(action_space)
        if not ranges:
            raise ValueError(f"an action of the space {action_space} has no tokens to generate")
        constraint = GatoActionLogitsProcessor(ranges, self.vocabulary.separator_token_id)
        return {
            "logits_processor": LogitsProcessorList([constraint]),
            "max_new_tokens": len(ranges),
            "eos_token_id": None,
        }

    def decode_action(self, ids, action_space) -> Any:
        """The action that the last ids of each row stand for.

        Args:
            ids: (length,) or (rows, length), for instance what `generate` returned; only the last tokens count.
            action_space: the gymnasium space of one environment's actions.

        Returns:
            One action, or a list of them for several rows. It always lies in the space.

        Raises:
            ValueError: for too few ids, or one outside its legal range.
        """
        ranges = np.array(self.action_token_ranges(action_space), np.int64).reshape(-1, 2)
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
        leaves = self._fields(action_fields, action_space)
        actions = [self._decode_row(row, leaves, action_space) for row in rows]
        return actions if len(actions) > 1 else actions[0]

    def _decode_row(self, row: np.ndarray, leaves: list[ActionField], action_space) -> Any:
        values, start = {}, 0
        for leaf in leaves:
            tokens = row[start : start + leaf.size] - self._first_id(leaf.is_continuous)
            values[leaf.path] = leaf.decode(tokens, self._scales)
            start += leaf.size
        return rebuild_action(action_space, values)

    def _fields(self, find: Callable[[Any], list], space) -> list:
        """The leaves of a space; found once, because an episode takes them several times."""
        key = (find, id(space))
        if key not in self._cached_fields or self._cached_fields[key][0] is not space:
            if len(self._cached_fields) >= _MAX_CACHED_SPACES:
                self._cached_fields.clear()
            self._cached_fields[key] = (space, find(space))  # the space stays, and with it its identity
        return self._cached_fields[key][1]

    def _first_id(self, is_continuous: bool) -> int:
        return self.vocabulary.continuous.start if is_continuous else self.vocabulary.discrete.start

    def _encode_actions(self, actions: Sequence, action_space) -> np.ndarray:
        """Ids (steps, tokens) of nested actions."""
        leaves = infer_action_fields(actions[0]) if action_space is None else self._fields(action_fields, action_space)
        columns = [(leaf, _stack_leaf(actions, leaf.path, leaf.name, leaf.kind)) for leaf in leaves]
        return self._encode_leaves(columns, len(actions))

    def _encode_leaves(self, columns: list[tuple[ActionField | ObservationField, Any]], num_steps: int) -> np.ndarray:
        if not columns:
            return np.zeros((num_steps, 0), np.int64)
        ids = [
            leaf.encode(values, self._scales) + self._first_id(leaf.kind == "continuous") for leaf, values in columns
        ]
        return ids[0] if len(ids) == 1 else np.concatenate(ids, axis=1)

    # -----------------------------------------------------------------------------------------------------------
    # Observations
    # -----------------------------------------------------------------------------------------------------------

    def encode_observation(self, observation, observation_space=None) -> GatoSequence:
        """One timestep up to and including the separator: the model is to act.

        Raises:
            TypeError, ValueError: naming the leaf that can't be encoded.
        """
        return self.encode_observations([observation], observation_space=observation_space)[0]

    def encode_observations(
        self, observations: Sequence, previous_observations: Sequence | None = None, observation_space=None
    ) -> list[GatoSequence]:
        """One timestep each, up to and including the separator, of many environments at once.

        Args:
            observations: the observation of each environment.
            previous_observations: the one before it in the same sequence, None where there is none; it only matters
                where texts aren't repeated: a text that hasn't changed is left out.
            observation_space: the gymnasium space of one environment's observations.

        Raises:
            TypeError, ValueError: naming the leaf that can't be encoded.
        """
        if previous_observations is not None and len(previous_observations) != len(observations):
            raise ValueError(
                f"got {len(observations)} observations and {len(previous_observations)} previous observations"
            )
        if len(observations) == 0:
            return []
        leaves, columns, _ = self._steps_of(list(observations), [], observation_space, None, check_actions=False)
        if previous_observations is not None:
            paths = [leaf.path for leaf in leaves if leaf.kind == "text"]
            written = np.array(
                [
                    before is None or any(get_leaf(now, path) != get_leaf(before, path) for path in paths)
                    for now, before in zip(observations, previous_observations, strict=True)
                ]
            )
        else:
            written = np.ones(len(observations), bool)
        joined = self._encode_steps(leaves, columns, None, text_is_written=written)
        ends = [*joined.step_starts[1:], len(joined)]
        return [joined[start:end] for start, end in zip(joined.step_starts, ends, strict=True)]

    def encode_steps(self, observations: Sequence, action_ids: Any, observation_space=None) -> GatoSequence:
        """Timesteps that follow each other, with the tokens of actions that a model has chosen, as one sequence.

        Args:
            observations: one a step. The first has its texts, the others where they differ from those before.
            action_ids: `(steps, tokens of an action)` integers.
            observation_space: the gymnasium space of the observations.

        Raises:
            TypeError, ValueError: naming the leaf that can't be encoded; as many actions as observations are needed.
        """
        action_ids = np.asarray(action_ids)
        if action_ids.ndim != 2 or len(action_ids) != len(observations) or action_ids.dtype.kind not in "iu":
            raise ValueError(
                f"action_ids must be integers of shape ({len(observations)} steps, tokens of an action), "
                f"got {action_ids.dtype} of shape {action_ids.shape}"
            )
        leaves, columns, _ = self._steps_of(list(observations), [], observation_space, None, check_actions=False)
        return self._encode_steps(leaves, columns, action_ids)

    def _steps_of(self, observations: list, actions: list, observation_space, action_space, check_actions=True):
        """Leaves, their values in each step, and action ids, of nested observations and actions."""
        if check_actions and len(actions) not in (len(observations) - 1, len(observations)):
            raise ValueError(
                f"an episode needs as many actions as observations, or one fewer, got {len(observations)} "
                f"observations and {len(actions)} actions"
            )
        if observation_space is None:
            leaves = infer_observation_fields(observations[0])
            expected = structure(observations[0])
            for step, observation in enumerate(observations):
                if structure(observation) != expected:
                    raise ValueError(
                        f"every timestep must have the same keys, timestep {step} has {structure(observation)}, "
                        f"the first {expected}"
                    )
        else:
            leaves = self._fields(observation_fields, observation_space)
        if not leaves:
            raise ValueError("an observation must hold at least one value, got none")
        columns = [_stack_leaf(observations, leaf.path, leaf.name, leaf.kind) for leaf in leaves]
        action_ids = self._encode_actions(actions, action_space) if actions else None
        return leaves, columns, action_ids

    def _encode_steps(
        self,
        leaves: list[ObservationField],
        columns: list,
        action_ids: np.ndarray | None,
        text_is_written: np.ndarray | None = None,
    ) -> GatoSequence:
        """The sequence of timesteps given each leaf's values in all of them.

        `action_ids` is (steps, tokens), or has one row fewer, or is None for none at all. `text_is_written` says in
        which steps a text that isn't repeated appears; by default in the first and where it changes.
        """
        num_steps = len(columns[0])
        texts = [column for leaf, column in zip(leaves, columns, strict=True) if leaf.kind == "text"]
        images = [column for leaf, column in zip(leaves, columns, strict=True) if leaf.kind == "image"]
        tensors = [
            (leaf, column) for leaf, column in zip(leaves, columns, strict=True) if leaf.kind not in ("text", "image")
        ]

        text_ids, text_lengths = self._encode_texts(texts, num_steps, text_is_written)
        patches, patch_positions, image_lengths = self._cut_images(images, num_steps)
        tensor_ids = self._encode_leaves(tensors, num_steps)
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
        input_ids[is_image] = self.vocabulary.image_token_id
        input_ids[is_tensor] = tensor_ids.reshape(-1)
        input_ids[is_separator] = self.vocabulary.separator_token_id
        if action_ids is not None:
            input_ids[is_action] = action_ids.reshape(-1)

        local = np.arange(len(roles))
        if self.repeat_text_observations:
            local -= starts.repeat(lengths)
        else:
            local -= (starts + text_lengths).repeat(lengths)
            local[is_text] = -1
        local[is_separator | is_action] = self.num_local_positions
        return GatoSequence(input_ids, local, roles, starts, patches, patch_positions)

    def _check_local_positions(self, lengths: np.ndarray) -> None:
        longest = int(lengths.max())
        if longest > self.num_local_positions:
            raise ValueError(
                f"an observation may have num_local_positions={self.num_local_positions} tokens in one timestep, "
                f"timestep {int(lengths.argmax())} has {longest}"
            )

    def _text_ids(self, text: str) -> np.ndarray:
        """Ids of an observation's text. Names of special tokens in it are plain text."""
        if not isinstance(text, str):
            raise TypeError(f"a text observation must be a string, got {type(text).__name__}")
        ids = self._cached_texts.get(text)
        if ids is None:
            encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            ids = np.array(encoded, np.int64)
            if len(self._cached_texts) >= _MAX_CACHED_TEXTS:
                self._cached_texts.clear()
            self._cached_texts[text] = ids
        return ids

    def _encode_texts(
        self, texts: list[list[str]], num_steps: int, written: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """All text ids in order, and their number in each step."""
        if not texts:
            return np.zeros(0, np.int64), np.zeros(num_steps, np.int64)
        by_step = list(zip(*texts, strict=True))
        if not self.repeat_text_observations:
            written = _changes(by_step) if written is None else written
            by_step = [step if is_written else () for step, is_written in zip(by_step, written, strict=True)]
        ids = [[self._text_ids(text) for text in step] for step in by_step]
        lengths = np.array([sum(map(len, step)) for step in ids], np.int64)
        flat = [part for step in ids for part in step]
        return np.concatenate(flat) if flat else np.zeros(0, np.int64), lengths

    def _cut_images(self, images: list, num_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Patches in order, their positions, and their number in each step."""
        in_order = images[0] if len(images) == 1 else [column[step] for step in range(num_steps) for column in images]
        patches, positions, grids = self.image_processor.patchify(in_order)
        counts = grids[:, 0] * grids[:, 1]
        return patches, positions, counts if len(images) == 1 else counts.reshape(num_steps, -1).sum(axis=1)

    # -----------------------------------------------------------------------------------------------------------
    # Rows of datasets
    # -----------------------------------------------------------------------------------------------------------

    def encode_episode(
        self, episode: Mapping, start: int = 0, stop: int | None = None, observation_space=None, action_space=None
    ) -> GatoSequence:
        """Timesteps [start, stop) of an episode.

        Args:
            episode: a row of a dataset with the columns of `jat-project/jat-dataset`: any of continuous_observations
                (steps, n), discrete_observations (steps, n) or (steps,), text_observations (steps,),
                image_observations (steps,), continuous_actions (steps, m), discrete_actions (steps,) or (steps, m).
                Columns that are None or unknown are passed over. Images may be the bytes of uint8 arrays; then
                image_shape has their height, width and channels. Where the environment was given other actions than
                the expert's, executed_continuous_actions or executed_discrete_actions hold them: they are the
                `input_ids`, the expert's the `target_ids`.
            start, stop: which timesteps.
            observation_space, action_space: the gymnasium spaces of the environment. The leaves of a nested space
                take their values from the columns in the order of the leaves.

        Raises:
            TypeError, ValueError: naming the column that can't be encoded.
        """
        columns, num_steps = self._episode_columns(episode)
        stop = num_steps if stop is None else stop
        if not 0 <= start < stop <= num_steps:
            raise ValueError(f"need 0 <= start < stop <= {num_steps} steps, got start={start} and stop={stop}")
        columns = {name: column[start:stop] for name, column in columns.items()}
        leaves, values = self._observation_leaves(columns, observation_space)
        if not leaves:
            raise ValueError(f"an episode needs one of the columns {sorted(_OBSERVATION_COLUMNS)}, got none")
        actions = self._action_leaves(columns, action_space)
        if not actions:
            raise ValueError(f"an episode needs one of the columns {sorted(_ACTION_COLUMNS)}, got none")
        sequence = self._encode_steps(leaves, values, self._encode_leaves(actions, stop - start))
        executed = {
            name: np.asarray(column)[start:stop]
            for name in _ACTION_COLUMNS
            if (column := episode.get(EXECUTED_PREFIX + name)) is not None
        }
        if executed:
            for name, column in executed.items():
                if len(column) != len(columns.get(name, ())):
                    raise ValueError(
                        f"{EXECUTED_PREFIX}{name} must have the {num_steps} steps of {name}, got "
                        f"{len(episode[EXECUTED_PREFIX + name])}"
                    )
            leaves = self._action_leaves(columns | executed, action_space)
            is_action = sequence.roles == TokenRole.ACTION.value
            sequence.input_ids = sequence.input_ids.copy()
            sequence.input_ids[is_action] = self._encode_leaves(leaves, stop - start).reshape(-1)
        return sequence

    def step_lengths(self, episode: Mapping, observation_space=None, action_space=None) -> StepLengths:
        """Tokens that `encode_episode` writes for each timestep, without encoding it."""
        columns, num_steps = self._episode_columns(episode)
        # One step tells the width of numbers; texts and images differ.
        columns = {
            name: column if _OBSERVATION_COLUMNS.get(name) in ("text", "image") else column[:1]
            for name, column in columns.items()
        }
        leaves, values = self._observation_leaves(columns, observation_space)
        constant = 1 + sum(_num_values(column) for _, column in self._action_leaves(columns, action_space))
        text_lengths, texts = np.zeros(num_steps, np.int64), []
        image_lengths = np.zeros(num_steps, np.int64)
        for leaf, column in zip(leaves, values, strict=True):
            if leaf.kind == "text":
                text_lengths += self._lengths_of_texts(column)
                texts.append(column)
            elif leaf.kind == "image":
                image_lengths += self._count_patches(column)
            else:
                constant += _num_values(column)
        first = text_lengths + image_lengths + constant
        if self.repeat_text_observations or not texts:
            return StepLengths(first, first)
        written = _changes(list(zip(*texts, strict=True)))
        return StepLengths(np.where(written, first, first - text_lengths), first)

    def _lengths_of_texts(self, texts: Sequence[str]) -> np.ndarray | int:
        if all(text == texts[0] for text in texts):  # an instruction, most often
            return len(self._text_ids(texts[0]))
        return np.array([len(self._text_ids(text)) for text in texts], np.int64)

    def last_steps(self, lengths: StepLengths, budget: int) -> int:
        """Where the last steps begin that fit in `budget` tokens together: a `start` for `encode_episode`.

        Raises:
            ValueError: if not even the last step fits.
        """
        if lengths.first[-1] > budget:
            raise ValueError(
                f"the last timestep has {lengths.first[-1]} tokens, more than the {budget} there is room for"
            )
        return lengths.earliest_start(budget)

    def _count_patches(self, images) -> np.ndarray:
        if isinstance(images, np.ndarray):  # of one size
            size = self.image_processor.image_size(images[0])
            return np.full(len(images), math.prod(self.image_processor.patch_grid(*size)), np.int64)
        sizes = [self.image_processor.image_size(image) for image in images]
        grids = {size: math.prod(self.image_processor.patch_grid(*size)) for size in set(sizes)}
        return np.array([grids[size] for size in sizes], np.int64)

    def _episode_columns(self, episode: Mapping) -> tuple[dict[str, Any], int]:
        columns = {name: episode[name] for name in EPISODE_COLUMNS if episode.get(name) is not None}
        if "image_observations" in columns:
            columns["image_observations"] = _arrays_of_images(episode, "image_observations")
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

    def _observation_leaves(self, columns: dict[str, Any], space) -> tuple[list[ObservationField], list]:
        names = {kind: name for name, kind in _OBSERVATION_COLUMNS.items() if name in columns}
        if space is None:
            kinds = [kind for kind in _OBSERVATION_COLUMNS.values() if kind in names]
            leaves = [ObservationField((names[kind],), kind) for kind in kinds]
            return leaves, [_plain_column(columns[names[kind]], names[kind], kind) for kind in kinds]
        leaves = self._fields(observation_fields, space)
        return leaves, _share_out(leaves, columns, names)

    def _action_leaves(self, columns: dict[str, Any], space) -> list[tuple[ActionField, Any]]:
        names = {kind: name for name, kind in _ACTION_COLUMNS.items() if name in columns}
        if space is None:
            return [
                (ActionField((name,), kind), _plain_column(columns[name], name, kind)) for kind, name in names.items()
            ]
        leaves = self._fields(action_fields, space)
        return list(zip(leaves, _share_out(leaves, columns, names), strict=True))

    def encode_document(self, row: Mapping) -> GatoSequence:
        """A text with images, ending with the end-of-sequence token.

        Args:
            row: "text", a string, and "images", one image or a list of them; one of the two may be missing or None.
                Each "<image>" of the text stands for an image; without one the images come first. A "question" that
                the text begins with is what is given, not what is said: its tokens count as text of an observation.

        Raises:
            TypeError, ValueError: if both are missing, or placeholders and images don't match, or the text does not
                begin with the question.
        """
        text, images = row.get("text"), _arrays_of_images(row, "images")
        if text is None and images is None:
            raise ValueError(f"a document needs a text or images, got the columns {sorted(map(str, row))}")
        text = "" if text is None else text
        if not isinstance(text, str):
            raise TypeError(f"the text of a document must be a string, got {type(text).__name__}")
        question = row.get("question")
        if question is not None and not (isinstance(question, str) and text.startswith(question)):
            raise ValueError(f"the text of a document must begin with its question, {question!r}, got {text[:80]!r}")
        images = [] if images is None else self.image_processor.flatten(images)
        patches, positions, grids = self.image_processor.patchify(images)
        counts = grids.prod(axis=1)
        if self.image_token not in text:
            text = self.image_token * len(images) + text
        parts = text.split(self.image_token)
        if len(parts) - 1 != len(images):
            raise ValueError(
                f"the text of a document has {len(parts) - 1} times {self.image_token}, but there are {len(images)} "
                "images"
            )
        expanded = parts[0] + "".join(
            self.image_token * int(count) + part for count, part in zip(counts, parts[1:], strict=True)
        )
        ids = self.tokenizer(expanded)["input_ids"]
        if not ids or ids[-1] != self.tokenizer.eos_token_id:
            ids = [*ids, self.tokenizer.eos_token_id]
        ids = np.array(ids, np.int64)
        is_image = ids == self.vocabulary.image_token_id
        roles = np.where(is_image, TokenRole.IMAGE, TokenRole.DOCUMENT_TEXT).astype(np.uint8)
        if question:
            asked = np.array(self.tokenizer(question, add_special_tokens=False)["input_ids"], np.int64)
            words = np.flatnonzero(~is_image)[: len(asked)]
            # Where the tokenizer joins the question's end with what follows, that token is said.
            same = np.logical_and.accumulate(ids[words] == asked[: len(words)])
            roles[words[same]] = TokenRole.OBSERVATION_TEXT
        return GatoSequence(
            ids,
            np.full(len(ids), -1, np.int64),
            roles,
            np.zeros(0, np.int64),
            patches,
            positions,
        )

    # -----------------------------------------------------------------------------------------------------------
    # Batches
    # -----------------------------------------------------------------------------------------------------------

    def pad(
        self, sequences: Sequence[GatoSequence], return_tensors: str | None = "pt", padding_side: str = "left"
    ) -> BatchFeature:
        """One row a sequence, all as long as the longest; see `__call__` for what is returned.

        Raises:
            ValueError: for no sequence, or a padding_side other than "left" and "right".
        """
        if len(sequences) == 0:
            raise ValueError("pad needs at least one sequence, got none")
        if padding_side not in ("left", "right"):
            raise ValueError(f'padding_side must be "left" or "right", got {padding_side!r}')
        length = max(map(len, sequences))
        shape = (len(sequences), length)
        data = {
            "input_ids": np.full(shape, self.tokenizer.pad_token_id, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
            "local_position_ids": np.full(shape, -1, np.int64),
        }
        for row, sequence in enumerate(sequences):
            start = length - len(sequence) if padding_side == "left" else 0
            where = slice(start, start + len(sequence))
            data["input_ids"][row, where] = sequence.input_ids
            data["attention_mask"][row, where] = 1
            data["local_position_ids"][row, where] = sequence.local_position_ids
        data |= self.image_inputs(sequences)
        return BatchFeature(data, tensor_type=return_tensors)

    def image_inputs(self, sequences: Sequence[GatoSequence]) -> dict[str, np.ndarray]:
        """pixel_values and patch_positions of all patches in order; nothing if there are none."""
        with_patches = [sequence for sequence in sequences if len(sequence.patches)]
        if not with_patches:
            return {}
        patches = np.concatenate([sequence.patches for sequence in with_patches])
        positions = np.concatenate([sequence.patch_positions for sequence in with_patches])
        return {"pixel_values": self.image_processor.normalize_patches(patches), "patch_positions": positions}


def _changes(steps: list) -> np.ndarray:
    """Whether each element differs from the one before it; the first does."""
    return np.array([index == 0 or step != steps[index - 1] for index, step in enumerate(steps)])


def _stack_leaf(steps: Sequence, path: tuple, name: str, kind: str):
    """The values at a path in every step: an array of tensors, a list of texts or images."""
    values = [get_leaf(step, path) for step in steps] if path else list(steps)
    if kind in ("text", "image"):
        return values
    try:
        return np.stack([as_array(value, name) for value in values])
    except ValueError as error:
        raise ValueError(f"{name} must have one shape in all timesteps: {error}") from None


def _arrays_of_images(row: Mapping, name: str):
    """The images of a row, those stored as bytes with an "image_shape" as arrays (height, width, channels) uint8."""
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


def _plain_column(column, name: str, kind: str):
    if kind in ("text", "image"):
        return column
    values = as_array(column, name)
    if kind == "discrete" and values.dtype.kind == "f":
        raise TypeError(f"{name} must hold integers, got an array of {values.dtype}")
    return values


def _share_out(leaves, columns: dict[str, Any], names: dict[str, str]) -> list:
    """Gives the leaves of a space the columns of their kind, from left to right."""
    values, taken = [], {}
    for leaf in leaves:
        if leaf.kind not in names:
            raise ValueError(f"the space has a {leaf.kind} leaf {leaf.name}, the episode no column for it")
        column = columns[names[leaf.kind]]
        start = taken.get(leaf.kind, 0)
        if leaf.kind in ("text", "image"):
            if start:
                raise ValueError(f"{names[leaf.kind]} holds one {leaf.kind} a step, the space has several")
            taken[leaf.kind] = 1
            values.append(column)
            continue
        array = _plain_column(column, names[leaf.kind], leaf.kind)
        flat = array.reshape(len(array), -1)
        taken[leaf.kind] = start + leaf.size
        values.append(flat[:, start : start + leaf.size])
    for kind, name in names.items():
        width = 1 if kind in ("text", "image") else _num_values(as_array(columns[name], name))
        if taken.get(kind, 0) != width:
            raise ValueError(f"{name} has {width} values a step, the space takes {taken.get(kind, 0)}")
    return values


def _num_values(column: np.ndarray) -> int:
    return math.prod(column.shape[1:])


__all__ = ["GatoProcessor", "StepLengths"]
