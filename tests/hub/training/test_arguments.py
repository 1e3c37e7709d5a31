# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

import pytest

from gato_hub.recipes.errors import RecipeError
from gato_hub.recipes.reading import check_recipe, load_recipe
from gato_hub.training.arguments import batch_shares, is_main, learning_rate_factor, training_arguments

SIMPLE = {"model": {"size": "nano"}, "data": [{"tasks": "babyai/go-to-local"}]}


def simple(**changes):
    return check_recipe(SIMPLE | changes)


def test_the_papers_training_is_the_default():
    settings = simple().optimization
    factor = learning_rate_factor(simple())
    assert (settings.betas, settings.epsilon, settings.weight_decay) == ((0.9, 0.95), 1e-8, 0.1)
    assert settings.learning_rate * factor(0) == pytest.approx(1e-7)
    assert settings.learning_rate * factor(7_500) == pytest.approx((1e-7 + 1e-4) / 2)
    assert settings.learning_rate * factor(15_000) == pytest.approx(1e-4)
    assert settings.learning_rate * factor((1_000_000 + 15_000) // 2) == pytest.approx(0.55e-4)
    assert settings.learning_rate * factor(1_000_000) == pytest.approx(1e-5)


def test_a_constant_rate_stays():
    recipe = load_recipe("finetune")
    assert {learning_rate_factor(recipe)(step) for step in (0, 1, 9_999)} == {1.0}


@pytest.mark.parametrize(
    ("batch_size", "micro_batch_size", "processes", "shares"),
    [(12, None, 1, (12, 1)), (12, None, 4, (3, 1)), (12, 2, 1, (2, 6)), (12, 2, 3, (2, 2)), (12, 4, 3, (4, 1))],
)
def test_processes_share_a_batch(batch_size, micro_batch_size, processes, shares):
    recipe = simple(optimization={"batch_size": batch_size, "micro_batch_size": micro_batch_size})
    assert batch_shares(recipe, processes) == shares
    assert shares[0] * shares[1] * processes == batch_size


@pytest.mark.parametrize(
    ("micro_batch_size", "processes", "message"),
    [
        (None, 5, r"optimization.batch_size \(12\) must be a multiple of the 5 processes"),
        (6, 4, r"optimization.micro_batch_size \(6\) must divide the 3 rows of each of 4 processes"),
    ],
)
def test_a_batch_that_processes_can_not_share(micro_batch_size, processes, message):
    recipe = simple(optimization={"batch_size": 12, "micro_batch_size": micro_batch_size})
    with pytest.raises(RecipeError, match=message):
        batch_shares(recipe, processes)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_arguments_of_the_trainer_are_those_of_the_recipe(optimizer, tmp_path):
    settings = {"optimizer": optimizer, "batch_size": 12, "micro_batch_size": 2, "weight_decay": 0.3}
    arguments = training_arguments(simple(optimization=settings, data_workers=3, precision="fp32"), tmp_path)
    assert (arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps) == (2, 6)
    assert arguments.weight_decay == (0.0 if optimizer == "adam" else 0.3)  # as in the paper's fine-tuning
    assert arguments.dataloader_num_workers == 3 and not arguments.bf16
    assert is_main(arguments)
