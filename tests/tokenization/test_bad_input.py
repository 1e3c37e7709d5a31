# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What each public function says to input that it can't use.

A case is (name, call, type of the error, pattern of its message). There are over 400 lines because there are over a
hundred cases, in one table, so that a missing one is seen.
"""

import functools

import numpy as np
import pytest
import torch
from gymnasium import spaces

from tokenization_gato import (
    GatoActionLogitsProcessor,
    GatoDataCollator,
    GatoImageProcessorPil,
    GatoProcessor,
    GatoSequence,
    GatoVocabulary,
    default_tokenizer,
    extend_tokenizer,
    train_tokenizer,
)
from tokenization_gato.fields_gato import infer_fields
from tokenization_gato.spaces_gato import fields_of
from tokenization_gato.values_gato import ValueScales, bins_to_values, inverse_mu_law, mu_law, values_to_bins
from tokenization_gato.windows_gato import GatoWindowSampler


@functools.cache
def processor(**kwargs) -> GatoProcessor:
    return GatoProcessor(**kwargs)


def observe(observation, space=None):
    return processor()(observations=observation, observation_space=space)


def episode(**columns) -> dict:
    return {"discrete_observations": [1, 2], "discrete_actions": [3, 4]} | columns


def collate(rows, **options):
    return GatoDataCollator(processor(), **options)(rows)


IMAGE = np.zeros((16, 16, 3), np.uint8)
DISCRETE = spaces.Discrete(7)

VOCABULARY = [
    ("vocabulary_without_text", lambda: GatoVocabulary(0), ValueError, "text_size must be at least 1, got 0"),
    ("vocabulary_of_a_string", lambda: GatoVocabulary("32000"), TypeError, "text_size must be an integer"),
    ("vocabulary_of_a_bool", lambda: GatoVocabulary(32000, num_bins=True), TypeError, "num_bins must be an integer"),
    ("vocabulary_too_small_to_share", lambda: GatoVocabulary(100), ValueError, "text_size=100 and num_discrete=1024"),
    ("kind_of_a_negative_id", lambda: GatoVocabulary(2000).kind([-1]), ValueError, r"\[0, 3026\), got .* -1"),
    ("kind_of_an_id_too_large", lambda: GatoVocabulary(2000).kind([3026]), ValueError, r"\[0, 3026\)"),
    ("kind_of_a_float", lambda: GatoVocabulary(2000).kind([0.5]), TypeError, "ids must be integers"),
    ("extending_a_string", lambda: extend_tokenizer("gpt2"), TypeError, "tokenizer of transformers, got str"),
    ("training_on_one_string", lambda: train_tokenizer("text"), TypeError, "got one string"),
    ("training_on_nothing", lambda: train_tokenizer([]), ValueError, "at least one string"),
    ("training_on_numbers", lambda: train_tokenizer(["a", 1]), TypeError, "must hold strings, got int at index 1"),
    ("training_too_small", lambda: train_tokenizer(["a"], vocab_size=257), ValueError, "at least 258"),
    (
        "small_trained_tokenizer_sharing",
        lambda: GatoProcessor(tokenizer=train_tokenizer(["a"], 258)),
        ValueError,
        "share_discrete_with_text=False",
    ),
]

VALUES = [
    ("mu_law_of_nan", lambda: mu_law([0.0, np.nan]), ValueError, r"finite, got nan at index \(1,\)"),
    ("mu_law_of_infinity", lambda: mu_law(-np.inf), ValueError, "finite, got -inf"),
    ("mu_law_of_text", lambda: mu_law(["a"]), TypeError, "must be numbers"),
    ("mu_law_of_ragged_rows", lambda: mu_law([[1.0], [1.0, 2.0]]), TypeError, "rows of equal length"),
    ("inverse_of_a_value_too_large", lambda: inverse_mu_law(1.5), ValueError, r"\[-1, 1\]"),
    ("inverse_of_nan", lambda: inverse_mu_law(np.nan), ValueError, "finite"),
    ("bin_of_a_value_too_large", lambda: values_to_bins(1.01), ValueError, r"\[-1, 1\], got .* 1.01"),
    ("value_of_a_bin_too_large", lambda: bins_to_values(1024), ValueError, r"\[0, 1024\), got .* 1024"),
    ("value_of_a_negative_bin", lambda: bins_to_values(-1), ValueError, r"\[0, 1024\)"),
    ("value_of_half_a_bin", lambda: bins_to_values(0.5), TypeError, "bins must be integers"),
    ("scales_without_mu", lambda: ValueScales(mu=0.0), ValueError, "mu and mu_law_bound must be positive"),
    (
        "fields_of_no_space",
        lambda: fields_of("Box", "observation"),
        TypeError,
        "expected a gymnasium space .*, got builtins.str",
    ),
    ("fields_of_no_space_of_actions", lambda: fields_of(None, "action"), TypeError, "expected a gymnasium space"),
    ("fields_of_a_space_without_a_rule", lambda: fields_of(spaces.OneOf([DISCRETE]), "action"), TypeError, "OneOf"),
    (
        "fields_of_a_nested_space_without_a_rule",
        lambda: fields_of(spaces.Dict(x=spaces.Sequence(DISCRETE)), "observation"),
        TypeError,
        "Sequence",
    ),
    ("fields_of_an_object", lambda: infer_fields({"x": object()}, "observation"), TypeError, "x must be numbers"),
    ("fields_of_a_text_action", lambda: infer_fields("left", "action"), TypeError, "give the action space"),
]

IMAGES = [
    ("patches_of_no_size", lambda: GatoImageProcessorPil(patch_size=0), ValueError, "patch_size must be a positive"),
    ("no_patches", lambda: GatoImageProcessorPil(max_patches=-1), ValueError, "max_patches must be a positive"),
    (
        "size_not_in_patches",
        lambda: GatoImageProcessorPil(do_resize=True, size={"height": 20, "width": 32}),
        ValueError,
        "multiples of 16",
    ),
    (
        "size_of_too_many_patches",
        lambda: GatoImageProcessorPil(do_resize=True, size={"height": 32, "width": 32}, max_patches=3),
        ValueError,
        "max_patches=3",
    ),
    ("image_of_five_channels", lambda: GatoImageProcessorPil()(np.zeros((16, 16, 5))), ValueError, "1, 3 or 4 chan"),
    ("image_of_one_dimension", lambda: GatoImageProcessorPil()(np.zeros(16)), ValueError, "2 or 3 dimensions"),
    ("image_of_objects", lambda: GatoImageProcessorPil().patchify([{}]), TypeError, "got dict"),
    ("image_without_pixels", lambda: GatoImageProcessorPil()(np.zeros((0, 16, 3), np.uint8)), ValueError, "0x16"),
    ("size_of_an_object", lambda: GatoImageProcessorPil().image_size({}), ValueError, "got dict"),
    ("grid_of_nothing", lambda: GatoImageProcessorPil().patch_grid(0, 5), ValueError, "0x5"),
    (
        "image_that_does_not_fit",
        lambda: GatoImageProcessorPil(do_pad=False)(np.zeros((17, 16, 3), np.uint8)),
        ValueError,
        "multiples of 16, got 17x16",
    ),
    (
        "gray_and_color_images_unconverted",
        lambda: GatoImageProcessorPil(do_convert_rgb=False, do_normalize=False)([IMAGE, IMAGE[..., :1]]),
        ValueError,
        "same number of channels",
    ),
    (
        "gray_image_with_three_means",
        lambda: GatoImageProcessorPil(do_convert_rgb=False)(IMAGE[..., :1]),
        ValueError,
        "image_mean and image_std",
    ),
]

PROCESSOR = [
    ("no_image_processor", lambda: GatoProcessor(image_processor=3), TypeError, "GatoImageProcessorPil, got int"),
    ("no_tokenizer", lambda: GatoProcessor(tokenizer="gpt2"), TypeError, "tokenizer of transformers"),
    ("no_local_positions", lambda: GatoProcessor(num_local_positions=0), ValueError, "num_local_positions must be a"),
    ("negative_mu", lambda: GatoProcessor(mu=-1.0), ValueError, "must be positive"),
    ("no_bins", lambda: GatoProcessor(num_bins=0), ValueError, "num_bins must be at least 1"),
    ("no_input", lambda: processor()(), ValueError, "at least one input"),
    ("text_of_a_number", lambda: processor()(text=3), TypeError, "a list of strings, got 3"),
    ("placeholder_without_image", lambda: processor()(text="<image>"), ValueError, "image"),
    ("more_images_than_placeholders", lambda: processor()([IMAGE] * 2, "<image>"), ValueError, "image"),
    (
        "images_that_fit_no_text",
        lambda: processor()([IMAGE] * 3, ["a", "b"]),
        ValueError,
        "2 texts without <image> and 3 images",
    ),
    ("both_worlds", lambda: processor()(text="go", observations=3), ValueError, "not both"),
    ("actions_alone", lambda: processor()(text="go", actions=[3]), ValueError, "need observations"),
    ("unknown_argument", lambda: processor()(observations=3, padding=True), TypeError, r"\['padding'\]"),
    ("no_timestep", lambda: observe([]), ValueError, "at least one timestep"),
    ("no_timestep_in_an_episode", lambda: observe([[1], []]), ValueError, "episode 1 of the batch"),
    ("nothing_observed", lambda: observe({}), ValueError, "at least one value"),
    ("actions_missing", lambda: observe([1, 2]), ValueError, "2 observations and 0 actions"),
    ("too_many_actions", lambda: processor()(observations=[1], actions=[1, 2]), ValueError, "1 obs.* and 2 actions"),
    ("actions_as_a_mapping", lambda: processor()(observations=[1, 2], actions={"x": [1]}), TypeError, "a list with"),
    (
        "batches_of_two_sizes",
        lambda: processor()(observations=[[1], [2]], actions=[[]]),
        ValueError,
        "2 episodes of observations and 1 of actions",
    ),
    (
        "keys_that_change",
        lambda: processor()(observations=[{"x": 1}, {"y": 1}], actions=[0]),
        ValueError,
        "timestep 1",
    ),
    ("a_key_the_space_needs", lambda: observe({"x": 1}, spaces.Dict(y=DISCRETE)), ValueError, "y is missing"),
    (
        "shapes_that_change",
        lambda: processor()(observations=[{"x": np.zeros(2)}, {"x": np.zeros(3)}], actions=[0]),
        ValueError,
        "x must have one shape",
    ),
    ("shape_of_another_space", lambda: observe(np.zeros(2), spaces.Box(-9, 9, (3,))), ValueError, r"shape \(3,\)"),
    ("observed_nan", lambda: observe({"speed": np.array([np.nan])}), ValueError, "speed must be finite"),
    ("observed_integer_too_large", lambda: observe({"cell": 1024}), ValueError, r"cell: .*\[0, 1024\).* got 1024"),
    ("observed_integer_below_zero", lambda: observe(-1), ValueError, r"\[0, 1024\).* got -1"),
    ("observed_integer_below_its_space", lambda: observe(2, spaces.Discrete(5, start=3)), ValueError, r"\[3, 1027\)"),
    ("observed_float_for_an_integer", lambda: observe(0.5, DISCRETE), TypeError, "must be integers"),
    ("observed_float_outside_the_unit", lambda: observe(2.0, spaces.Box(-1, 1, ())), ValueError, r"\[-1, 1\]"),
    ("observed_object", lambda: observe(object()), TypeError, "must be numbers"),
    ("text_that_is_a_number", lambda: observe(3, spaces.Text(4)), TypeError, "must be a string, got int"),
    ("too_many_tokens_a_step", lambda: observe(np.zeros(513)), ValueError, "num_local_positions=512 .* has 513"),
    (
        "previous_observations_of_fewer_environments",
        lambda: processor().encode_observations([1, 2], [1]),
        ValueError,
        "2 observations and 1 previous",
    ),
    (
        "action_ids_of_fewer_steps",
        lambda: processor().encode_steps([1, 2], [[300]]),
        ValueError,
        r"shape \(2 steps, tokens of an action\), got int64 of shape \(1, 1\)",
    ),
    (
        "action_ids_of_fractions",
        lambda: processor().encode_steps([1], [[0.5]]),
        ValueError,
        "must be integers .* got float64",
    ),
]

ACTIONS = [
    ("action_outside_its_space", lambda: processor().encode_action(7, DISCRETE), ValueError, r"is 7, .* \[0, 6\]"),
    ("action_below_its_space", lambda: processor().encode_action(-1, DISCRETE), ValueError, r"is -1, .* \[0, 6\]"),
    ("float_for_a_discrete_action", lambda: processor().encode_action(1.0, DISCRETE), TypeError, "must be integers"),
    (
        "action_beyond_its_bounds",
        lambda: processor().encode_action(np.array([0.0, 3.0]), spaces.Box(-2, 2, (2,))),
        ValueError,
        r"element 1 is 3, its bounds are \[-2, 2\]",
    ),
    ("action_of_nan", lambda: processor().encode_action(np.nan, spaces.Box(-2, 2, ())), ValueError, "must be finite"),
    (
        "unscaled_action_without_a_space",
        lambda: processor().encode_action(np.array([1.5])),
        ValueError,
        "or have a spa",
    ),
    ("text_action_too_short", lambda: processor().encode_action("", spaces.Text(3)), ValueError, "1 to 3 characters"),
    (
        "text_action_of_other_characters",
        lambda: processor().encode_action("xyz", spaces.Text(3, charset="ab")),
        ValueError,
        "outside its charset: 'xyz'",
    ),
    ("text_action_of_a_number", lambda: processor().encode_action(3, spaces.Text(3)), TypeError, "must be a string"),
    (
        "action_without_a_key",
        lambda: processor().encode_action({}, spaces.Dict(move=DISCRETE)),
        ValueError,
        "move is missing",
    ),
    (
        "too_many_discrete_actions",
        lambda: processor().action_token_ranges(spaces.Discrete(1025)),
        ValueError,
        "num_discrete=1024 values, the space has 1025",
    ),
    (
        "integers_too_far_apart",
        lambda: processor().action_token_ranges(spaces.Box(-(2**63), 2**63 - 1, (), np.int64)),
        ValueError,
        "the space has 18446744073709551616",
    ),
    (
        "too_many_characters",
        lambda: processor().encode_action("a", spaces.Text(3, charset=[chr(code) for code in range(97, 1121)])),
        ValueError,
        "the space has 1025",
    ),
    ("ranges_of_no_space", lambda: processor().action_token_ranges(None), TypeError, "expected a gymnasium space"),
    (
        "nothing_to_generate",
        lambda: processor().action_constraints(spaces.Box(-1, 1, (0,))),
        ValueError,
        "no tokens to generate",
    ),
    (
        "too_few_ids",
        lambda: processor().decode_action([3], spaces.MultiDiscrete([7, 7])),
        ValueError,
        "2 tokens, got 1 ids",
    ),
    (
        "illegal_id",
        lambda: processor().decode_action([1, 8], spaces.MultiDiscrete([7, 7])),
        ValueError,
        r"action token 1 of row 0 has id 8, legal are \[0, 7\)",
    ),
    ("ids_of_floats", lambda: processor().decode_action([0.5], DISCRETE), ValueError, "ids must be integers"),
    ("ids_of_three_dimensions", lambda: processor().decode_action([[[1]]], DISCRETE), ValueError, r"\(1, 1, 1\)"),
    (
        "action_without_a_separator",
        lambda: GatoActionLogitsProcessor([(0, 7)], 99)(torch.tensor([[1, 2]]), torch.zeros(1, 100)),
        ValueError,
        "needs a separator",
    ),
    (
        "action_that_is_complete",
        lambda: GatoActionLogitsProcessor([(0, 7)], 99)(torch.tensor([[99, 2]]), torch.zeros(1, 100)),
        ValueError,
        "has 1 tokens, but a row already has 1",
    ),
]

DATASETS = [
    ("episode_without_columns", lambda: processor().encode_episode({"x": 1}), ValueError, r"got \['x'\]"),
    (
        "episode_without_observations",
        lambda: processor().encode_episode({"discrete_actions": [1]}),
        ValueError,
        "one of the columns .*text_observations",
    ),
    (
        "episode_without_actions",
        lambda: processor().encode_episode({"discrete_observations": [1]}),
        ValueError,
        "one of the columns .*discrete_actions",
    ),
    ("episode_without_steps", lambda: processor().encode_episode(episode(discrete_actions=[])), ValueError, "length"),
    (
        "columns_of_two_lengths",
        lambda: processor().encode_episode(episode(discrete_actions=[1])),
        ValueError,
        "'discrete_observations': 2, 'discrete_actions': 1",
    ),
    ("no_steps_asked_for", lambda: processor().encode_episode(episode(), 1, 1), ValueError, "start=1 and stop=1"),
    ("steps_beyond_the_end", lambda: processor().encode_episode(episode(), 0, 3), ValueError, "<= 2 steps"),
    (
        "ragged_column",
        lambda: processor().encode_episode(episode(continuous_observations=[[1.0], [1.0, 2.0]])),
        TypeError,
        "continuous_observations must be numbers in rows",
    ),
    (
        "column_of_none",
        lambda: processor().encode_episode(episode(discrete_actions=[1, None])),
        TypeError,
        "discrete_actions must be numbers",
    ),
    (
        "column_of_floats_for_integers",
        lambda: processor().encode_episode(episode(discrete_actions=[1.0, 2.0])),
        TypeError,
        "discrete_actions must hold integers",
    ),
    (
        "column_of_nan",
        lambda: processor().encode_episode(episode(continuous_observations=[[1.0], [np.nan]])),
        ValueError,
        "continuous_observations must be finite",
    ),
    (
        "column_of_wide_actions",
        lambda: processor().encode_episode(episode(continuous_actions=[[1.0], [2.0]])),
        ValueError,
        r"continuous_actions must lie in \[-1, 1\], or have a space",
    ),
    (
        "column_of_other_text",
        lambda: processor().encode_episode(episode(text_observations=["go", 3])),
        TypeError,
        "must be a string, got int",
    ),
    (
        "column_of_no_images",
        lambda: processor().encode_episode(episode(image_observations=["a.png", "b.png"])),
        TypeError,
        "got str",
    ),
    (
        "space_without_a_column",
        lambda: processor().encode_episode(episode(), observation_space=spaces.Box(-1, 1, (2,))),
        ValueError,
        "a continuous leaf",
    ),
    (
        "column_the_space_does_not_take",
        lambda: processor().encode_episode(episode(discrete_observations=[[1, 2]] * 2), observation_space=DISCRETE),
        ValueError,
        "discrete_observations has 2 values a step, the space takes 1",
    ),
    (
        "column_too_narrow_for_the_space",
        lambda: processor().encode_episode(episode(), action_space=spaces.MultiDiscrete([9, 9])),
        ValueError,
        "discrete_actions has 1 values a step, the space takes 2",
    ),
    (
        "two_images_a_step",
        lambda: processor().encode_episode(
            episode(image_observations=np.stack([IMAGE] * 2)) | {"discrete_observations": None},
            observation_space=spaces.Dict({key: spaces.Box(0, 255, IMAGE.shape, np.uint8) for key in "ab"}),
        ),
        ValueError,
        "image_observations holds one image a step",
    ),
    ("lengths_without_columns", lambda: processor().step_lengths({}), ValueError, "an episode needs some"),
    (
        "no_room_for_the_last_step",
        lambda: processor().last_steps(processor().step_lengths(episode()), 2),
        ValueError,
        "has 3 tokens, more than the 2",
    ),
    ("empty_document", lambda: processor().encode_document({"x": 1}), ValueError, r"got the columns \['x'\]"),
    (
        "document_without_its_question",
        lambda: processor().encode_document({"text": "red", "question": "what?"}),
        ValueError,
        "must begin with its question, 'what\\?', got 'red'",
    ),
    ("document_of_a_number", lambda: processor().encode_document({"text": 3}), TypeError, "must be a string, got int"),
    (
        "document_without_its_images",
        lambda: processor().encode_document({"text": "<image><image>", "images": [IMAGE]}),
        ValueError,
        "2 times <image>, but there are 1 images",
    ),
    ("nothing_to_pad", lambda: processor().pad([]), ValueError, "at least one sequence"),
    (
        "padding_at_the_top",
        lambda: processor().pad([processor().encode_observation(1)], padding_side="top"),
        ValueError,
        "got 'top'",
    ),
    ("one_token_of_a_sequence", lambda: processor().encode_observation(1)[0], TypeError, "slice of step 1"),
    ("every_other_token", lambda: processor().encode_observation(1)[::2], TypeError, "slice of step 1"),
    ("nothing_to_concatenate", lambda: GatoSequence.concatenate([]), ValueError, "at least one sequence"),
]

COLLATOR = [
    ("collator_of_a_tokenizer", lambda: GatoDataCollator(default_tokenizer()), TypeError, "must be a GatoProcessor"),
    (
        "window_of_no_steps",
        lambda: GatoWindowSampler(processor(), max_steps=0),
        ValueError,
        "max_steps must be at least",
    ),
    ("window_of_no_length", lambda: GatoDataCollator(processor(), max_length=0), ValueError, "max_length must be a"),
    (
        "probability_above_one",
        lambda: GatoDataCollator(processor(), prompt_probability=1.5),
        ValueError,
        r"prompt_probability must lie in \[0, 1\], got 1.5",
    ),
    (
        "probability_of_nan",
        lambda: GatoDataCollator(processor(), prompt_end_probability=np.nan),
        ValueError,
        "prompt_end_probability must lie",
    ),
    (
        "prompts_without_tasks",
        lambda: GatoDataCollator(processor(), prompt_episodes=[episode()]),
        ValueError,
        'a column "task"',
    ),
    (
        "prompts_that_are_a_stream",
        lambda: GatoDataCollator(processor(), prompt_episodes=iter([])),
        TypeError,
        "rows can be read by their number",
    ),
    ("batch_of_nothing", lambda: collate([]), ValueError, "at least one row"),
    ("rows_that_were_stripped", lambda: collate([{}]), ValueError, "remove_unused_columns=False"),
    ("rows_that_are_lists", lambda: collate([[1, 2]]), TypeError, "row 0 of the batch must be a mapping, got list"),
    ("step_too_long", lambda: collate([episode()], max_length=2), ValueError, "has 3 tokens, more than max_length=2"),
    (
        "task_without_a_space",
        lambda: collate([episode(task="b")], action_space={"a": DISCRETE}),
        ValueError,
        r"action_space has no space for the task 'b', it has \['a'\]",
    ),
]

CASES = [*VOCABULARY, *VALUES, *IMAGES, *PROCESSOR, *ACTIONS, *DATASETS, *COLLATOR]


@pytest.mark.parametrize(("call", "error", "message"), [pytest.param(*case, id=name) for name, *case in CASES])
def test_bad_input_gives_a_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
