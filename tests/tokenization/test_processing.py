# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
import torch
from gymnasium import spaces
from helpers.inputs import assert_same_inputs, assert_same_sequences, random_image

# ---------------------------------------------------------------------------------------------------------------
# Text and images
# ---------------------------------------------------------------------------------------------------------------


def test_text_alone_is_what_the_tokenizer_makes_of_it(processor):
    inputs = processor(text=["go left", "go to the red ball"], padding=True, return_tensors="pt")
    assert_same_inputs(
        inputs, processor.tokenizer(["go left", "go to the red ball"], padding=True, return_tensors="pt")
    )
    # Padding on the left, for generation.
    assert inputs["attention_mask"][0].tolist() == [0, 0, 0, 1, 1]


def test_one_placeholder_for_each_patch(processor):
    inputs = processor(images=random_image(32, 48), text="a <image> b", return_tensors="pt")
    a, b = (processor.tokenizer(text)["input_ids"] for text in ("a ", " b"))
    assert inputs["input_ids"][0].tolist() == [*a, *[processor.image_token_id] * 6, *b]
    assert sorted(inputs) == ["attention_mask", "input_ids", "patch_positions", "pixel_values"]
    assert inputs["pixel_values"].shape == (6, 3, 16, 16)
    assert_same_inputs(
        {name: inputs[name] for name in ("pixel_values", "patch_positions")},
        {
            name: value
            for name, value in processor.image_processor(random_image(32, 48), return_tensors="pt").items()
            if name != "image_grid"
        },
    )


def num_placeholders(processor, inputs):
    return [row.count(processor.image_token_id) for row in np.asarray(inputs["input_ids"]).tolist()]


def test_images_without_a_placeholder_come_first(processor):
    one, other = random_image(16, 16), random_image(16, 32, seed=1)
    assert_same_inputs(processor(images=one, text="a ball"), processor(images=one, text="<image>a ball"))
    assert_same_inputs(processor(images=[one, other], text="ball"), processor([one, other], "<image><image>ball"))
    rows = processor(images=[one, other], text=["ball", "ball"], padding=True)
    assert num_placeholders(processor, rows) == [1, 2]
    nested = processor(images=[[one, other], [one]], text=["ball", "ball"], padding=True)
    assert num_placeholders(processor, nested) == [3, 1]


def test_images_without_text(processor):
    one, other = random_image(16, 16), random_image(16, 32, seed=1)
    assert num_placeholders(processor, processor(images=one)) == [1]
    assert num_placeholders(processor, processor(images=[one, other], padding=True)) == [1, 2]
    assert num_placeholders(processor, processor(images=[[one, other]])) == [3]
    assert num_placeholders(processor, processor(images=one, text="")) == [1]
    grey = one[..., 0]
    assert num_placeholders(processor, processor(images=grey)) == [1]


def test_chat(processor):
    conversation = [
        {"role": "user", "content": [{"type": "image", "image": random_image()}, {"type": "text", "text": "What?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A dog."}]},
        {"role": "user", "content": "Sure?"},
    ]
    text = processor.apply_chat_template(conversation, add_generation_prompt=True)
    assert text == "user: <image>What?\nassistant: A dog.<eos>\nuser: Sure?\nassistant: "
    inputs = processor.apply_chat_template(
        conversation, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    assert_same_inputs(inputs, processor(images=random_image(), text=text, return_tensors="pt"))


def test_decoding(processor):
    ids = [*processor.tokenizer("a door")["input_ids"], processor.tokenizer.eos_token_id, processor.image_token_id]
    assert processor.decode(ids, skip_special_tokens=True) == "a door"
    assert processor.batch_decode([ids, ids[:2]], skip_special_tokens=True) == ["a door", "a door"]


# ---------------------------------------------------------------------------------------------------------------
# Observations and actions
# ---------------------------------------------------------------------------------------------------------------


def test_a_timestep_ends_with_the_separator(processor):
    observation = {"image": random_image(), "mission": "go to", "direction": 3}
    inputs = processor(observations=observation, return_tensors="pt")
    mission = processor.tokenizer("go to")["input_ids"]
    separator = processor.vocabulary.separator_token_id
    assert inputs["input_ids"].tolist() == [[*mission, *[processor.image_token_id] * 4, 3, separator]]
    assert inputs["local_position_ids"].tolist() == [[0, 1, 2, 3, 4, 5, 6, 512]]
    assert inputs["attention_mask"].tolist() == [[1] * 8]
    expected = processor.image_processor(random_image(), return_tensors="pt")
    assert torch.equal(inputs["pixel_values"], expected["pixel_values"])
    assert torch.equal(inputs["patch_positions"], expected["patch_positions"])


def test_an_episode(processor):
    inputs = processor(observations=[5, 6, 7], actions=[1, 2])
    separator = processor.vocabulary.separator_token_id
    assert inputs["input_ids"].tolist() == [[5, separator, 1, 6, separator, 2, 7, separator]]
    assert inputs["local_position_ids"].tolist() == [[0, 512, 512, 0, 512, 512, 0, 512]]
    complete = processor(observations=[5, 6, 7], actions=np.array([1, 2, 3]))
    assert complete["input_ids"].tolist() == [[*inputs["input_ids"][0], 3]]
    assert "pixel_values" not in inputs


def test_a_batch_of_episodes_is_padded_on_the_left(processor):
    separator, pad = processor.vocabulary.separator_token_id, processor.tokenizer.pad_token_id
    inputs = processor(observations=[[5, 6], [7]], actions=[[1], []], return_tensors="pt")
    assert inputs["input_ids"].tolist() == [[5, separator, 1, 6, separator], [pad, pad, pad, 7, separator]]
    assert inputs["attention_mask"].tolist() == [[1] * 5, [0, 0, 0, 1, 1]]
    assert inputs["local_position_ids"].tolist() == [[0, 512, 512, 0, 512], [-1, -1, -1, 0, 512]]
    right = processor(observations=[[5, 6], [7]], actions=[[1], []], padding_side="right")
    assert right["attention_mask"].tolist() == [[1] * 5, [1, 1, 0, 0, 0]]


def test_patches_of_a_batch_are_in_the_order_of_their_placeholders(processor):
    images = [random_image(16, 16, seed) for seed in range(3)]
    inputs = processor(observations=[[images[0], images[1]], [images[2]]], actions=[[0], []], return_tensors="np")
    expected = processor.image_processor(images, return_tensors="np")["pixel_values"]
    assert np.array_equal(inputs["pixel_values"], expected)


def test_discrete_values_with_ids_of_their_own(own_range_processor):
    first = own_range_processor.vocabulary.discrete.start
    inputs = own_range_processor(observations=[5, 6], actions=[1])
    separator = own_range_processor.vocabulary.separator_token_id
    assert inputs["input_ids"].tolist() == [[first + 5, separator, first + 1, first + 6, separator]]
    assert own_range_processor.action_token_ranges(spaces.Discrete(7)) == [(first, first + 7)]


def test_names_of_tokens_in_an_observation_are_plain_text(processor):
    sequence = processor.encode_observation("go <separator> <image>")
    kinds = processor.vocabulary.kind(sequence.input_ids)
    assert (kinds[:-1] == "text").all() and len(sequence.patches) == 0


def test_an_instruction_is_written_once(instruction_processor):
    processor = instruction_processor
    go, stop = (processor.tokenizer(text)["input_ids"] for text in ("go to", "stop here"))
    separator = processor.vocabulary.separator_token_id
    observations = [{"mission": mission, "x": 5} for mission in ("go to", "go to", "stop here")]
    inputs = processor(observations=observations, actions=[1, 2])
    assert inputs["input_ids"].tolist() == [[*go, 5, separator, 1, 5, separator, 2, *stop, 5, separator]]
    assert inputs["local_position_ids"].tolist() == [
        [*[-1] * len(go), 0, 512, 512, 0, 512, 512, *[-1] * len(stop), 0, 512]
    ]


@pytest.mark.parametrize("kind", ["processor", "instruction_processor"])
def test_many_environments_at_once(kind, request):
    processor = request.getfixturevalue(kind)
    observations = [
        {"mission": mission, "image": random_image(*size), "x": np.array([index])}
        for index, (mission, size) in enumerate([("go", (16, 16)), ("go to the door", (28, 28)), ("stop", (16, 16))])
    ]
    together = processor.encode_observations(observations)
    for sequence, observation in zip(together, observations, strict=True):
        assert_same_sequences(sequence, processor.encode_observation(observation))
        inputs = processor(observations=observation, return_tensors="np")
        assert inputs["input_ids"][0].tolist() == sequence.input_ids.tolist()


def test_known_instructions_are_left_out(instruction_processor):
    observations = [{"mission": "go", "x": 1}, {"mission": "stop", "x": 2}, {"mission": "go", "x": 3}]
    previous = [{"mission": "go", "x": 0}, {"mission": "go", "x": 0}, None]
    lengths = [len(sequence) for sequence in instruction_processor.encode_observations(observations, previous)]
    assert lengths == [2, 2 + len(instruction_processor.tokenizer("stop")["input_ids"]), 3]
