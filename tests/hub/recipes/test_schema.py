# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest

from gato_hub.recipes.errors import RecipeError
from gato_hub.recipes.reading import check_recipe

SIMPLE = {"model": {"size": "nano"}, "data": [{"tasks": "babyai/go-to-local"}]}


def simple(**changes):
    return check_recipe(SIMPLE | changes)


BAD = [
    ({"optimisation": {}}, "optimisation: there is no such key; did you mean optimization?"),
    ({"data": [{"tasks": "babyai", "weight": -1}]}, "data.0.weight: input should be greater than 0, got -1"),
    ({"data": [{"tasks": "babyai", "weight": float("nan")}]}, "data.0.weight: .*nan"),
    ({"data": [{"tasks": "babyai", "wieght": 1}]}, "data.0.wieght: there is no such key; did you mean weight?"),
    ({"data": [{"weight": 1}]}, "data.0: give either tasks or path"),
    ({"data": [{"tasks": "babyai", "path": "there"}]}, "data.0: give either tasks or path"),
    ({"data": [{"path": "there", "episodes": 3}]}, "data.0: episodes belongs to tasks"),
    ({"data": [{"tasks": "babyai", "name": "x"}]}, "data.0: name belongs to path"),
    ({"data": [{"path": "there", "learner": "x"}]}, "data.0: learner belongs to tasks"),
    ({"data": [{"tasks": "babyai", "learner": "x", "noise": 0.1}]}, "data.0: a learner makes mistakes of its own"),
    ({"data": []}, "data: .*at least 1 item"),
    ({"model": {}}, "model: give either size or pretrained"),
    ({"model": {"size": "huge"}}, "model.size: .*'large', got 'huge'"),
    ({"model": {"size": "nano", "config": {"hiden_size": 3}}}, "model.config: .*did you mean `hidden_size`"),
    ({"model": {"size": "nano", "config": {"hidden_size": -8}}}, "model.config: .*hidden_size"),
    ({"model": {"pretrained": "x"}, "processor": {"tokenizer": "y"}}, "processor belongs to a new model"),
    ({"sequence": {"length": 0}}, "sequence.length: .*greater than or equal to 1, got 0"),
    ({"sequence": {"prompt_probability": 1.5}}, "sequence.prompt_probability: .*got 1.5"),
    ({"acting": {"temperature": 0}}, "acting.temperature: .*got 0"),
    ({"acting": {"tasks": {"babyai": {"context_steps": 0}}}}, "acting.tasks.babyai.context_steps: .*got 0"),
    ({"acting": {"past_window": "forget"}}, "acting.past_window: .*'memory' or 'reread', got 'forget'"),
    ({"data": [{"tasks": "babyai", "max_steps": 0}]}, "data.0.max_steps: .*got 0"),
    ({"acting": {"tasks": {"babyai": {"tasks": {}}}}}, "acting.tasks.babyai.tasks: there is no such key"),
    ({"loss": {"weights": {"words": 1}}}, "loss.weights.words"),
    ({"loss": {"soft_bins": -1}}, "loss.soft_bins: .*got -1"),
    ({"optimization": {"steps": 10}}, r"optimization: warmup_steps \(15000\) must be at most steps \(10\)"),
    ({"optimization": {"batch_size": 5, "micro_batch_size": 2}}, r"batch_size \(5\) must be a multiple"),
    ({"optimization": {"learning_rate": "fast"}}, "optimization.learning_rate: .*got 'fast'"),
    ({"evaluation": {"every": 5}}, "evaluation: tasks are needed"),
    ({"fsdp": True, "lora": {}}, "fsdp and lora"),
    ({"fsdp": True, "evaluation": {"every": 5, "tasks": "babyai"}}, "evaluation.every must be 0 with fsdp"),
    ({"seed": -1}, "seed: .*got -1"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message[:30] for _, message in BAD])
def test_an_error_names_the_key(changes, message):
    with pytest.raises(RecipeError, match=message):
        simple(**changes)


def test_all_errors_are_told_at_once():
    with pytest.raises(RecipeError, match="seed.*precision|precision.*seed"):
        simple(seed=-1, precision="int8")


def test_the_keys_that_the_paper_gives_have_its_values():
    settings = simple().optimization
    assert (settings.batch_size, settings.betas, settings.epsilon, settings.weight_decay) == (
        512,
        (0.9, 0.95),
        1e-8,
        0.1,
    )
    assert (settings.learning_rate, settings.num_warmup_steps, settings.steps) == (1e-4, 15_000, 1_000_000)
    assert simple().sequence.model_dump() == {
        "length": 1024, "prompt_probability": 0.25, "prompt_end_probability": 0.5, "loss_on_observation_text": True
    }  # fmt: skip


@pytest.mark.parametrize(("warmup_steps", "steps"), [(0, 0), (0.05, 5), (0.051, 6), (7, 7)])
def test_warmup_below_one_is_a_share_of_the_steps(warmup_steps, steps):
    assert simple(optimization={"steps": 100, "warmup_steps": warmup_steps}).optimization.num_warmup_steps == steps
