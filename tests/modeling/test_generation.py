# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Generating and acting: what is cached equals what is computed anew."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from helpers.tiny_gato import EOS_ID, IMAGE_ID, VOCAB_SIZE, WINDOW, random_inputs, tiny_config, tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_gato import GatoAgent, GatoForCausalLM, GatoMemory
from modeling_gato.generation_gato import acting_settings, unbatch_space
from tokenization_gato import GatoProcessor

TOLERANCE = {"atol": 1e-5, "rtol": 0}
LONG = 3 * WINDOW + 5
POSITION_TYPES = ["rotary", "transformer_xl"]


def generate(model, inputs, **kwargs):
    return model.generate(**inputs, do_sample=False, eos_token_id=None, pad_token_id=1, **kwargs)


# generate


@pytest.mark.parametrize("how", [{}, {"num_beams": 3}, {"num_beams": 3, "num_return_sequences": 2}])
def test_a_batch_with_images_generates_what_its_rows_do_alone(model, how):
    """Rows of different length and with different numbers of patches."""
    batch = random_inputs(batch=2, length=12, patches=3)
    batch["input_ids"][1, 2] = 9  # the second row keeps two of its three patches
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    batch["attention_mask"][1, :2] = 0
    patches = {name: batch.pop(name) for name in ("pixel_values", "patch_positions")}
    alone = []
    for row, (start, first, last) in enumerate([(0, 0, 3), (2, 4, 6)]):
        inputs = {name: value[row : row + 1, start:] for name, value in batch.items()}
        inputs |= {name: value[first:last] for name, value in patches.items()}
        alone.append(generate(model, inputs, max_new_tokens=8, **how)[:, -8:])
    kept = torch.tensor([0, 1, 2, 4, 5])
    together = generate(model, batch | {name: value[kept] for name, value in patches.items()}, max_new_tokens=8, **how)
    assert together[:, -8:].tolist() == torch.cat(alone).tolist()


@pytest.mark.parametrize("how", [{"use_cache": False}, {"cache_implementation": "static"}])
def test_generation_with_a_growing_cache_equals_other_ways_also_past_the_window(model, how):
    inputs = random_inputs(length=12)
    expected = generate(model, inputs, max_new_tokens=2 * WINDOW)
    assert generate(model, inputs, max_new_tokens=2 * WINDOW, **how).tolist() == expected.tolist()


def test_a_kept_cache_reads_only_the_new_patches(model):
    first, second = random_inputs(length=10, seed=1), random_inputs(length=9, seed=2)
    cache = model(**first, use_cache=True).past_key_values
    whole = {name: torch.cat([first[name], second[name]], dim=1) for name in ("input_ids", "local_position_ids")}
    patches = {
        name: torch.cat([first[name][:3], second[name][:3], first[name][3:], second[name][3:]])
        for name in ("pixel_values", "patch_positions")
    }
    expected = generate(model, whole | patches, max_new_tokens=5)
    new = {name: second[name] for name in ("pixel_values", "patch_positions")}
    assert generate(model, whole | new, max_new_tokens=5, past_key_values=cache).tolist() == expected.tolist()


def test_tokens_after_a_separator_get_the_vector_of_actions(model):
    inputs = random_inputs(length=8, patches=0)
    del inputs["pixel_values"], inputs["patch_positions"]
    action = model.config.num_local_positions
    inputs["local_position_ids"][:, -1] = action
    generated = generate(model, inputs, max_new_tokens=3)
    local = torch.cat([inputs["local_position_ids"], torch.full((2, 3), action)], dim=1)
    logits = model(input_ids=generated, local_position_ids=local).logits
    assert logits[:, 7:10].argmax(-1).tolist() == generated[:, 8:].tolist()


@pytest.mark.parametrize("how", [{}, {"num_beams": 3}, {"do_sample": True, "num_return_sequences": 2}])
def test_embeddings_generate_what_their_ids_do(model, how):
    inputs = random_inputs(length=12)
    options = {**how, "max_new_tokens": 5, "min_new_tokens": 5}
    embeds = model.get_input_embeddings()(inputs["input_ids"])
    others = {name: value for name, value in inputs.items() if name != "input_ids"}
    torch.manual_seed(0)
    expected = model.generate(**inputs, **options)[:, 12:]
    torch.manual_seed(0)
    assert model.generate(inputs_embeds=embeds, **others, **options).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(6))
def test_assisted_generation_writes_the_same_tokens(model, seed):
    inputs = random_inputs(batch=1, length=12, seed=seed)
    if seed % 2:
        inputs["local_position_ids"][:, -1] = model.config.num_local_positions  # actions follow
    options = {"max_new_tokens": 8, "min_new_tokens": 8, "do_sample": False}
    expected = model.generate(**inputs, **options)
    assert model.generate(**inputs, **options, prompt_lookup_num_tokens=3).tolist() == expected.tolist()
    assistant = tiny_model(seed=1, position_embedding_type=model.config.position_embedding_type)
    assert model.generate(**inputs, **options, assistant_model=assistant).tolist() == expected.tolist()
    assert model.generate(**inputs, **options, assistant_early_exit=1).tolist() == expected.tolist()
    assert model.generate(**inputs, **options).tolist() == expected.tolist()


def test_sampling_is_deterministic_given_a_seed(model):
    inputs = random_inputs(length=8)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(model.generate(**inputs, do_sample=True, max_new_tokens=10).tolist())
    assert drawn[0] == drawn[1] != drawn[2]


def test_generation_stops_at_the_end_of_sequence(model):
    with torch.no_grad():
        model.lm_head.weight.zero_()[EOS_ID] = 0.0
        model.model.norm.weight.zero_()
        model.model.norm.bias.copy_(torch.randn(32))
        model.lm_head.weight[EOS_ID] = model.model.norm.bias
    assert model.generate(torch.tensor([[7, 8]]), max_new_tokens=9).tolist() == [[7, 8, EOS_ID]]


# Memory


@pytest.mark.parametrize("position_type", POSITION_TYPES)
@settings(max_examples=15)
@given(data=st.data())
def test_memory_equals_one_long_pass_whatever_the_blocks(position_type, data):
    """Rows write blocks of their own lengths, padded anywhere on the left; one of them begins anew in between."""
    model = tiny_model(position_embedding_type=position_type)
    memory = GatoMemory(WINDOW, batch_size=3)
    written: list[list[int]] = [[], [], []]
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    for _ in range(data.draw(st.integers(2, 8))):
        lengths = data.draw(st.lists(st.integers(0, WINDOW + 6), min_size=3, max_size=3).filter(any))
        restart = data.draw(st.sampled_from([None, None, 0, 1, 2]))
        if restart is not None:
            memory.clear(torch.arange(3) == restart)
            written[restart] = []
        length = max(lengths)
        input_ids = torch.randint(5, VOCAB_SIZE, (3, length), generator=generator)
        is_new = torch.arange(length) >= length - torch.tensor(lengths)[:, None]
        with torch.no_grad():
            logits = model(input_ids, attention_mask=is_new.long(), past_key_values=memory).logits
        for row in range(3):
            written[row] += input_ids[row][is_new[row]].tolist()
            if lengths[row]:
                with torch.no_grad():
                    expected = model(torch.tensor([written[row]])).logits[0, -lengths[row] :]
                torch.testing.assert_close(logits[row, -lengths[row] :], expected, **TOLERANCE)
    assert memory.num_tokens.tolist() == [len(ids) for ids in written]


def test_past_the_window_memory_remembers_more_than_re_encoding_the_tail(model):
    """What Transformer-XL memory changes: keys of the window were computed with what lay before it in sight."""
    input_ids = random_inputs(length=LONG, patches=0)["input_ids"]
    memory = GatoMemory(WINDOW, batch_size=2)
    with torch.no_grad():
        remembered = torch.cat(
            [model(part, past_key_values=memory).logits for part in input_ids.split(5, dim=1)], dim=1
        )
        tail = model(input_ids[:, :WINDOW]).logits[:, -1]
        torch.testing.assert_close(remembered[:, WINDOW - 1], tail, **TOLERANCE)
        tail = model(input_ids[:, -WINDOW:]).logits[:, -1]
    assert (remembered[:, -1] - tail).abs().max() > 1e-3


def test_memory_holds_no_more_than_the_window_and_a_block(model):
    memory = GatoMemory(WINDOW, batch_size=2)
    with torch.no_grad():
        for part in random_inputs(length=10 * WINDOW, patches=0)["input_ids"].split(4, dim=1):
            model(part, past_key_values=memory)
    assert memory.capacity == WINDOW + 4 - 1
    assert all(keys.shape[2] <= memory.capacity + 1 for keys, _ in memory._buffers)


def test_a_loaded_row_equals_reading_it(model):
    input_ids = random_inputs(length=20, patches=0)["input_ids"]
    prompt, memory = GatoMemory(WINDOW, batch_size=1), GatoMemory(WINDOW, batch_size=2)
    with torch.no_grad():
        model(input_ids[:1, :15], past_key_values=prompt)
        model(input_ids[:, :3], past_key_values=memory)
        memory.load(prompt, torch.tensor([True, False]))
        logits = model(input_ids[:1, 15:].expand(2, -1), past_key_values=memory).logits
        torch.testing.assert_close(logits[0], model(input_ids[:1]).logits[0, 15:], **TOLERANCE)
        other = torch.cat([input_ids[1:, :3], input_ids[:1, 15:]], dim=1)
        torch.testing.assert_close(logits[1], model(other).logits[0, 3:], **TOLERANCE)


# Agents

SPACES = {
    "discrete": spaces.Discrete(7, start=-2),
    "multi_discrete": spaces.MultiDiscrete([3, 9, 2]),
    "multi_binary": spaces.MultiBinary(4),
    "box": spaces.Box(-2.0, 5.0, (3,), dtype=np.float32),
    "unbounded_box": spaces.Box(-np.inf, np.inf, (2,), dtype=np.float32),
    "integer_box": spaces.Box(-3, 12, (2, 2), dtype=np.int32),
    "text": spaces.Text(min_length=1, max_length=5, charset="abc "),
    "nested": spaces.Dict(
        {"grip": spaces.Discrete(2), "move": spaces.Tuple((spaces.Box(-1, 1, (2,)), spaces.MultiDiscrete([4])))}
    ),
}


@pytest.fixture(scope="module")
def processor() -> GatoProcessor:
    return GatoProcessor()


def tiny_actor(processor, **kwargs) -> GatoForCausalLM:
    torch.manual_seed(0)
    shape = {"patch_size": 16, "num_local_positions": 512, "max_position_embeddings": 512}
    return GatoForCausalLM(tiny_config(**(processor.model_kwargs | shape | kwargs))).eval()


def observe(random: np.random.Generator) -> dict:
    return {
        "camera": random.integers(0, 255, (16, 32, 3), dtype=np.uint8),
        "joints": random.normal(size=3),
        "say": " ".join(random.choice(["go", "to", "the", "red", "ball"], size=random.integers(1, 5))),
    }


def stacked(observations: list[dict]) -> dict:
    columns = {key: [observation[key] for observation in observations] for key in observations[0]}
    return {key: tuple(values) if key == "say" else np.stack(values) for key, values in columns.items()}


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("do_sample", [True, False])
def test_actions_are_always_legal(processor, name, do_sample):
    space = SPACES[name]
    random = np.random.default_rng(0)
    agent = GatoAgent(tiny_actor(processor), processor, space, do_sample=do_sample, seed=0)
    for _ in range(4):
        assert space.contains(agent.act(observe(random)))


@pytest.mark.parametrize("window", [512, 40])
@pytest.mark.parametrize("position_type", POSITION_TYPES)
@pytest.mark.parametrize("name", ["discrete", "box", "nested"])
def test_an_agent_acts_as_if_it_read_the_whole_episode_anew(processor, position_type, name, window):
    """In the window of 512 tokens, and long past one of 40."""
    model = tiny_actor(processor, position_embedding_type=position_type, max_position_embeddings=window)
    space, random = SPACES[name], np.random.default_rng(0)
    agent = GatoAgent(model, processor, space, do_sample=False)
    observations, actions = [], []
    for _ in range(10):
        observations.append(observe(random))
        inputs = processor(observations=observations, actions=actions, action_space=space, return_tensors="pt")
        constraints = processor.action_constraints(space)
        expected = processor.decode_action(model.generate(**inputs, do_sample=False, **constraints), space)
        actions.append(agent.act(observations[-1]))
        np.testing.assert_equal(actions[-1], expected)
    assert window > 40 or agent.memory.get_seq_length() > 2 * window


def test_environments_of_a_batch_do_not_feel_each_other_and_restart_on_their_own(processor):
    model, space = tiny_actor(processor), SPACES["box"]
    steps = [[observe(np.random.default_rng([env, step])) for env in range(3)] for step in range(6)]
    together = GatoAgent(model, processor, space, num_envs=3, do_sample=False)
    alone = [GatoAgent(model, processor, space, do_sample=False) for _ in range(3)]
    for step, observations in enumerate(steps):
        if step == 3:
            together.reset(np.array([False, True, False]))
            alone[1].reset()
        actions = together.act(stacked(observations))
        assert actions.shape == (3, 3) and actions.dtype == np.float32
        expected = [agent.act(seen) for agent, seen in zip(alone, observations, strict=True)]
        np.testing.assert_allclose(actions, expected)


@pytest.mark.parametrize("options", [{}, {"context_steps": 2}, {"past_window": "reread"}])
def test_environments_that_are_kept_do_not_feel_that_others_are_gone(processor, options):
    model, space = tiny_actor(processor, max_position_embeddings=96), SPACES["discrete"]
    steps = [[observe(np.random.default_rng([env, step])) for env in range(4)] for step in range(9)]
    together = GatoAgent(model, processor, space, num_envs=4, do_sample=False, **options)
    alone = [GatoAgent(model, processor, space, do_sample=False, **options) for _ in range(4)]
    kept = [0, 1, 2, 3]
    for step, observations in enumerate(steps):
        if step in (3, 6):
            mask = np.array([env != step // 3 for env in kept])  # first environment 1, then environment 2
            together.keep(mask)
            kept = [env for env, stays in zip(kept, mask, strict=True) if stays]
        if step == 7:
            together.reset(np.array([True, False]))
            alone[0].reset()
        actions = together.act(stacked([observations[env] for env in kept]))
        assert actions.tolist() == [alone[env].act(observations[env]) for env in kept]
    assert kept == [0, 3] and together.num_envs == 2
    with pytest.raises(ValueError, match=r"boolean of shape \(2,\)"):
        together.keep(np.array([True, False, True, True]))
    with pytest.raises(ValueError, match="at least one environment"):
        together.keep(np.array([False, False]))


def demonstration(steps: int) -> dict:
    random = np.random.default_rng(5)
    return {
        "image_observations": [random.integers(0, 255, (16, 32, 3), dtype=np.uint8) for _ in range(steps)],
        "continuous_observations": random.normal(size=(steps, 3)),
        "text_observations": ["go to the red ball"] * steps,
        "discrete_actions": random.integers(0, 7, steps),
    }


def test_a_prompt_comes_before_every_episode(processor):
    model, space = tiny_actor(processor), spaces.Discrete(7)
    prompt = demonstration(6)
    seen = {
        "continuous_observations": np.ones(3),
        "image_observations": np.full((16, 32, 3), 9, np.uint8),
        "text_observations": "go to the red ball",
    }
    observations = [{name: prompt[name][step] for name in seen} for step in range(6)] + [seen]
    actions = [int(action) for action in prompt["discrete_actions"]]
    inputs = processor(observations=observations, actions=actions, action_space=space, return_tensors="pt")
    ids = model.generate(**inputs, do_sample=False, **processor.action_constraints(space))
    agent = GatoAgent(model, processor, space, prompt=prompt, do_sample=False)
    first = agent.act(seen)
    assert agent.memory.get_seq_length() == inputs["input_ids"].shape[1]
    assert first == processor.decode_action(ids, space)
    agent.act(seen)
    agent.reset()
    assert agent.act(seen) == first


def test_a_long_prompt_is_cut_to_its_last_whole_steps_in_half_the_window(processor):
    model = tiny_actor(processor, max_position_embeddings=64)
    prompt = demonstration(40)
    agent = GatoAgent(model, processor, spaces.Discrete(7), prompt=prompt, num_envs=1)
    lengths = processor.step_lengths(prompt).following
    read = agent.memory.get_seq_length()
    assert read <= 32 < read + lengths[0]
    assert read % lengths[0] == 0


def test_an_agent_of_a_short_context_begins_anew_after_so_many_steps(processor):
    """Each environment for itself, with its prompt."""
    model, space = tiny_actor(processor), spaces.Discrete(7)
    random = np.random.default_rng(0)
    seen = [observe(random) for _ in range(7)]
    for options in ({}, {"prompt": demonstration(2)}):
        agent = GatoAgent(model, processor, space, num_envs=2, do_sample=False, context_steps=3, **options)
        lengths, actions = [], []
        for number, observation in enumerate(seen):
            if number == 2:
                agent.reset(np.array([False, True]))
            actions.append(agent.act(stacked([observation, observation])))
            lengths.append(agent.memory.num_tokens.tolist())
        assert lengths[3][0] <= lengths[2][0] and lengths[5][0] > lengths[4][0]
        for start, row in ((0, 0), (3, 0), (6, 0), (2, 1), (5, 1)):  # a stretch is as an episode of its own
            alone = GatoAgent(model, processor, space, num_envs=1, do_sample=False, **options)
            for observation, action in zip(seen[start : start + 3], actions[start:], strict=False):
                assert alone.act(stacked([observation]))[0] == action[row]


def test_a_full_window_is_read_again_from_its_last_steps():
    """Then the agent acts as one that has seen those steps alone; each environment for itself."""
    processor = GatoProcessor(repeat_text_observations=False)
    model, space = tiny_actor(processor, max_position_embeddings=96), spaces.MultiDiscrete([4, 3])
    random = np.random.default_rng(1)
    seen = [observe(random) for _ in range(24)]
    agent = GatoAgent(model, processor, space, num_envs=2, do_sample=False, past_window="reread")
    actions, num_tokens, num_rereads = [], [np.zeros(2)], 0
    for number, observation in enumerate(seen):
        if number == 4:
            agent.reset(np.array([False, True]))
        actions.append(agent.act(stacked([observation, observation])))
        num_tokens.append(agent.memory.num_tokens.numpy())
        for row in np.flatnonzero(num_tokens[-1] < num_tokens[-2]):
            if (number, row) == (4, 1):
                continue
            num_rereads += 1
            for num_steps in range(1, number):
                inputs = processor(
                    observations=seen[number - num_steps : number + 1],
                    actions=[action[row] for action in actions[number - num_steps : number]],
                    action_space=space,
                    return_tensors="pt",
                )
                # The agent has read all tokens of its action but the last.
                if inputs["input_ids"].shape[1] + 1 == num_tokens[-1][row]:
                    break
            assert num_steps > 1
            ids = model.generate(**inputs, do_sample=False, **processor.action_constraints(space))
            np.testing.assert_array_equal(processor.decode_action(ids, space), actions[number][row])
    assert num_rereads > 4 and np.max(num_tokens) <= 96


def test_a_prompt_stays_where_a_window_is_read_again(processor):
    model, space = tiny_actor(processor, max_position_embeddings=96), spaces.Discrete(7)
    options = {"num_envs": 1, "do_sample": False, "prompt": demonstration(3)}
    agent = GatoAgent(model, processor, space, past_window="reread", **options)
    length_of_prompt = agent.memory.get_seq_length()
    random, num_tokens, windows = np.random.default_rng(2), [length_of_prompt], []
    for number in range(20):
        observation = observe(random)
        agent.act(stacked([observation]))
        num_tokens.append(agent.memory.get_seq_length())
        if num_tokens[-1] < num_tokens[-2]:
            windows.append(number)
    assert len(windows) > 1 and length_of_prompt < min(num_tokens[1:]) and max(num_tokens) <= 96


def test_a_checkpoint_says_how_to_act_in_its_tasks(processor):
    settings = {
        "temperature": 0.5,
        "tasks": {
            "metaworld": {"context_steps": 4, "continuous_actions": "mean"},
            "metaworld/push*": {"context_steps": 2},
        },
    }
    assert acting_settings(settings, None) == {"temperature": 0.5}
    assert acting_settings(settings, "metaworldly/reach") == {"temperature": 0.5}
    assert acting_settings(settings, "metaworld/reach") == {"temperature": 0.5} | settings["tasks"]["metaworld"]
    assert acting_settings(settings, "metaworld/push-wall")["context_steps"] == 2
    model = tiny_actor(processor)
    model.generation_config.agent = settings
    agent = GatoAgent(model, processor, spaces.Box(-1, 1, (2,)), task="metaworld/push")
    assert (agent.context_steps, agent.continuous_actions, agent.temperature) == (2, "mean", 0.5)
    assert (
        GatoAgent(model, processor, spaces.Box(-1, 1, (2,)), task="metaworld/push", context_steps=9).context_steps == 9
    )


def test_an_instruction_is_not_repeated_until_it_would_leave_the_window():
    processor = GatoProcessor(repeat_text_observations=False)
    model = tiny_actor(processor, max_position_embeddings=64)
    agent = GatoAgent(model, processor, spaces.Discrete(4), num_envs=1)
    text = len(processor.tokenizer("go to the red ball")["input_ids"])
    lengths = []
    for step in range(40):
        before = agent.memory.get_seq_length()
        agent.act({"direction": np.array([step % 4]), "mission": ("go to the red ball",)})
        lengths.append(agent.memory.get_seq_length() - before)
    # A later step reads the action before it, the direction and the separator.
    told = [step for step, length in enumerate(lengths) if length > 3]
    assert told[0] == 0 and lengths[0] == text + 2
    assert all(lengths[step] == text + 3 for step in told[1:])
    gaps = np.diff(told)
    assert len(gaps) >= 1 and all(sum(lengths[a:b]) <= 64 for a, b in pairwise(told))


@pytest.mark.parametrize(
    ("batched", "single", "num_envs"),
    [
        (spaces.MultiDiscrete([7] * 5), spaces.Discrete(7), 5),
        (batch_space(spaces.MultiDiscrete([3, 4]), 2), spaces.Box(0, np.array([2, 3]), dtype=np.int64), 2),
        (batch_space(spaces.MultiBinary(4), 3), spaces.Box(0, 1, (4,), dtype=np.int8), 3),
        (
            batch_space(spaces.Dict(a=spaces.Discrete(2), b=spaces.Box(-1, 1, (3,))), 4),
            spaces.Dict(a=spaces.Discrete(2), b=spaces.Box(-1, 1, (3,))),
            4,
        ),
        (spaces.Box(-2, 2, (6, 3)), spaces.Box(-2, 2, (3,)), 6),
    ],
)
def test_the_space_of_a_vector_environment_gives_back_that_of_one(batched, single, num_envs):
    assert unbatch_space(batched) == (single, num_envs)


def test_a_vector_environments_space_is_recognized_by_its_observations(processor):
    model, batched = tiny_actor(processor), spaces.MultiDiscrete([7] * 3)
    random = np.random.default_rng(0)
    actions = GatoAgent(model, processor, batched, seed=0).act(stacked([observe(random) for _ in range(3)]))
    assert batched.contains(actions)
    single = GatoAgent(model, processor, batched, seed=0)
    assert batched.contains(single.act(observe(random)))
    assert single.num_envs == 1


def test_sampled_actions_depend_on_the_seed_alone(processor):
    model, space = tiny_actor(processor), SPACES["box"]
    seen = [observe(np.random.default_rng(step)) for step in range(3)]
    drawn = []
    for seed in (3, 3, 4):
        agent = GatoAgent(model, processor, space, seed=seed)
        drawn.append(np.array([agent.act(observation) for observation in seen]))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


def test_temperature_flattens_the_choice(processor):
    model, space = tiny_actor(processor), spaces.Discrete(900)
    random = np.random.default_rng(0)
    observations = stacked([observe(random)] * 64)

    def distinct(temperature):
        agent = GatoAgent(model, processor, space, num_envs=64, temperature=temperature, seed=0)
        return len(set(agent.act(observations).tolist()))

    assert distinct(0.01) < distinct(1.0) <= distinct(100.0)


def test_the_model_keeps_its_mode_and_its_placeholder_id(processor):
    model = tiny_actor(processor).train()
    GatoAgent(model, processor, spaces.Discrete(3)).act(observe(np.random.default_rng(0)))
    assert model.training
    assert model.config.image_token_id == processor.vocabulary.image_token_id != IMAGE_ID


def test_an_instruction_stays_in_the_window_where_steps_grow_longer():
    processor = GatoProcessor(repeat_text_observations=False)
    agent = GatoAgent(tiny_actor(processor, max_position_embeddings=64), processor, spaces.Discrete(4))
    lengths, told = [], []
    for step in range(40):
        size = 1 if step < 15 else 20
        before = agent.memory.get_seq_length() if step else 0
        agent.act({"joints": np.zeros(size), "mission": "go to the red ball"})
        lengths.append(agent.memory.get_seq_length() - before)
        if lengths[-1] > size + 1 + (step > 0):
            told.append(step)
    assert all(sum(lengths[a:b]) <= 64 for a, b in pairwise([*told, 40]))
