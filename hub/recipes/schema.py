# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The keys of a recipe: one YAML file that says all that a training run is made of.

Each section of the file is a class, and each key an attribute of it. The defaults are the values of the paper
("A Generalist Agent", appendix, training).
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
# One name alone is a list of one.
Names = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class _Section(BaseModel):
    # Unknown keys are refused: a misspelled key would be ignored in silence.
    model_config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False, validate_default=True)


class ModelSection(_Section):
    """The model to train: a new one of a named size, or a pretrained one.

    Attributes:
        size: The named size of a new model, as in `GatoConfig.nano()`.
        pretrained: A folder or a name on the Hub. The processor comes from there, too.
        revision: The revision of `pretrained` on the Hub.
        config: Fields of `GatoConfig` that differ, such as `{position_embedding_type: rotary}`. The window of a new
            model, `max_position_embeddings`, is `sequence.length` by default. Where `num_hidden_layers` is more than
            a pretrained model has, layers are added behind its own. They change nothing until they are trained.
    """

    size: Literal["nano", "mini", "small", "baseline", "large"] | None = None
    pretrained: str | None = None
    revision: str | None = None
    config: dict[str, Any] = {}

    @model_validator(mode="after")
    def _size_or_pretrained(self) -> ModelSection:
        if (self.size is None) == (self.pretrained is None):
            raise ValueError("give either size or pretrained")
        return self


class ProcessorSection(_Section):
    """The processor of a new model.

    Attributes:
        tokenizer: A text tokenizer, a folder or a name on the Hub. The default is the small one built in code.
        options: Arguments of `GatoProcessor`, such as `{repeat_text_observations: false}`.
    """

    tokenizer: str | None = None
    options: dict[str, Any] = {}


class DataSection(_Section):
    """Data with a weight: either `tasks`, whose missing demonstrations are collected, or a `path`.

    Attributes:
        weight: The share of the tokens, relative to the other weights. The tasks of one section share it equally.
        label_weight: The weight of each label in the loss, times that of `loss.weights`. Raise it for tasks with few
            labels per row: a question has one label, its answer, in thirty tokens.
        tasks: Ids, suites or patterns, as `gato tasks` lists them. Those after a "!" are left out.
        episodes: Episodes of the expert, or documents, to collect for each task.
        noise: How much the executed actions differ from the expert's, see `gato collect`.
        first_seed: The first seed of the demonstrations. The default is the first training seed of the task.
        learner: A checkpoint that acts while the expert says what it would do, see `collect`.
        path: A folder of `train-*.parquet` files, a pattern of such files, or a dataset on the Hub.
        name: The configuration of a dataset on the Hub.
        split: The split of a path.
        revision: The revision of a dataset on the Hub.
        task: The id of a registered task that the episodes of a path are of. Its spaces are used.
        environment: An id of `gymnasium.make` whose spaces the episodes of a path have, or "module:id" where a module
            registers it. Without task and environment, numbers are encoded by their type, and actions must lie in
            [-1, 1].
        streaming: Whether to read a few row groups at a time, instead of having all rows at hand.
        max_steps: Train on the first so many steps of each episode, and end a learner's episodes there. The default
            is all. Use it where the expert reaches its goal early: most other steps only show how to stay there.
    """

    weight: Annotated[float, Field(gt=0.0)] = 1.0
    label_weight: Annotated[float, Field(gt=0.0)] = 1.0
    tasks: Names | None = None
    episodes: Positive = 1000
    noise: Annotated[float, Field(ge=0.0)] = 0.0
    first_seed: Annotated[int, Field(ge=0)] | None = None
    learner: str | None = None
    path: str | None = None
    name: str | None = None
    split: str = "train"
    revision: str | None = None
    task: str | None = None
    environment: str | None = None
    streaming: bool = False
    max_steps: Positive | None = None

    @model_validator(mode="after")
    def _tasks_or_path(self) -> DataSection:
        if (self.tasks is None) == (self.path is None):
            raise ValueError("give either tasks or path")
        other = (
            ("name", "split", "revision", "task", "environment")
            if self.path is None
            else ("episodes", "noise", "first_seed", "learner")
        )
        for key in other:
            if key in self.model_fields_set:
                raise ValueError(f"{key} belongs to {'path' if self.path is None else 'tasks'}")
        if self.learner and self.noise:
            raise ValueError("a learner makes mistakes of its own: give learner or noise, not both")
        if self.task and self.environment:
            raise ValueError("give task or environment, not both")
        return self


class SequenceSection(_Section):
    """The rows of training, see `GatoDataCollator`.

    Attributes:
        length: Tokens per row.
        prompt_probability: The share of windows that begin with a prompt, a part of another episode of the task.
        prompt_end_probability: The share of prompts that are the end of their episode.
        loss_on_observation_text: Whether the text of observations is learned, too.
    """

    length: Positive = 1024
    prompt_probability: Share = 0.25
    prompt_end_probability: Share = 0.5
    loss_on_observation_text: bool = True


class ActingSettings(_Section):
    """How the model acts, see `GatoAgent`. What is left out stays as it is.

    Attributes:
        do_sample: Whether actions are sampled.
        temperature: The temperature of the sampling.
        continuous_actions: How a continuous action is chosen from its distribution.
        context_steps: The number of steps the agent remembers. Windows of training have as many, besides prompts.
        past_window: What the agent does when its window is full.
    """

    do_sample: bool | None = None
    temperature: Annotated[float, Field(gt=0.0)] | None = None
    continuous_actions: Literal["sample", "mode", "mean"] | None = None
    context_steps: Positive | None = None
    past_window: Literal["memory", "reread"] | None = None


class ActingSection(ActingSettings):
    """How the model acts, saved in the checkpoint's `generation_config.agent`.

    Attributes:
        tasks: Settings that differ, by task, suite or pattern of ids. The longest pattern that matches is used first.
    """

    tasks: dict[str, ActingSettings] = {}


class LossSection(_Section):
    """Weighted cross-entropy.

    Attributes:
        weights: The weight of a label by its kind. The default is 1.
        soft_bins: The standard deviation, in bins, over which the label of a continuous action is spread. 0 keeps it
            in one bin.
    """

    weights: dict[
        Literal["text", "observation_text", "continuous_action", "discrete_action"], Annotated[float, Field(ge=0.0)]
    ] = {}
    soft_bins: Annotated[float, Field(ge=0.0, le=64.0)] = 0.0


class OptimizationSection(_Section):
    """Steps, batches, optimizer and schedule.

    Attributes:
        steps: Training steps.
        batch_size: Rows per step, over all processes.
        micro_batch_size: Rows that a process computes at once. The default is all of its share.
        optimizer: "adamw", "adam" or "muon". "adam" has no weight decay, as in the paper's fine-tuning. "muon" is
            Muon for the matrices of the layers and AdamW for all else (see `training/muon.py`).
        matrix_learning_rate_ratio: The learning rate of Muon's matrices, in units of `learning_rate`.
        learning_rate: The peak of the learning rate.
        schedule: "cosine" falls to `final_learning_rate_ratio` of the peak, "constant" stays there.
        warmup_steps: Steps in which the rate rises linearly from `initial_learning_rate` to the peak. Below 1 it is a
            share of all steps.
        initial_learning_rate: The learning rate of the first step of the warmup.
        final_learning_rate_ratio: The learning rate of the last step, in units of `learning_rate`.
        betas: The decay rates of the moments of AdamW.
        epsilon: The term that AdamW adds to the denominator.
        weight_decay: Decoupled weight decay.
        max_grad_norm: Gradients are clipped to this norm. 0 leaves them.
        dropout: Dropout of attention and sublayers in this training. The default is the configuration's. The paper
            fine-tunes with 0.1.
    """

    steps: Positive = 1_000_000
    batch_size: Positive = 512
    micro_batch_size: Positive | None = None
    optimizer: Literal["adamw", "adam", "muon"] = "adamw"
    matrix_learning_rate_ratio: Annotated[float, Field(gt=0.0)] = 1.0
    learning_rate: Annotated[float, Field(gt=0.0)] = 1e-4
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: Annotated[float, Field(ge=0.0)] = 15_000
    initial_learning_rate: Annotated[float, Field(ge=0.0)] = 1e-7
    final_learning_rate_ratio: Share = 0.1
    betas: tuple[Annotated[float, Field(ge=0.0, lt=1.0)], Annotated[float, Field(ge=0.0, lt=1.0)]] = (0.9, 0.95)
    epsilon: Annotated[float, Field(gt=0.0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.1
    max_grad_norm: Annotated[float, Field(ge=0.0)] = 1.0
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None

    @model_validator(mode="after")
    def _values_agree(self) -> OptimizationSection:
        if self.micro_batch_size is not None and self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size ({self.batch_size}) must be a multiple of micro_batch_size ({self.micro_batch_size})"
            )
        if self.matrix_learning_rate_ratio != 1.0 and self.optimizer != "muon":
            raise ValueError(f"matrix_learning_rate_ratio is Muon's, and optimizer is {self.optimizer!r}")
        if self.num_warmup_steps > self.steps:
            raise ValueError(f"warmup_steps ({self.num_warmup_steps}) must be at most steps ({self.steps})")
        return self

    @property
    def num_warmup_steps(self) -> int:
        """The number of warmup steps, also where `warmup_steps` is a share."""
        return math.ceil(self.warmup_steps * self.steps if self.warmup_steps < 1 else self.warmup_steps)


class LoraSection(_Section):
    """Low-rank adapters, trained instead of all weights and merged into the saved model (`peft.LoraConfig`).

    Attributes:
        rank: The rank of the adapters.
        alpha: The scale of the adapters, in units of 1 / rank.
        dropout: Dropout of the input of the adapters.
        target_modules: The names of the modules that get adapters.
    """

    rank: Positive = 16
    alpha: Annotated[float, Field(gt=0.0)] = 32.0
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    target_modules: list[str] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class EvaluationSection(_Section):
    """Rollouts during training.

    Attributes:
        every: Steps between two evaluations. 0 evaluates never.
        tasks: Ids, suites or patterns.
        episodes: Episodes per task.
        num_environments: Environments of a task that are stepped together.
    """

    every: Annotated[int, Field(ge=0)] = 0
    tasks: Names = []
    episodes: Positive = 10
    num_environments: Positive = 32

    @model_validator(mode="after")
    def _has_tasks(self) -> EvaluationSection:
        if self.every and not self.tasks:
            raise ValueError("tasks are needed where every is not 0")
        return self


class LoggingSection(_Section):
    """Where a run is logged. `log.jsonl` and `learning_curve.png` are always written.

    Attributes:
        every: Steps between two entries of the log.
        report_to: Trackers of `TrainingArguments`, such as tensorboard and trackio.
        run_name: The name of the run in the trackers.
    """

    every: Positive = 50
    report_to: Names = []
    run_name: str | None = None


class CheckpointSection(_Section):
    """Checkpoints from which an interrupted run resumes.

    Attributes:
        every: Steps between two checkpoints.
        keep: The number of latest checkpoints to keep.
    """

    every: Positive = 1000
    keep: Positive = 1


class Recipe(_Section):
    """All that a training run is made of.

    Attributes:
        model: See `ModelSection`.
        processor: See `ProcessorSection`.
        data: See `DataSection`.
        sequence: See `SequenceSection`.
        acting: See `ActingSection`.
        loss: See `LossSection`.
        optimization: See `OptimizationSection`.
        lora: See `LoraSection`. By default all weights are trained.
        precision: "fp32", "bf16", or "auto", which is bf16 where the hardware computes it and fp32 elsewhere.
        gradient_checkpointing: Whether activations are computed again instead of kept.
        compile: Whether the model is compiled by `torch.compile`.
        fsdp: Whether the model is sharded over all processes by transformers' own plan, on GPUs or CPUs. Such a run
            saves its final model only, and can't be resumed. For FSDP with checkpoints use Accelerate's
            configuration file.
        data_workers: Processes that make rows, for each training process. -1 is as many as there are spare cores, at
            most 1 on a CPU and 8 on a GPU.
        evaluation: See `EvaluationSection`.
        logging: See `LoggingSection`.
        checkpoints: See `CheckpointSection`.
        seed: The seed of weights, data and dropout.
    """

    model: ModelSection
    processor: ProcessorSection = ProcessorSection()
    data: Annotated[list[DataSection], Field(min_length=1)]
    sequence: SequenceSection = SequenceSection()
    acting: ActingSection = ActingSection()
    loss: LossSection = LossSection()
    optimization: OptimizationSection = OptimizationSection()
    lora: LoraSection | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    gradient_checkpointing: bool = False
    compile: bool = False
    fsdp: bool = False
    data_workers: Annotated[int, Field(ge=-1)] = -1
    evaluation: EvaluationSection = EvaluationSection()
    logging: LoggingSection = LoggingSection()
    checkpoints: CheckpointSection = CheckpointSection()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _sections_agree(self) -> Recipe:
        if self.model.pretrained and self.processor != ProcessorSection():
            raise ValueError("processor belongs to a new model: a pretrained one brings its own")
        if self.fsdp and self.lora:
            raise ValueError("fsdp and lora don't go together")
        for name, value in (("fsdp", self.fsdp), ("lora", self.lora)):
            if value and self.optimization.optimizer == "muon":
                raise ValueError(f"{name} and optimization.optimizer muon don't go together: it needs whole matrices")
        if self.fsdp and self.evaluation.every:
            raise ValueError("evaluation.every must be 0 with fsdp: a process holds only a part of the model")
        return self
