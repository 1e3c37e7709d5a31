# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from datasets import Dataset, Features, Image, List, Value
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PILImage
from transformers import AutoProcessor

from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoImageProcessorPil, GatoProcessor, GatoSequence, TokenRole, train_tokenizer


def random_image(height=28, width=28, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def assert_same_inputs(left, right):
    assert sorted(left) == sorted(right)
    for name in left:
        assert np.array_equal(np.asarray(left[name]), np.asarray(right[name])), name


def assert_same_sequences(left: GatoSequence, right: GatoSequence):
    for name in vars(left):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name


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


# ---------------------------------------------------------------------------------------------------------------
# Rows of datasets
# ---------------------------------------------------------------------------------------------------------------


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


# ---------------------------------------------------------------------------------------------------------------
# Acting
# ---------------------------------------------------------------------------------------------------------------


def tiny_model(processor, **kwargs):
    torch.manual_seed(0)
    config = GatoConfig(
        **processor.model_kwargs,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        patch_embed_channels=32,
        initializer_range=0.5,
        **kwargs,
    )
    return GatoForCausalLM(config).eval()


@pytest.fixture(scope="module")
def model(processor):
    return tiny_model(processor)


ACTION_SPACES = [
    spaces.Discrete(7),
    spaces.Discrete(1),
    spaces.Box(-2, 2, (3,)),
    spaces.Dict(a=spaces.MultiDiscrete([2, 3]), b=spaces.Box(0, 1, ()), c=spaces.Text(3, charset="ab")),
]


@pytest.mark.parametrize("space", ACTION_SPACES, ids=str)
@pytest.mark.parametrize(
    "how", [{}, {"do_sample": True, "top_k": 5}, {"num_beams": 3}, {"do_sample": True, "num_beams": 2}], ids=str
)
def test_generation_writes_one_legal_action_a_row(processor, model, space, how):
    constraints = processor.action_constraints(space)
    num_tokens = len(processor.action_token_ranges(space))
    torch.manual_seed(0)
    # The same arguments serve for calls of any batch and length.
    for observations in ([[1, 2], [3]], [[4]]):
        actions = [[processor.decode_action(_first_legal(processor, space), space)], []][: len(observations)]
        if len(observations) == 1:
            actions = [[]]
        inputs = processor(observations=observations, actions=actions, action_space=space, return_tensors="pt")
        ids = model.generate(**inputs, **constraints, **how)
        assert ids.shape == (len(observations), inputs["input_ids"].shape[1] + num_tokens)
        decoded = processor.decode_action(ids, space)
        for action in decoded if len(observations) > 1 else [decoded]:
            assert space.contains(action)


def _first_legal(processor, space):
    return [first for first, _ in processor.action_token_ranges(space)]


@pytest.mark.parametrize("how", [{}, {"do_sample": True}, {"num_beams": 2}], ids=str)
def test_an_end_token_among_the_legal_ids_does_not_end_an_action(processor, model, how):
    space = spaces.MultiDiscrete([9, 9, 9])
    model.generation_config.eos_token_id = list(range(9))
    try:
        inputs = processor(observations=[[1], [2]], return_tensors="pt")
        ids = model.generate(**inputs, **processor.action_constraints(space), **how)
    finally:
        model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    assert ids.shape[1] == inputs["input_ids"].shape[1] + 3
    assert len(processor.decode_action(ids, space)) == 2


def test_every_legal_action_can_be_sampled(processor, model):
    inputs = processor(observations=[[1]] * 200, return_tensors="pt")
    torch.manual_seed(0)
    constraints = processor.action_constraints(spaces.Discrete(4, start=10))
    ids = model.generate(**inputs, **constraints, do_sample=True, temperature=100.0)
    assert set(processor.decode_action(ids, spaces.Discrete(4, start=10))) == {10, 11, 12, 13}


def test_an_action_needs_an_observation_before_it(processor, model):
    constraints = processor.action_constraints(spaces.Discrete(4))
    with pytest.raises(ValueError, match="separator"):
        model.generate(**processor(text="go", return_tensors="pt"), **constraints)
    inputs = processor(observations=[1], actions=[2], return_tensors="pt")
    with pytest.raises(ValueError, match="1 tokens after"):
        model.generate(**inputs, **constraints)


def test_decoding_one_action_or_several(processor):
    space = spaces.Discrete(7)
    assert processor.decode_action([99, 3], space) == 3
    assert processor.decode_action(torch.tensor([[99, 3]]), space) == 3
    assert processor.decode_action(np.array([[99, 3], [99, 4]]), space) == [3, 4]


def test_model_and_processor_fit(processor, model):
    inputs = processor(observations=[{"image": random_image(), "mission": "go"}] * 2, actions=[1], return_tensors="pt")
    assert model(**inputs).logits.shape == (1, inputs["input_ids"].shape[1], processor.vocabulary.size)
    inputs = processor(images=random_image(), text="", return_tensors="pt")
    text = processor.decode(model.generate(**inputs, max_new_tokens=3, do_sample=False)[0], skip_special_tokens=True)
    assert isinstance(text, str)


# ---------------------------------------------------------------------------------------------------------------
# Saving and loading
# ---------------------------------------------------------------------------------------------------------------


def every_option() -> GatoProcessor:
    """A processor with no option at its default."""
    texts = ["go to the red ball", "pick up the key"] * 3
    return GatoProcessor(
        GatoImageProcessorPil(num_patch_positions=64, max_patches=32),
        train_tokenizer(texts, vocab_size=290),
        "{{ messages[0]['content'] }}",
        num_bins=256,
        mu=50.0,
        mu_law_bound=10.0,
        num_discrete=100,
        share_discrete_with_text=False,
        num_local_positions=64,
        repeat_text_observations=False,
    )


OBSERVATIONS = [{"image": random_image(), "mission": "go", "speed": np.array([0.3, -7.0])}] * 2


def options_of(processor: GatoProcessor) -> dict:
    """Without where the code was saved to, which a processor only knows after saving."""
    options = processor.to_dict()
    options.pop("auto_map", None)
    options["image_processor"].pop("auto_map", None)
    return options


def test_everything_is_kept(tmp_path):
    processor = every_option()
    processor.save_pretrained(tmp_path)
    for loaded in (AutoProcessor.from_pretrained(tmp_path), GatoProcessor.from_pretrained(tmp_path)):
        assert isinstance(loaded, GatoProcessor)
        assert options_of(loaded) == options_of(processor)
        assert loaded.vocabulary == processor.vocabulary
        assert loaded.model_kwargs == processor.model_kwargs
        assert loaded.chat_template == processor.chat_template
        inputs = [each(observations=OBSERVATIONS, actions=[3], return_tensors="np") for each in (loaded, processor)]
        assert_same_inputs(*inputs)


def test_saving_twice_changes_nothing(tmp_path, processor):
    processor.save_pretrained(tmp_path / "once")
    AutoProcessor.from_pretrained(tmp_path / "once").save_pretrained(tmp_path / "twice")
    for name in ("processor_config.json", "tokenizer.json", "chat_template.jinja"):
        assert (tmp_path / "once" / name).read_text() == (tmp_path / "twice" / name).read_text()


def test_a_worker_process_gets_an_equal_copy(processor):
    copy = pickle.loads(pickle.dumps(processor))
    assert_same_inputs(
        copy(observations=OBSERVATIONS, actions=[3], return_tensors="np"),
        processor(observations=OBSERVATIONS, actions=[3], return_tensors="np"),
    )


LOAD_WITHOUT_OUR_PACKAGES = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tokenization_gato", "modeling_gato", "gato_hub", "gymnasium"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
import numpy as np
from transformers import AutoProcessor, AutoTokenizer
from transformers.models.auto.image_processing_auto import AutoImageProcessor

folder, saved_again = sys.argv[1:]
processor = AutoProcessor.from_pretrained(folder, trust_remote_code=True)
assert type(processor).__module__.startswith("transformers_modules.")
image = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
observations = [{"image": image, "mission": "go", "speed": np.array([0.3, -7.0])}] * 2
inputs = processor(observations=observations, actions=[3], return_tensors="np")
assert type(AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)) is type(processor.image_processor)
assert len(AutoTokenizer.from_pretrained(folder)) == processor.vocabulary.size
processor.save_pretrained(saved_again)
try:
    processor.action_token_ranges("not a space")
except TypeError as error:
    message = str(error)
print(json.dumps({"message": message, **{name: value.tolist() for name, value in inputs.items()}}))
"""


def test_loading_where_our_packages_are_missing(tmp_path):
    processor = every_option()
    processor.save_pretrained(tmp_path / "saved")
    result = subprocess.run(
        [sys.executable, "-c", LOAD_WITHOUT_OUR_PACKAGES, tmp_path / "saved", tmp_path / "again"],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"},
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout.splitlines()[-1])
    assert "needs gymnasium" in printed.pop("message")
    expected = processor(observations=OBSERVATIONS, actions=[3], return_tensors="np")
    # float32 survives JSON exactly.
    assert_same_inputs({name: np.array(value, expected[name].dtype) for name, value in printed.items()}, expected)
    assert options_of(AutoProcessor.from_pretrained(tmp_path / "again")) == options_of(processor)
