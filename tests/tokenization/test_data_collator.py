# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
import torch
from datasets import Dataset
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from tokenization_gato import GatoDataCollator, GatoProcessor
from tokenization_gato.sequence_gato import GatoSequence


def numbered_episode(number, num_steps=5, task="task"):
    """Makes an episode whose observations are 100 * number + step, and whose actions are zeros."""
    return {
        "discrete_observations": [100 * number + step for step in range(num_steps)],
        "discrete_actions": [0] * num_steps,
        "task": task,
    }


def rows_of(batch, processor):
    """Returns the windows of a batch without padding, as lists of (id, label)."""
    windows = []
    for index, row in enumerate(batch["input_ids"].tolist()):
        labels = batch["labels"][index].tolist()
        if "attention_mask" in batch:
            length = int(batch["attention_mask"][index].sum())
            windows.append(list(zip(row[:length], labels[:length], strict=True)))
            continue
        for token, label, position in zip(row, labels, batch["position_ids"][index].tolist(), strict=True):
            if position == 0 and token == processor.tokenizer.pad_token_id:
                continue
            if position == 0:
                windows.append([])
            windows[-1].append((token, label))
    return windows


def observed(window, processor):
    """Returns the observations in a window of `numbered_episode`s."""
    separator = processor.vocabulary.separator_token_id
    ids = [token for token, _ in window]
    return [ids[index - 1] for index, token in enumerate(ids) if token == separator]


# ---------------------------------------------------------------------------------------------------------------
# Windows
# ---------------------------------------------------------------------------------------------------------------


@given(num_steps=st.integers(1, 12), max_length=st.integers(3, 40), seed=st.integers(0, 1000))
def test_windows_are_whole_steps_in_a_row(num_steps, max_length, seed, processor):
    collator = GatoDataCollator(processor, max_length, prompt_probability=0.0, seed=seed)
    batch = collator([numbered_episode(0, num_steps)])
    (window,) = rows_of(batch, processor)
    assert len(window) % 3 == 0 and len(window) <= max_length
    steps = observed(window, processor)
    assert steps == list(range(steps[0], steps[0] + len(steps)))
    # A window has as many steps as fit: its place is random, not its length.
    assert len(steps) == min(num_steps, max_length // 3)


@pytest.mark.parametrize("kind", ["processor", "instruction_processor"])
def test_every_step_can_be_drawn_and_the_last_is_never_lost(kind, request, make_episode):
    processor = request.getfixturevalue(kind)
    episode = make_episode(num_steps=9, missions=["go", "go to the red ball", "go", "stop"])
    episode["discrete_actions"] = list(range(100, 109))
    collator = GatoDataCollator(processor, 30, prompt_probability=0.0, seed=0, loss_on_observation_text=False)
    actions = [collator([episode])["labels"] for _ in range(100)]
    drawn = [sorted(set(labels[labels >= 0].tolist())) for labels in actions]
    assert set().union(*drawn) == set(range(100, 109))
    assert all(steps == list(range(steps[0], steps[-1] + 1)) for steps in drawn)
    firsts = {steps[0] for steps in drawn}
    assert len(firsts) > 2 and min(firsts) == 100


def test_documents_are_cut_at_any_token(processor):
    text = " ".join(f"word{index}" for index in range(30))
    whole = processor.encode_document({"text": text}).input_ids.tolist()
    collator = GatoDataCollator(processor, max_length=10, seed=0)
    starts = set()
    for _ in range(300):
        batch = collator([{"text": text}])
        window = batch["input_ids"][0].tolist()
        matches = [start for start in range(len(whole) - 9) if whole[start : start + 10] == window]
        assert matches
        starts.update(matches)
        assert batch["labels"][0].tolist() == [-100, *window[1:]]
        assert batch["local_position_ids"].eq(-1).all()
    assert {0, len(whole) - 10} <= starts


def test_a_document_cut_within_an_image_keeps_the_patches_of_its_placeholders(processor):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    pixels = processor.image_processor(image, return_tensors="pt")["pixel_values"]
    collator = GatoDataCollator(processor, max_length=10, seed=0)
    for _ in range(30):
        batch = collator([{"text": "dog", "images": [image]}])
        num_patches = int((batch["input_ids"] == processor.image_token_id).sum())
        assert len(batch["pixel_values"]) == len(batch["patch_positions"]) == num_patches
        assert any(torch.equal(batch["pixel_values"], pixels[start : start + num_patches]) for start in range(16))


# ---------------------------------------------------------------------------------------------------------------
# Rows
# ---------------------------------------------------------------------------------------------------------------


@st.composite
def mixed_batches(draw):
    rows = []
    for index in range(draw(st.integers(1, 7))):
        if draw(st.booleans()):
            rows.append(numbered_episode(index, draw(st.integers(1, 15)), task=draw(st.sampled_from("ab"))))
        else:
            image = np.full((16, 16 * draw(st.integers(1, 3)), 3), index, np.uint8)
            text = " ".join(["word"] * draw(st.integers(0, 20)))
            rows.append({"text": text, "images": [image] if draw(st.booleans()) else None})
    return rows


@given(rows=mixed_batches(), max_length=st.integers(12, 50), seed=st.integers(0, 1000))
def test_packed_rows_are_the_windows_one_after_the_other(rows, max_length, seed, processor):
    options = {"max_length": max_length, "prompt_probability": 0.5, "seed": seed}
    packed = GatoDataCollator(processor, pack=True, **options)(rows)
    apart = GatoDataCollator(processor, pack=False, **options)(rows)
    assert sorted(rows_of(packed, processor)) == sorted(rows_of(apart, processor))
    assert "attention_mask" not in packed and "position_ids" not in apart
    assert packed["input_ids"].shape[1] <= max_length
    assert len(packed["input_ids"]) <= len(apart["input_ids"]) == len(rows)
    for batch in (packed, apart):
        assert batch["labels"].shape == batch["local_position_ids"].shape == batch["input_ids"].shape
        num_patches = int((batch["input_ids"] == processor.image_token_id).sum())
        assert num_patches == len(batch.get("pixel_values", ()))
    # Patches follow their windows into the rows.
    if "pixel_values" in packed:
        means = [sorted(batch["pixel_values"].mean(dim=(1, 2, 3)).tolist()) for batch in (packed, apart)]
        assert means[0] == means[1]


@given(rows=mixed_batches(), seed=st.integers(0, 1000))
def test_positions_keep_windows_and_padding_apart(rows, seed, processor):
    batch = GatoDataCollator(processor, max_length=40, seed=seed)(rows)
    positions, ids, labels = (batch[name] for name in ("position_ids", "input_ids", "labels"))
    assert (positions[:, 0] == 0).all()
    assert ((positions[:, 1:] == 0) | (positions[:, 1:] == positions[:, :-1] + 1)).all()
    # The first token of a window has no label: it would be predicted from another window.
    assert (labels[positions == 0] == -100).all()
    padding = ids == processor.tokenizer.pad_token_id
    assert (positions[padding] == 0).all()
    assert (labels[padding] == -100).all()
    assert (batch["local_position_ids"][padding] == -1).all()


def test_first_fit(processor):
    # Lengths 15, 9, 6, 3 into rows of 18: the last two fill the first rows that have room.
    rows = [numbered_episode(number, num_steps) for number, num_steps in enumerate((5, 3, 2, 1))]
    batch = GatoDataCollator(processor, max_length=18, prompt_probability=0.0)(rows)
    separator = processor.vocabulary.separator_token_id
    steps = [
        [row[index - 1] for index, token in enumerate(row) if token == separator]
        for row in batch["input_ids"].tolist()
    ]
    assert steps == [[0, 1, 2, 3, 4, 300], [100, 101, 102, 200, 201]]


def test_labels_are_text_and_actions(processor, make_episode):
    episode = make_episode(num_steps=2)
    ids = processor.encode_episode(episode).input_ids.tolist()
    actions = [-100] * 11 + [ids[11]] + [-100] * 11 + [ids[23]]
    (labels,) = GatoDataCollator(processor, loss_on_observation_text=False)([episode])["labels"].tolist()
    assert labels == actions
    (labels,) = GatoDataCollator(processor)([episode])["labels"].tolist()
    assert labels == [-100, *ids[1:5], *actions[5:12], *ids[12:17], *actions[17:]]


# ---------------------------------------------------------------------------------------------------------------
# Prompts
# ---------------------------------------------------------------------------------------------------------------


def split_prompt(window, processor):
    """Returns (steps of the prompt, steps of the episode) of a window, by their hundreds."""
    steps = observed(window, processor)
    own = [step for step in steps if step // 100 == steps[-1] // 100]
    return steps[: len(steps) - len(own)], own


def test_a_prompt_is_another_episode_of_the_same_task(processor):
    rows = [numbered_episode(number, 4, task="ab"[number % 2]) for number in range(6)]
    collator = GatoDataCollator(processor, max_length=24, prompt_probability=1.0, pack=False, seed=0)
    for _ in range(20):
        for number, window in enumerate(rows_of(collator(rows), processor)):
            prompt, own = split_prompt(window, processor)
            assert own == [100 * number + step for step in range(4)]
            other = prompt[0] // 100
            assert other != number and other % 2 == number % 2
            assert prompt == list(range(prompt[0], prompt[0] + len(prompt)))


def test_a_prompt_takes_at_most_half_of_the_window(processor):
    rows = [numbered_episode(number, 50) for number in range(3)]
    collator = GatoDataCollator(processor, max_length=20, prompt_probability=1.0, pack=False, seed=0)
    for _ in range(20):
        for window in rows_of(collator(rows), processor):
            prompt, own = split_prompt(window, processor)
            assert len(prompt) == 3 and len(own) == 3


@pytest.mark.parametrize(("end_probability", "all_at_the_end"), [(1.0, True), (0.0, False)])
def test_prompts_from_the_end_show_the_goal(processor, end_probability, all_at_the_end):
    rows = [numbered_episode(number, 12) for number in range(2)]
    collator = GatoDataCollator(
        processor,
        max_length=18,
        prompt_probability=1.0,
        prompt_end_probability=end_probability,
        pack=False,
        seed=0,
    )
    prompts = [split_prompt(window, processor)[0] for _ in range(60) for window in rows_of(collator(rows), processor)]
    lasts = {prompt[-1] % 100 for prompt in prompts}
    assert lasts == ({11} if all_at_the_end else set(range(2, 12)))


def test_prompt_probability_is_the_share_of_windows(processor):
    rows = [numbered_episode(number, 2) for number in range(8)]
    collator = GatoDataCollator(processor, max_length=30, prompt_probability=0.25, pack=False, seed=0)
    windows = [window for _ in range(100) for window in rows_of(collator(rows), processor)]
    share = np.mean([len(split_prompt(window, processor)[0]) > 0 for window in windows])
    assert 0.2 < share < 0.3


@pytest.mark.parametrize("as_dataset", [True, False])
def test_prompts_from_a_dataset_are_never_the_episode_itself(processor, as_dataset):
    rows = [numbered_episode(number, 3, task="ab"[number % 2]) for number in range(6)]
    prompts = Dataset.from_list(rows) if as_dataset else rows
    collator = GatoDataCollator(processor, 30, prompt_probability=1.0, prompt_episodes=prompts, pack=False, seed=0)
    others = set()
    for _ in range(40):
        prompt, own = split_prompt(rows_of(collator([rows[0]]), processor)[0], processor)
        assert own == [0, 1, 2]
        others.add(prompt[0] // 100)
    assert others == {2, 4}


def test_without_another_episode_there_is_no_prompt(processor):
    alone = numbered_episode(1, 3)
    for rows, prompt_episodes in (
        ([alone], None),
        ([alone, numbered_episode(2, 3, task="another")], None),
        ([alone, {"text": "a document", "task": "task"}], None),
        ([{name: alone[name] for name in alone if name != "task"}, numbered_episode(2)], None),
        ([alone], [alone]),
        ([alone], [numbered_episode(2, task="another")]),
    ):
        collator = GatoDataCollator(
            processor, prompt_probability=1.0, prompt_episodes=prompt_episodes, pack=False, seed=0
        )
        assert observed(rows_of(collator(rows), processor)[0], processor) == [100, 101, 102]


# ---------------------------------------------------------------------------------------------------------------
# Options
# ---------------------------------------------------------------------------------------------------------------


def test_spaces_by_task(processor):
    rows = [
        {"discrete_observations": [0], "continuous_actions": [[5.0]], "task": "wide"},
        {"discrete_observations": [0], "continuous_actions": [[0.5]], "task": "narrow"},
    ]
    by_task = {"wide": spaces.Box(-10, 10, (1,)), "narrow": spaces.Box(-1, 1, (1,))}
    batch = GatoDataCollator(processor, pack=False, action_space=by_task)(rows)
    expected = processor.vocabulary.continuous[768]
    assert batch["labels"].tolist() == [[-100, -100, expected]] * 2
    # A Dict space is one space, not a mapping of tasks.
    nested = spaces.Dict(move=spaces.Box(-10, 10, (1,)))
    batch = GatoDataCollator(processor, pack=False, action_space=nested)(rows[:1])
    assert batch["labels"].tolist() == [[-100, -100, expected]]


def windows_drawn(collator, seed):
    torch.manual_seed(seed)
    return [collator([numbered_episode(0, 50)])["input_ids"][0, 0].item() for _ in range(8)]


def test_random_numbers_follow_torch_or_a_seed_of_their_own(processor):
    options = {"max_length": 9, "prompt_probability": 0.0}
    collator = GatoDataCollator(processor, **options)
    assert windows_drawn(collator, 0) == windows_drawn(collator, 0) != windows_drawn(collator, 1)
    first = windows_drawn(GatoDataCollator(processor, seed=3, **options), 0)
    assert first == windows_drawn(GatoDataCollator(processor, seed=3, **options), 1)
    assert first != windows_drawn(GatoDataCollator(processor, seed=4, **options), 0)


@pytest.mark.parametrize("seed", [None, 3])
def test_worker_processes_draw_different_windows_each_epoch(processor, seed):
    collator = GatoDataCollator(processor, max_length=9, prompt_probability=0.0, seed=seed)
    loader = DataLoader([numbered_episode(0, 500)] * 8, batch_size=1, num_workers=2, collate_fn=collator)
    torch.manual_seed(0)
    epochs = [[batch["input_ids"][0, 0].item() for batch in loader] for _ in range(2)]
    assert epochs[0] != epochs[1]
    assert len(set(epochs[0])) > 4
    torch.manual_seed(0)
    assert [batch["input_ids"][0, 0].item() for batch in loader] == epochs[0]


def test_rows_without_our_columns_say_what_trainer_did(processor):
    collator = GatoDataCollator(processor)
    with pytest.raises(ValueError, match="remove_unused_columns=False"):
        collator([{}])
    with pytest.raises(ValueError, match=r"row 1 .* \['input_ids'\]"):
        collator([numbered_episode(0), {"input_ids": [1, 2]}])


def test_a_step_too_long_for_a_window(processor):
    with pytest.raises(ValueError, match="timestep 0 of an episode has 3 tokens, more than max_length=2"):
        GatoDataCollator(processor, max_length=2)([numbered_episode(0, 1)])


def test_instructions_begin_every_window(instruction_processor: GatoProcessor, make_episode):
    episode = make_episode(num_steps=30)
    mission = instruction_processor.tokenizer(episode["text_observations"][0])["input_ids"]
    collator = GatoDataCollator(instruction_processor, max_length=40, prompt_probability=0.0, seed=0)
    for _ in range(20):
        (row,) = collator([episode])["input_ids"].tolist()
        assert row[: len(mission)] == mission
        assert len(row) == len(mission) + 5 * 7


# ---------------------------------------------------------------------------------------------------------------
# Disturbed episodes, images as bytes
# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [True, False])
def test_the_executed_action_is_read_and_the_experts_is_the_label(processor, pack):
    episode = numbered_episode(1, 3) | {"discrete_actions": [5, 6, 7], "executed_discrete_actions": [5, 9, 7]}
    collator = GatoDataCollator(processor, 30, prompt_probability=0.0, seed=0, pack=pack)
    (window,) = rows_of(collator([episode]), processor)
    first = processor.vocabulary.discrete.start
    actions = [(token - first, label - first) for token, label in window if label >= 0]
    assert actions == [(5, 5), (9, 6), (7, 7)]


def test_executed_continuous_actions_in_windows_and_prompts(processor):
    steps = np.linspace(-0.9, 0.9, 8, dtype=np.float32)
    episode = {
        "continuous_observations": steps[:, None],
        "continuous_actions": steps[:, None],
        "executed_continuous_actions": -steps[:, None],
        "task": "task",
    }
    space = spaces.Box(-1, 1, (1,), np.float32)
    whole = processor.encode_episode(episode, action_space=space)
    clean = processor.encode_episode(episode | {"executed_continuous_actions": None}, action_space=space)
    is_action = whole.roles == 3
    assert (whole.target_ids == clean.input_ids).all() and (whole.input_ids != clean.input_ids)[is_action].all()
    assert (whole[3:9].target_ids == clean.input_ids[3:9]).all()
    joined = GatoSequence.concatenate([whole, clean])
    assert (joined.target_ids == np.tile(clean.input_ids, 2)).all()


def test_executed_actions_must_be_as_many(processor):
    episode = numbered_episode(1, 3) | {"executed_discrete_actions": [1, 2]}
    with pytest.raises(ValueError, match="executed_discrete_actions must have the 3 steps"):
        processor.encode_episode(episode)
    episode = numbered_episode(1, 3) | {"executed_continuous_actions": [[0.0]] * 3}
    with pytest.raises(ValueError, match="executed_continuous_actions must have the 3 steps"):
        processor.encode_episode(episode)


def test_images_as_bytes_are_the_same_images(processor, make_episode):
    episode = make_episode(num_steps=3)
    images = episode["image_observations"]
    stored = episode | {"image_observations": [image.tobytes() for image in images], "image_shape": [28, 28, 3]}
    expected, found = processor.encode_episode(episode), processor.encode_episode(stored)
    assert (expected.input_ids == found.input_ids).all() and (expected.patches == found.patches).all()
    assert (processor.step_lengths(stored).first == processor.step_lengths(episode).first).all()
    document = processor.encode_document({"text": "a picture", "images": list(images[:2])})
    as_bytes = {"text": "a picture", "images": stored["image_observations"][:2], "image_shape": [28, 28, 3]}
    assert (processor.encode_document(as_bytes).patches == document.patches).all()
    with pytest.raises(ValueError, match="image_observations\\[0\\] has 2352 bytes, .* has 2187"):
        processor.encode_episode(stored | {"image_shape": [27, 27, 3]})
    with pytest.raises(ValueError, match='need.* "image_shape"'):
        processor.encode_episode(stored | {"image_shape": None})
