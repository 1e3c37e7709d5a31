# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""From a recipe to `TrainingArguments`: batches, workers, precision and the learning rate of each step."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..recipes.errors import RecipeError
from ..recipes.schema import Recipe
from ..system.hardware import has_native_bfloat16

if TYPE_CHECKING:
    from transformers import TrainingArguments


def training_arguments(recipe: Recipe, output: Path) -> TrainingArguments:
    """Makes the arguments of the trainer, and joins the other processes of the run where there are any.

    Raises:
        RecipeError: The processes can't share the batch.
    """
    import torch
    from transformers import TrainingArguments

    settings = recipe.optimization
    # It has a new name since transformers 5.23.
    names = {field.name for field in fields(TrainingArguments)}
    checkpointing = "activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing"
    arguments = TrainingArguments(
        output_dir=str(output / "checkpoints"),
        max_steps=settings.steps,
        learning_rate=settings.learning_rate,
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        adam_epsilon=settings.epsilon,
        weight_decay=0.0 if settings.optimizer == "adam" else settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        use_cpu=not torch.cuda.is_available(),
        bf16=recipe.precision == "bf16" or (recipe.precision == "auto" and has_native_bfloat16()),
        torch_compile=recipe.compile,
        seed=recipe.seed,
        save_strategy="no" if recipe.fsdp else "steps",
        save_steps=recipe.checkpoints.every,
        save_total_limit=recipe.checkpoints.keep,
        logging_steps=recipe.logging.every,
        # A loss that is not finite must be seen.
        logging_nan_inf_filter=False,
        report_to=recipe.logging.report_to or "none",
        run_name=recipe.logging.run_name,
        remove_unused_columns=False,
        disable_tqdm=True,
        # The other processes wait while the first collects demonstrations, which may take long.
        ddp_timeout=24 * 3600,
        # Every parameter has a gradient in every batch, also those of images in a batch without images.
        ddp_find_unused_parameters=False,
        **({checkpointing: True} if recipe.gradient_checkpointing else {}),
    )
    arguments._n_gpu = min(1, arguments.n_gpu)
    rows, accumulated = batch_shares(recipe, arguments.world_size)
    arguments.per_device_train_batch_size = rows
    arguments.gradient_accumulation_steps = accumulated
    arguments.dataloader_num_workers = _num_data_workers(recipe, arguments.world_size)
    if arguments.dataloader_num_workers:
        arguments.dataloader_prefetch_factor = 4
    return arguments


def batch_shares(recipe: Recipe, processes: int) -> tuple[int, int]:
    """Divides the batch of a step among processes.

    Returns:
        The rows that a process computes at once, and how many times it does so in a step.

    Raises:
        RecipeError: The batch can't be divided into equal parts.
    """
    settings = recipe.optimization
    if settings.batch_size % processes:
        raise RecipeError(
            f"optimization.batch_size ({settings.batch_size}) must be a multiple of the {processes} processes"
        )
    share = settings.batch_size // processes
    micro = settings.micro_batch_size or share
    if share % micro:
        raise RecipeError(
            f"optimization.micro_batch_size ({micro}) must divide the {share} rows of each of {processes} processes"
        )
    return micro, share // micro


def _num_data_workers(recipe: Recipe, processes: int) -> int:
    """Returns the number of processes that make rows for one training process."""
    import torch

    if recipe.data_workers >= 0:
        return recipe.data_workers
    on_this_machine = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
    spare = (os.cpu_count() or 1) // on_this_machine - 1
    return max(0, min(spare, 8 if torch.cuda.is_available() else 1))


def learning_rate_factor(recipe: Recipe) -> Callable[[int], float]:
    """Returns a function from a step to its learning rate, in units of the peak."""
    settings = recipe.optimization
    warmup, steps = settings.num_warmup_steps, settings.steps
    first = settings.initial_learning_rate / settings.learning_rate
    last = settings.final_learning_rate_ratio

    def factor(step: int) -> float:
        if step < warmup:
            return first + (1.0 - first) * step / warmup
        if settings.schedule == "constant":
            return 1.0
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return last + (1.0 - last) * 0.5 * (1.0 + math.cos(math.pi * done))

    return factor


def is_main(arguments: TrainingArguments) -> bool:
    """Tells whether this process writes the files of the run."""
    return arguments.process_index == 0


def wait_for_all(arguments: TrainingArguments) -> None:
    """Waits until all processes of the run are here."""
    if arguments.world_size > 1:
        import torch

        torch.distributed.barrier()
