# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
from datasets import Dataset, Features, Image, List, Value
from gymnasium import spaces
from helpers.inputs import assert_same_inputs, assert_same_sequences, random_image
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PILImage

from tokenization_gato import GatoSequence, TokenRole


def test_an_episode_of_a_dataset_is_the_same_sequence(processor, make_episode):
    episode = make_episode()
    observations = [
        {"a_text": text, "b_image": image, "c_numbers": np.array(numbers)}
        for text, image, numbers in zip(
            episode["text_observations"],
            episode["image_observations"],
            episode["discrete_observations"],
            strict=True,
        )
    ]
    expected = processor(observations=observations, actions=episode["discrete_actions"], return_tensors="np")
    sequence = processor.encode_episode(episode)
    assert_same_inputs(processor.pad([sequence], return_tensors="np"), expected)
    assert sequence.roles[:11].tolist() == [2, 2, 2, 2, 2, 5, 5, 5, 5, 0, 4]
    assert sequence.step_starts.tolist() == [0, 12, 24, 36]


def test_columns_of_numbers(processor):
    continuous = processor.vocabulary.continuous
    episode = {
        "continuous_observations": [[0.0, 1e9], [-1e9, 0.0]],
        "discrete_observations": [3, 4],
        "continuous_actions": [[-1.0], [1.0]],
        "discrete_actions": [[8, 9], [10, 11]],
        "text_observations": None,
        "a column that is not ours": ["x"],
    }
    separator = processor.vocabulary.separator_token_id
    first = [continuous[512], continuous[1023], 3, separator, continuous[0], 8, 9]
    second = [continuous[0], continuous[512], 4, separator, continuous[1023], 10, 11]
    assert processor.encode_episode(episode).input_ids.tolist() == first + second


def test_columns_are_shared_out_to_the_leaves_of_spaces(processor):
    continuous = processor.vocabulary.continuous
    episode = {
        "continuous_observations": [[0.5, -0.5, 0.25]],
        "discrete_observations": [[-1, 4]],
        "continuous_actions": [[2.0, 0.0]],
        "discrete_actions": [[7]],
    }
    observation_space = spaces.Dict(
        a=spaces.Box(-1, 1, (1,)), b=spaces.Discrete(3, start=-2), c=spaces.Box(-9, 9, (2,)), d=spaces.Discrete(9)
    )
    action_space = spaces.Tuple((spaces.Box(-2, 2, (1,)), spaces.Discrete(9, start=5), spaces.Box(0, 1, (1,))))
    sequence = processor.encode_episode(episode, observation_space=observation_space, action_space=action_space)
    observation = {"a": np.array([0.5]), "b": -1, "c": np.array([-0.5, 0.25]), "d": 4}
    action = (np.array([2.0]), 7, np.array([0.0]))
    expected = processor(
        observations=[observation], actions=[action], observation_space=observation_space, action_space=action_space
    )
    assert sequence.input_ids.tolist() == expected["input_ids"][0].tolist()
    assert sequence.input_ids[-3:].tolist() == [continuous[1023], 2, continuous[0]]
    lengths = processor.step_lengths(episode, observation_space, action_space)
    assert lengths.first.tolist() == [len(sequence)]


def test_a_row_of_a_datasets_dataset(processor, make_episode):
    episode = make_episode()
    rows = episode | {"image_observations": [PILImage.fromarray(image) for image in episode["image_observations"]]}
    features = Features(
        {
            "text_observations": List(Value("string")),
            "image_observations": List(Image()),
            "discrete_observations": List(List(Value("int64"))),
            "discrete_actions": List(Value("int64")),
            "rewards": List(Value("float32")),
            "task": Value("string"),
        }
    )
    dataset = Dataset.from_list([rows], features=features)
    for row in (dataset[0], dataset.with_format("numpy")[0]):
        assert_same_sequences(processor.encode_episode(row), processor.encode_episode(episode))


@st.composite
def episodes(draw):
    """Episodes with any choice of columns, missions that change, and images of several sizes."""
    num_steps = draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    episode = {}
    if draw(st.booleans()):
        missions = st.sampled_from(["go", "go to the red ball", "", "stop <image>"])
        episode["text_observations"] = draw(st.lists(missions, min_size=num_steps, max_size=num_steps))
    if draw(st.booleans()):
        sizes = draw(st.lists(st.sampled_from([16, 20]), min_size=num_steps, max_size=num_steps))
        episode["image_observations"] = [random.integers(0, 256, (16, side, 3), dtype=np.uint8) for side in sizes]
    if draw(st.booleans()):
        episode["continuous_observations"] = random.normal(size=(num_steps, draw(st.integers(1, 4))))
    if draw(st.booleans()) or not episode:
        episode["discrete_observations"] = random.integers(0, 1024, (num_steps, draw(st.integers(1, 4))))
    if draw(st.booleans()):
        episode["continuous_actions"] = random.uniform(-1, 1, (num_steps, draw(st.integers(1, 3)))).tolist()
    if draw(st.booleans()) or "continuous_actions" not in episode:
        episode["discrete_actions"] = random.integers(0, 1024, num_steps).tolist()
    return episode


@given(episode=episodes(), data=st.data(), repeat=st.booleans())
def test_laws_of_parts_of_episodes(episode, data, repeat, processor, instruction_processor):
    processor = processor if repeat else instruction_processor
    whole = processor.encode_episode(episode)
    lengths = processor.step_lengths(episode)
    num_steps = len(whole.step_starts)
    start = data.draw(st.integers(0, num_steps - 1))
    stop = data.draw(st.integers(start + 1, num_steps))
    part = processor.encode_episode(episode, start, stop)

    # step_lengths says how long what is encoded will be.
    step_starts = np.append(whole.step_starts, len(whole))
    assert np.diff(step_starts)[1:].tolist() == lengths.following[1:].tolist()
    assert step_starts[1] == lengths.first[0]
    assert len(part) == lengths.first[start] + lengths.following[start + 1 : stop].sum()

    # A part is the slice of the whole, but for the instruction that each sequence begins with.
    extra = int(lengths.first[start] - lengths.following[start]) if start else 0
    assert (part.roles[:extra] == TokenRole.OBSERVATION_TEXT).all()
    assert part.step_starts.tolist() == [0, *(np.cumsum(np.diff(step_starts[start:stop])) + extra)]
    part, expected = part[extra:], whole[step_starts[start] : step_starts[stop]]
    for name in ("input_ids", "local_position_ids", "roles", "patches", "patch_positions"):
        assert np.array_equal(getattr(part, name), getattr(expected, name)), name

    # Slices put together are the whole, wherever they are cut.
    cut = data.draw(st.integers(0, len(whole)))
    assert_same_sequences(GatoSequence.concatenate([whole[:cut], whole[cut:]]), whole)
    assert (whole.input_ids == processor.image_token_id).sum() == len(whole.patches) == len(whole.patch_positions)
    separators = whole.input_ids == processor.vocabulary.separator_token_id
    assert separators.sum() == num_steps and (whole.roles[separators] == TokenRole.SEPARATOR).all()


@given(episode=episodes(), budget=st.integers(1, 60), repeat=st.booleans())
def test_the_last_steps_within_a_budget(episode, budget, repeat, processor, instruction_processor):
    processor = processor if repeat else instruction_processor
    lengths = processor.step_lengths(episode)
    if lengths.first[-1] > budget:
        with pytest.raises(ValueError, match="the last timestep"):
            processor.last_steps(lengths, budget)
        return
    start = processor.last_steps(lengths, budget)
    assert len(processor.encode_episode(episode, start)) <= budget
    assert start == 0 or len(processor.encode_episode(episode, start - 1)) > budget
    assert lengths.furthest_stop(start, budget) == len(lengths.first)


def test_documents_continue_what_a_call_makes_of_their_beginning(processor):
    image = random_image()
    prompt = processor(images=image, text="a photo of", return_tensors="np")
    document = processor.encode_document({"text": "a photo of a dog", "images": [image]})
    length = prompt["input_ids"].shape[1]
    assert document.input_ids[:length].tolist() == prompt["input_ids"][0].tolist()
    assert document.input_ids[-1] == processor.tokenizer.eos_token_id
    assert (document.local_position_ids == -1).all()
    roles = [TokenRole.IMAGE] * 4 + [TokenRole.DOCUMENT_TEXT] * (len(document) - 4)
    assert document.roles.tolist() == roles
    assert np.array_equal(processor.image_inputs([document])["pixel_values"], prompt["pixel_values"])


def test_documents_with_placeholders(processor):
    one, other = random_image(16, 16), random_image(16, 32, seed=1)
    document = processor.encode_document({"text": "<image>go<image>left", "images": [one, other]})
    kinds = [
        "image" if role == TokenRole.IMAGE else processor.tokenizer.decode(index)
        for role, index in zip(document.roles, document.input_ids, strict=True)
    ]
    assert kinds == ["image", "go", "image", "image", "left", "<eos>"]
    assert len(processor.encode_document({"images": one})) == 2
    assert len(processor.encode_document({"text": "go", "images": None})) == 2


def test_a_question_is_given_and_its_answer_is_said(processor):
    row = {"text": "what color is it? dark red", "images": [random_image()], "question": "what color is it?"}
    document = processor.encode_document(row)
    said = document.roles == TokenRole.DOCUMENT_TEXT
    assert processor.tokenizer.decode(document.input_ids[said], skip_special_tokens=True).strip() == "dark red"
    assert document.input_ids[-1] == processor.tokenizer.eos_token_id and said[-1]
    asked = document.roles == TokenRole.OBSERVATION_TEXT
    assert processor.tokenizer.decode(document.input_ids[asked]) == "what color is it?"
    assert (document.input_ids == processor.encode_document({**row, "question": None}).input_ids).all()
