# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What each public function says to input it can't use: (name, call, type of the error, pattern of its message)."""

import functools

import numpy as np
import pytest
import torch
from gymnasium import spaces
from huggingface_hub.errors import StrictDataclassClassValidationError as ConfigError
from huggingface_hub.errors import StrictDataclassFieldValidationError

from modeling_gato import GatoAgent, GatoConfig, GatoForCausalLM, GatoMemory
from tokenization_gato import GatoProcessor


@functools.cache
def actor() -> tuple[GatoForCausalLM, GatoProcessor]:
    processor = GatoProcessor()
    return GatoForCausalLM(GatoConfig.nano(num_hidden_layers=1, **processor.model_kwargs)), processor


def forward(**inputs):
    return actor()[0](**({"input_ids": torch.full((1, 4), 7)} | inputs))


def agent(space=None, **options) -> GatoAgent:
    return GatoAgent(*actor(), spaces.Discrete(3) if space is None else space, **options)


IDS = torch.full((1, 4), 7)
PATCH = torch.zeros(1, 3, 16, 16)
INTERVAL = torch.tensor([[[0, 64], [0, 64]]])


def picture(position=INTERVAL, patch=PATCH, count=1):
    ids = IDS.clone()
    ids[0, :count] = actor()[0].config.image_token_id
    return forward(input_ids=ids, pixel_values=patch, patch_positions=position)


# What `@strict` configurations raise in all of transformers.
CONFIGURATION = [
    ("config_typo", lambda: GatoConfig(num_layers=99), TypeError, "`num_layers`.*did you mean `num_hidden_layers`"),
    ("config_type", lambda: GatoConfig(hidden_size="768"), StrictDataclassFieldValidationError, "hidden_size"),
    ("config_positional", lambda: GatoConfig(99), ValueError, "only keyword arguments"),
    (
        "config_zero_layers",
        lambda: GatoConfig(num_hidden_layers=0),
        ConfigError,
        "`num_hidden_layers` must be at least",
    ),
    (
        "config_zero_heads",
        lambda: GatoConfig(num_attention_heads=0),
        ConfigError,
        "`num_attention_heads` must be at",
    ),
    (
        "config_heads_do_not_divide",
        lambda: GatoConfig(num_attention_heads=7),
        ConfigError,
        "times `head_dim`",
    ),
    (
        "config_head_dim",
        lambda: GatoConfig(head_dim=31),
        ConfigError,
        r"`head_dim` \(31\) must be `hidden_size`",
    ),
    (
        "config_odd_head",
        lambda: GatoConfig(hidden_size=9, num_attention_heads=3),
        ConfigError,
        "even `head_dim`, got 3",
    ),
    (
        "config_odd_width",
        lambda: GatoConfig(hidden_size=9, num_attention_heads=3, position_embedding_type="transformer_xl"),
        ConfigError,
        "even `hidden_size`, got 9",
    ),
    (
        "config_odd_feed_forward",
        lambda: GatoConfig(intermediate_size=31),
        ConfigError,
        "must be even, got 31",
    ),
    (
        "config_continuous_tokens",
        lambda: GatoConfig(vocab_size=40000, continuous_token_range=[39000, 40001]),
        ConfigError,
        r"`continuous_token_range` must be two ids in order, up to vocab_size = 40000, got \[39000, 40001\]",
    ),
    (
        "config_position_type",
        lambda: GatoConfig(position_embedding_type="alibi"),
        ConfigError,
        "one of .*got 'alibi'",
    ),
    (
        "config_dropout",
        lambda: GatoConfig(attention_dropout=1.0),
        ConfigError,
        r"`attention_dropout` .* \[0, 1\)",
    ),
    (
        "config_drop_path",
        lambda: GatoConfig(drop_path_rate=-0.1),
        ConfigError,
        "`drop_path_rate` .* got -0.1",
    ),
    (
        "config_patch_size",
        lambda: GatoConfig(patch_size=14),
        ConfigError,
        "multiple of 4, got 14",
    ),
    (
        "config_groups",
        lambda: GatoConfig(patch_embed_groups=7),
        ConfigError,
        "multiple of `patch_embed_groups`",
    ),
    (
        "config_image_id",
        lambda: GatoConfig(image_token_id=99999),
        ConfigError,
        "`image_token_id` .* got 99999",
    ),
    (
        "config_same_ids",
        lambda: GatoConfig(separator_token_id=33025),
        ConfigError,
        "must differ, both are 33025",
    ),
]

MODEL = [
    ("neither_ids_nor_embeds", lambda: forward(input_ids=None), ValueError, "exactly one of"),
    ("ids_and_embeds", lambda: forward(inputs_embeds=torch.zeros(1, 4, 128)), ValueError, "exactly one of"),
    ("id_past_the_vocabulary", lambda: forward(input_ids=IDS + 99999), ValueError, "`input_ids` must lie in"),
    ("negative_id", lambda: forward(input_ids=IDS - 99), ValueError, "`input_ids` .* from -92"),
    ("local_positions_of_another_shape", lambda: forward(local_position_ids=IDS[:, :2]), ValueError, r"\(1, 4\), got"),
    (
        "local_position_too_large",
        lambda: forward(local_position_ids=IDS * 99),
        ValueError,
        "`local_position_ids` must",
    ),
    ("local_position_too_small", lambda: forward(local_position_ids=IDS * 0 - 2), ValueError, r"\[-1, 513\)"),
    ("labels_of_another_shape", lambda: forward(labels=IDS[:, :2]), ValueError, "`labels` must have the shape"),
    ("patches_without_positions", lambda: picture(position=None), ValueError, "`patch_positions` .* are needed"),
    ("patches_of_another_size", lambda: picture(patch=PATCH[..., :8]), ValueError, r"\(patches, 3, 16, 16\)"),
    ("images_instead_of_patches", lambda: picture(patch=PATCH[0]), ValueError, r"got \(3, 16, 16\)"),
    ("fewer_patches_than_placeholders", lambda: picture(count=2), ValueError, "2 image placeholders .* 1 patches"),
    ("fewer_placeholders_than_patches", lambda: picture(count=0), ValueError, "0 image placeholders .* 1 patches"),
    ("patch_positions_of_another_shape", lambda: picture(position=INTERVAL[0]), ValueError, r"\(1, 2, 2\)"),
    ("patch_position_past_the_table", lambda: picture(position=INTERVAL * 3), ValueError, r"\[0, 129\)"),
    ("patch_interval_backwards", lambda: picture(position=INTERVAL.flip(-1)), ValueError, "start <= end"),
]

ACTING = [
    ("memory_without_a_window", lambda: GatoMemory(0, 1), ValueError, "`window` must be at least 1"),
    ("memory_without_rows", lambda: GatoMemory(8, 0), ValueError, "`batch_size` must be at least 1"),
    ("memory_of_other_rows", lambda: forward(past_key_values=GatoMemory(8, 3)), ValueError, "3 rows, got .* 1"),
    (
        "memory_mask_of_another_shape",
        lambda: forward(past_key_values=GatoMemory(8, 1), attention_mask=IDS[:, :2]),
        ValueError,
        r"the new tokens, \(1, 4\), got \(1, 2\)",
    ),
    (
        "memory_loaded_from_many_rows",
        lambda: GatoMemory(8, 2).load(GatoMemory(8, 2), torch.tensor([True, False])),
        ValueError,
        "one row, or 1, and window 8",
    ),
    ("temperature_zero", lambda: agent(temperature=0.0), ValueError, "`temperature` must be above 0"),
    ("no_environments", lambda: agent(num_envs=0), ValueError, "`num_envs` must be at least 1"),
    ("context_of_no_steps", lambda: agent(context_steps=0), ValueError, "`context_steps` must be at least 1, got 0"),
    ("past_window", lambda: agent(past_window="forget"), ValueError, "`past_window` must be one of .*got 'forget'"),
    ("no_space", lambda: GatoAgent(*actor(), 7, num_envs=1), TypeError, "gymnasium space"),
    (
        "model_of_another_processor",
        lambda: GatoAgent(GatoForCausalLM(GatoConfig.nano(vocab_size=9, image_token_id=8, separator_token_id=7)),
                          actor()[1], spaces.Discrete(3)),
        ValueError,
        "don't belong together",
    ),
    ("reset_mask_too_early", lambda: agent().reset(np.array([True])), ValueError, "nothing to reset yet"),
    ("reset_mask_of_another_shape", lambda: agent(num_envs=2).reset(np.ones(3, bool)), ValueError, r"shape \(2,\)"),
    ("reset_mask_of_numbers", lambda: agent(num_envs=2).reset(np.ones(2)), ValueError, "must be boolean"),
    ("observations_of_fewer_environments", lambda: agent(num_envs=3).act(np.ones((2, 4))), ValueError, "lead with 3"),
    ("an_observation_that_is_not_a_number", lambda: agent().act(np.array([np.nan])), ValueError, "finite"),
    ("a_space_without_actions", lambda: agent(spaces.Box(-1, 1, (0,))).act(np.ones(2)), ValueError, "no action"),
    ("a_prompt_that_is_no_episode", lambda: agent(num_envs=1, prompt={"text": "hi"}), ValueError, "columns"),
]  # fmt: skip

BAD_INPUT_CASES = [*CONFIGURATION, *MODEL, *ACTING]


def test_every_case_has_a_name_of_its_own():
    assert len({name for name, *_ in BAD_INPUT_CASES}) == len(BAD_INPUT_CASES)


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in BAD_INPUT_CASES], ids=[case[0] for case in BAD_INPUT_CASES]
)
def test_bad_input_gives_a_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
