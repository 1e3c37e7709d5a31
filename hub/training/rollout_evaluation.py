# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Rollouts during training, logged with the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..evaluation.policies import evaluate_agent
from ..recipes.schema import EvaluationSection
from ..suites import Task, find_task, matching_task_ids

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor


class RolloutEvaluation(TrainerCallback):
    """Lets the model act in some episodes of each task, every so many steps.

    It logs `success/TASK` or `return/TASK`. Where the random and the expert score of the task are known, it also logs
    `score/TASK`: 0 is the random score, 1 the expert's. The processes of a run share the tasks.

    Args:
        trainer: Trains the model, and logs.
        processor: The processor of the model.
        settings: The tasks, how many episodes, and how often.
        seed: The seed of the actions that the model samples.
    """

    def __init__(self, trainer: Trainer, processor: GatoProcessor, settings: EvaluationSection, seed: int):
        self._trainer = trainer
        self._processor = processor
        self._settings = settings
        self._seed = seed
        self._tasks = [task for name in matching_task_ids(settings.tasks) if isinstance(task := find_task(name), Task)]

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step % self._settings.every:
            return
        trainer = self._trainer
        model = trainer.accelerator.unwrap_model(trainer.model)
        was_training = model.training
        model.eval()
        mine = self._tasks[args.process_index :: args.world_size]
        devices = [args.device] if args.device.type == "cuda" else []
        # The evaluation must not change the random numbers of the training.
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            logs = {key: value for task in mine for key, value in self._logs_of(task, model).items()}
        model.train(was_training)
        if args.world_size > 1:
            gathered: list[dict] = [{}] * args.world_size
            torch.distributed.all_gather_object(gathered, logs)
            logs = {key: value for some in gathered for key, value in some.items()}
        wants_log = control.should_log
        trainer.log(dict(sorted(logs.items())))
        control.should_log = wants_log  # `log` has cleared it, though the loss is not logged yet

    def _logs_of(self, task: Task, model: GatoForCausalLM) -> dict[str, float]:
        seeds = task.evaluation_seeds[: self._settings.episodes]
        results = evaluate_agent(
            task,
            seeds,
            model,
            self._processor,
            num_environments=self._settings.num_environments,
            seed=self._seed,
        )
        is_success = task.score == "success"
        value = float(np.mean([result.success if is_success else result.episode_return for result in results]))
        logs = {f"{task.score}/{task.id}": value}
        if task.counts_in_means:
            assert task.random_score is not None and task.expert_score is not None
            random, expert = task.value(task.random_score), task.value(task.expert_score)
            logs[f"score/{task.id}"] = (value - random) / (expert - random)
        return logs
