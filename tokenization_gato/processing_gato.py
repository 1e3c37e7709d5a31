# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Turns any mix of text, images, observations and actions into model inputs, and ids into text or actions.

The processor is made of parts, each in a module of its own: `values_gato` computes, `scaling_gato` brings continuous
values to [-1, 1], `fields_gato` finds the leaves of values and `spaces_gato` those of gymnasium spaces, `codec_gato`
writes leaves as ids, `steps_gato`, `actions_gato` and `rows_gato` write timesteps, actions and rows of datasets.
Calls, chat and padding are here. The file is longer than others because its docstrings are the reference of all that
users call.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import BatchFeature, LogitsProcessorList, PreTrainedTokenizerBase, ProcessorMixin
from transformers.image_utils import ImageInput
from transformers.processing_utils import MultiModalData, ProcessingKwargs

from .action_constraints_gato import GatoActionLogitsProcessor
from .actions_gato import action_token_ranges, decode_actions, encode_actions
from .codec_gato import GatoCodec
from .image_processing_gato import GatoImageProcessorKwargs, GatoImageProcessorPil
from .rows_gato import encode_document, encode_episode, step_lengths
from .sequence_gato import GatoSequence
from .spaces_gato import Space
from .steps_gato import ObservedTexts, StepEncoder, StepLengths, episodes_of
from .tokenization_gato import IMAGE_TOKEN, default_tokenizer, extend_tokenizer
from .values_gato import ValueScales, require_positive_integer

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


class GatoProcessorKwargs(ProcessingKwargs, total=False):  # type: ignore[call-arg]
    """Arguments of a call that go to the image processor."""

    # transformers 5.17 reads it. An annotation would make it a key.
    _defaults = {}  # type: ignore[var-annotated]
    images_kwargs: GatoImageProcessorKwargs


class GatoProcessor(ProcessorMixin):
    """Turns text, images, observations and actions into the inputs of a Gato model, and ids into text or actions.

    Args:
        image_processor: A `GatoImageProcessorPil`; None makes one.
        tokenizer: Any text tokenizer of transformers. The tokens of values are added to a copy of it, see
            `extend_tokenizer`. None makes the small `default_tokenizer`.
        chat_template: Jinja template of conversations; None takes a simple one.
        num_bins, mu, mu_law_bound: Number of bins, and companding, of continuous values (section 2.1 of the paper).
        num_discrete: Discrete values lie in [0, num_discrete).
        share_discrete_with_text: Whether discrete values share their ids with text, as in the paper, see
            `GatoVocabulary`.
        num_local_positions: The most tokens that an observation may have in one timestep.
        repeat_text_observations: True writes the text of an observation in every timestep, as the paper does. False
            treats it as an instruction: it is written before the observation that begins a sequence, and again only
            where it changes; it has no local positions.

    Raises:
        TypeError, ValueError: for values that contradict each other, see the classes named above.
    """

    valid_processor_kwargs = GatoProcessorKwargs

    # transformers takes a parameter with "tokenizer" in its name for a text tokenizer, so there is only this one.
    def __init__(
        self,
        image_processor: GatoImageProcessorPil | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
        chat_template: str | None = None,
        num_bins: int = 1024,
        mu: float = 100.0,
        mu_law_bound: float = 256.0,
        num_discrete: int = 1024,
        share_discrete_with_text: bool = True,
        num_local_positions: int = 512,
        repeat_text_observations: bool = True,
    ) -> None:
        image_processor = GatoImageProcessorPil() if image_processor is None else image_processor
        if not hasattr(image_processor, "patchify"):
            raise TypeError(f"image_processor must be a GatoImageProcessorPil, got {type(image_processor).__name__}")
        require_positive_integer(num_local_positions, "num_local_positions")
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
        self._codec = GatoCodec(self.vocabulary, ValueScales(num_bins, mu, mu_law_bound, num_discrete))
        self._texts = ObservedTexts(tokenizer)
        super().__init__(image_processor, tokenizer, chat_template=chat_template or DEFAULT_CHAT_TEMPLATE)

    def __repr__(self) -> str:
        # The repr of the base class lists each of the thousand tokens of values.
        return f"GatoProcessor({json.dumps(self.to_dict(), indent=2)})"

    @property
    def model_kwargs(self) -> dict[str, Any]:
        """Arguments that make a configuration fit this processor: `GatoConfig(**processor.model_kwargs)`."""
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
        """Names of outputs of the image processor that no model takes: the grid only serves to count placeholders."""
        return ["image_grid"]

    @property
    def _steps(self) -> StepEncoder:
        # Made anew each time, so that it follows attributes that are set later.
        return StepEncoder(
            self._codec, self._texts, self.image_processor, self.num_local_positions, self.repeat_text_observations
        )

    # -----------------------------------------------------------------------------------------------------------
    # Calls
    # -----------------------------------------------------------------------------------------------------------

    def __call__(
        self,
        images: ImageInput | None = None,
        text: str | list[str] | None = None,
        observations: Any = None,
        actions: Any = None,
        observation_space: Space = None,
        action_space: Space = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Makes model inputs of text and images, or of observations and actions.

        Args:
            images, text: As for any processor of transformers. Each "<image>" of the text stands for an image; in a
                text without one its images come first. Images without text make one row an image, or one row a list
                of images.
            observations: A mapping, array or string is one timestep; a list of those is an episode; a list of lists
                is a batch of episodes. Tuples are nested observations.
            actions: The actions of the timesteps, nested like the observations. If there is one action fewer than
                observations, the sequence ends with a separator, and the model acts next.
            observation_space, action_space: Gymnasium spaces; pass them if the values are ambiguous.
            kwargs: `return_tensors`, "pt", "np" or None; for text and images any argument of
                `ProcessorMixin.__call__`, for observations `padding_side`.

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
        sequences = [
            self._encode_nested(steps, taken, observation_space, action_space)
            for steps, taken in episodes_of(observations, actions)
        ]
        return self.pad(sequences, return_tensors=return_tensors, padding_side=padding_side)

    def _encode_nested(
        self, observations: list, actions: list, observation_space: Space, action_space: Space
    ) -> GatoSequence:
        """Writes one episode of nested observations and actions."""
        if len(actions) not in (len(observations) - 1, len(observations)):
            raise ValueError(
                f"an episode needs as many actions as observations, or one fewer, got {len(observations)} "
                f"observations and {len(actions)} actions"
            )
        fields, columns = self._steps.columns_of(observations, observation_space)
        action_ids = encode_actions(self._codec, actions, action_space) if actions else None
        return self._steps.encode(fields, columns, action_ids)

    def prepare_inputs_layout(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> tuple:
        """Puts images in front of texts without a placeholder; see `__call__`."""
        if isinstance(text, str):
            text = [text]
        if text is not None and not (isinstance(text, (list, tuple)) and all(isinstance(row, str) for row in text)):
            raise TypeError(f"text must be a string or a list of strings, got {text!r}")
        if images is not None and not any(self.image_token in row for row in text or ()):
            text = self._with_images_in_front(images, text)
        images = None if images is None else self.image_processor.flatten(images)
        return super().prepare_inputs_layout(images=images, text=text, videos=videos, audio=audio, **kwargs)

    def _with_images_in_front(self, images: Any, text: Sequence[str] | None) -> list[str]:
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

    def validate_inputs(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> None:
        """Raises ValueError if there is neither text nor image, or the placeholders don't match the images."""
        super().validate_inputs(images=images, text=text, videos=videos, audio=audio, **kwargs)
        if text is not None:
            num_images = 0 if images is None else len(images)
            num_placeholders = sum(row.count(self.image_token) for row in text)
            if num_placeholders != num_images:
                raise ValueError(
                    f"the text has {num_placeholders} times {self.image_token}, but {num_images} images were given"
                )

    def replace_image_token(self, image_inputs: dict, image_idx: int, **kwargs: Any) -> str:
        """Returns one placeholder for each patch of the image."""
        rows, columns = image_inputs["image_grid"][image_idx]
        return self.image_token * int(rows * columns)

    def _get_num_multimodal_tokens(self, image_sizes: Any = None, **kwargs: Any) -> MultiModalData:
        """Counts the placeholders of images of these (height, width); inference servers call it."""
        if image_sizes is None:
            return MultiModalData()
        counts = [
            self.image_processor.get_number_of_image_patches(height, width, kwargs) for height, width in image_sizes
        ]
        return MultiModalData(num_image_tokens=counts, num_image_patches=counts)

    # -----------------------------------------------------------------------------------------------------------
    # Actions
    # -----------------------------------------------------------------------------------------------------------

    def encode_action(self, action: Any, action_space: Space = None) -> np.ndarray:
        """Returns the ids (tokens,) int64 of one action.

        Args:
            action: A number, an array, or nested mappings and tuples of them.
            action_space: The gymnasium space of the action. Without one integers are discrete and floats must lie in
                [-1, 1].

        Raises:
            TypeError, ValueError: naming the leaf that can't be encoded.
        """
        return encode_actions(self._codec, [action], action_space)[0]

    def action_token_ranges(self, action_space: Space) -> list[tuple[int, int]]:
        """Returns (first id, one past the last id) of each token of an action: any id between is legal.

        Raises:
            TypeError, ValueError: for a space without a rule or with more values than discrete ids.
        """
        return [(first, past_last) for first, past_last in action_token_ranges(self._codec, action_space).tolist()]

    def action_constraints(self, action_space: Space) -> dict[str, Any]:
        """Returns arguments with which `model.generate(**inputs, **constraints)` writes exactly one legal action.

        The end-of-sequence token is switched off, because its id can be part of an action if it is below
        `num_discrete`.

        Raises:
            TypeError, ValueError: for a space without a rule, without values, or with more values than discrete ids.
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

    def decode_action(self, ids: Any, action_space: Space) -> Any:
        """Returns the action that the last ids of each row stand for.

        Args:
            ids: Integers (length,) or (rows, length), for instance what `generate` returned; only the last tokens
                count.
            action_space: The gymnasium space of one environment's actions.

        Returns:
            One action, or a list of them for several rows. It always lies in the space.

        Raises:
            ValueError: for too few ids, or one outside its legal range.
        """
        actions = decode_actions(self._codec, ids, action_space)
        return actions if len(actions) > 1 else actions[0]

    # -----------------------------------------------------------------------------------------------------------
    # Observations
    # -----------------------------------------------------------------------------------------------------------

    def encode_observation(self, observation: Any, observation_space: Space = None) -> GatoSequence:
        """Writes one timestep up to and including the separator, after which the model acts.

        Args:
            observation: A string, a number, an array, an image, or nested mappings and tuples of them.
            observation_space: The gymnasium space of the observation; pass it if the value is ambiguous.

        Raises:
            TypeError, ValueError: naming the leaf that can't be encoded.
        """
        return self.encode_observations([observation], observation_space=observation_space)[0]

    def encode_observations(
        self, observations: Sequence, previous_observations: Sequence | None = None, observation_space: Space = None
    ) -> list[GatoSequence]:
        """Writes one timestep of each of many environments at once, up to and including the separator.

        Args:
            observations: The observation of each environment.
            previous_observations: The one before it in the same sequence, or None. It only matters if texts aren't
                repeated: a text that hasn't changed is left out.
            observation_space: The gymnasium space of one environment's observations.

        Raises:
            TypeError, ValueError: naming the leaf that can't be encoded.
        """
        if previous_observations is not None and len(previous_observations) != len(observations):
            raise ValueError(
                f"got {len(observations)} observations and {len(previous_observations)} previous observations"
            )
        if len(observations) == 0:
            return []
        return self._steps.encode_many(list(observations), previous_observations, observation_space)

    def encode_steps(self, observations: Sequence, action_ids: Any, observation_space: Space = None) -> GatoSequence:
        """Writes timesteps that follow each other, with the tokens of actions that a model has chosen.

        Args:
            observations: One a step. The first has its texts, the others those that differ from the step before.
            action_ids: Integers (steps, tokens of an action).
            observation_space: The gymnasium space of the observations.

        Raises:
            TypeError, ValueError: naming the leaf that can't be encoded, or if there isn't one action a step.
        """
        action_ids = np.asarray(action_ids)
        if action_ids.ndim != 2 or len(action_ids) != len(observations) or action_ids.dtype.kind not in "iu":
            raise ValueError(
                f"action_ids must be integers of shape ({len(observations)} steps, tokens of an action), "
                f"got {action_ids.dtype} of shape {action_ids.shape}"
            )
        return self._steps.encode(*self._steps.columns_of(list(observations), observation_space), action_ids)

    # -----------------------------------------------------------------------------------------------------------
    # Rows of datasets
    # -----------------------------------------------------------------------------------------------------------

    def encode_episode(
        self,
        episode: Mapping,
        start: int = 0,
        stop: int | None = None,
        observation_space: Space = None,
        action_space: Space = None,
    ) -> GatoSequence:
        """Writes the timesteps [start, stop) of an episode.

        Args:
            episode: A row of a dataset with the columns of `jat-project/jat-dataset`: any of continuous_observations
                (steps, n), discrete_observations (steps, n) or (steps,), text_observations (steps,),
                image_observations (steps,), continuous_actions (steps, m), discrete_actions (steps,) or (steps, m).
                Columns that are None or unknown are ignored. Images may be the bytes of uint8 arrays; image_shape
                then has their height, width and channels. If the environment was given other actions than the
                expert's, they are in executed_continuous_actions or executed_discrete_actions: they become the
                `input_ids`, the expert's the `target_ids`.
            start, stop: The first timestep, and the one past the last; all by default.
            observation_space, action_space: The gymnasium spaces of the environment. The leaves of a nested space
                take their values from the columns in the order of the leaves.

        Raises:
            TypeError, ValueError: naming the column that can't be encoded.
        """
        return encode_episode(self._steps, episode, start, stop, observation_space, action_space)

    def step_lengths(
        self, episode: Mapping, observation_space: Space = None, action_space: Space = None
    ) -> StepLengths:
        """Counts the tokens that `encode_episode` writes for each timestep, without writing them."""
        return step_lengths(self._steps, episode, observation_space, action_space)

    def last_steps(self, lengths: StepLengths, budget: int) -> int:
        """Returns the first of the last steps that fit in `budget` tokens together: a `start` for `encode_episode`.

        Raises:
            ValueError: if not even the last step fits.
        """
        if lengths.first[-1] > budget:
            raise ValueError(
                f"the last timestep has {lengths.first[-1]} tokens, more than the {budget} there is room for"
            )
        return lengths.earliest_start(budget)

    def encode_document(self, row: Mapping) -> GatoSequence:
        """Writes a text with images, ending with the end-of-sequence token.

        Args:
            row: "text", a string, and "images", one image or a list of them; one of the two may be missing or None.
                Each "<image>" of the text stands for an image; in a text without one the images come first. The text
                may begin with a "question": its tokens get the role of observed text, those after it are the answer.

        Raises:
            TypeError, ValueError: if both are missing, or placeholders and images don't match, or the text does not
                begin with the question.
        """
        return encode_document(self.tokenizer, self.image_processor, self.vocabulary, row)

    # -----------------------------------------------------------------------------------------------------------
    # Batches
    # -----------------------------------------------------------------------------------------------------------

    def pad(
        self, sequences: Sequence[GatoSequence], return_tensors: str | None = "pt", padding_side: str = "left"
    ) -> BatchFeature:
        """Makes each sequence one row of a batch, all as long as the longest; see `__call__` for what is returned.

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
        """Returns pixel_values and patch_positions of all patches in order; nothing if there are none."""
        with_patches = [sequence for sequence in sequences if len(sequence.patches)]
        if not with_patches:
            return {}
        patches = np.concatenate([sequence.patches for sequence in with_patches])
        positions = np.concatenate([sequence.patch_positions for sequence in with_patches])
        return {"pixel_values": self.image_processor.normalize_patches(patches), "patch_positions": positions}


__all__ = ["GatoProcessor", "StepLengths"]
