# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A recipe: one YAML file that says all that a training run is made of.

Values of the paper are the defaults ("A Generalist Agent", appendix, training). Everything is checked on load, before
any work is done; an error names its key, as in `data.0.weight`. The key `extends` names another recipe, a file or one
that ships with the package, whose values hold where this one has none; a list replaces a list.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

RECIPES = Path(__file__).parent

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
# One name alone is a list of one.
Names = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class RecipeError(ValueError):
    """A recipe that can't be run: the message names the key."""


class _Section(BaseModel):
    # A number where a text is wanted is a mistake; a misspelt key would be passed over in silence.
    model_config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False, validate_default=True)


class ModelSection(_Section):
    """The model to train: a new one of a named size, or a trained one.

    Attributes:
        size: a named size of `GatoConfig`.
        pretrained: a folder or a name on the Hub; the processor comes from there, too.
        revision: of `pretrained` on the Hub.
        config: fields of `GatoConfig` that differ, such as `{position_embedding_type: rotary}`. A new model's window,
            `max_position_embeddings`, is as long as the rows of its training. Layers that a pretrained model lacks
            (`num_hidden_layers`) are added behind its own, and change nothing until they are trained.
    """

    size: Literal["nano", "mini", "small", "baseline", "large"] | None = None
    pretrained: str | None = None
    revision: str | None = None
    config: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one_of_them(self):
        if (self.size is None) == (self.pretrained is None):
            raise ValueError("give either size or pretrained")
        return self


class ProcessorSection(_Section):
    """How the world becomes tokens, for a new model.

    Attributes:
        tokenizer: a text tokenizer, a folder or a name on the Hub; the small one built in code by default.
        options: arguments of `GatoProcessor`, such as `{repeat_text_observations: false}`.
    """

    tokenizer: str | None = None
    options: dict[str, Any] = {}


class DataSection(_Section):
    """Data with a weight: either `tasks`, whose demonstrations are made if they are not there, or a `path`.

    Attributes:
        weight: share of the tokens, relative to the other weights; tasks of one section share it equally.
        label_weight: of each of its labels in the loss, beside `loss.weights`. A question has one label, its answer,
            in thirty tokens; by its share of the tokens alone the loss would hardly hear of it.
        tasks: ids, suites or patterns, as of `gato tasks`; those after a "!" are left out.
        episodes: to make, a task: episodes of its expert, or documents.
        noise: of the executed actions, see `gato collect`.
        first_seed: of the demonstrations; the first training seed of a task by default.
        learner: a checkpoint that acts in the demonstrations while the expert says what it would do, see `collect`.
        path: a folder of `train-*.parquet` files, a pattern of such files, or a dataset on the Hub.
        name: its configuration on the Hub.
        split, revision: of a path.
        task: the task's id, where the path holds episodes of one of ours: gives its spaces.
        environment: an id of `gymnasium.make`, "module:id" where a module registers it, that gives the spaces of a
            path's episodes. Without either, numbers say themselves what they are and actions lie in [-1, 1].
        streaming: read a few row groups at a time, instead of having all rows at hand.
        max_steps: the first steps of each episode to train on; all by default. Where a task is to get somewhere and
            to stay there, most of an episode shows nothing but how to stay. A learner's are left there.
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
    def _one_of_them(self):
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
    """Training rows, see `GatoDataCollator`."""

    length: Positive = 1024
    prompt_probability: Share = 0.25
    prompt_end_probability: Share = 0.5
    loss_on_observation_text: bool = True


class ActingSettings(_Section):
    """How the model is to act, see `GatoAgent`. What is left out stays as it is.

    Attributes:
        do_sample, temperature, continuous_actions: how an action is chosen.
        context_steps: steps remembered. The windows of training have as many, beside their prompts.
        past_window: what to do where the window is full.
    """

    do_sample: bool | None = None
    temperature: Annotated[float, Field(gt=0.0)] | None = None
    continuous_actions: Literal["sample", "mode", "mean"] | None = None
    context_steps: Positive | None = None
    past_window: Literal["memory", "reread"] | None = None


class ActingSection(ActingSettings):
    """What the checkpoint says of acting, in `generation_config.agent`.

    Attributes:
        tasks: what differs, by task, suite or pattern of names. The longest that fits goes first.
    """

    tasks: dict[str, ActingSettings] = {}


class LossSection(_Section):
    """Cross-entropy, with weights.

    Attributes:
        weights: of a label, by its kind; 1 by default.
        soft_bins: standard deviation, in bins, over which the label of a continuous action is spread; 0 for one bin.
    """

    weights: dict[
        Literal["text", "observation_text", "continuous_action", "discrete_action"], Annotated[float, Field(ge=0.0)]
    ] = {}
    soft_bins: Annotated[float, Field(ge=0.0, le=64.0)] = 0.0


class OptimizationSection(_Section):
    """Steps, batches, optimiser and schedule.

    Attributes:
        batch_size: rows a step, of all processes together.
        micro_batch_size: rows that a process computes at once; all of its share by default.
        optimizer: "adam" takes no weight decay, as the paper's fine-tuning; "muon" is Muon for the matrices of the
            blocks and AdamW for all else (see `muon.py`).
        matrix_learning_rate_ratio: the learning rate of Muon's matrices, in units of `learning_rate`.
        schedule: "cosine" falls to `final_learning_rate_ratio` of the peak, "constant" stays.
        warmup_steps: from `initial_learning_rate` to `learning_rate` in a line; a share of the steps where below 1.
        dropout: of attention and sub-layers; what the model says where left out. The paper fine-tunes with 0.1.
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
    def _fits(self):
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
        """In steps, also where given as a share."""
        import math

        return math.ceil(self.warmup_steps * self.steps if self.warmup_steps < 1 else self.warmup_steps)


class LoraSection(_Section):
    """Low-rank adapters instead of all weights (`peft.LoraConfig`). They are merged into the model that is saved."""

    rank: Positive = 16
    alpha: Annotated[float, Field(gt=0.0)] = 32.0
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    target_modules: list[str] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class EvaluationSection(_Section):
    """Rollouts during training.

    Attributes:
        every: steps between them; 0 for none.
        tasks: ids, suites or patterns.
        episodes: a task.
    """

    every: Annotated[int, Field(ge=0)] = 0
    tasks: Names = []
    episodes: Positive = 10
    num_environments: Positive = 32

    @model_validator(mode="after")
    def _fits(self):
        if self.every and not self.tasks:
            raise ValueError("tasks are needed where every is not 0")
        return self


class LoggingSection(_Section):
    """What is told of a run. `log.jsonl` and `learning_curve.png` are always written.

    Attributes:
        every: steps.
        report_to: trackers of `TrainingArguments`, such as tensorboard and trackio.
        run_name: for the trackers.
    """

    every: Positive = 50
    report_to: Names = []
    run_name: str | None = None


class CheckpointSection(_Section):
    """Checkpoints from which a run goes on, every so many steps, and how many of them are kept."""

    every: Positive = 1000
    keep: Positive = 1


class Recipe(_Section):
    """All that a training run is made of.

    Attributes:
        precision: "auto" is bf16 where the hardware computes it, fp32 elsewhere.
        gradient_checkpointing: computes activations again instead of keeping them.
        compile: `torch.compile` the model.
        fsdp: shards the model over all processes by transformers' own plan, on GPUs and CPUs. Such a run leaves its
            final model, and can't be resumed. For FSDP with checkpoints use Accelerate's configuration file.
        data_workers: processes a training process that make rows; -1 is one where there is a core to spare.
        seed: of weights, data and dropout.
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
    def _fits(self):
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


def recipe_path(name: str | os.PathLike) -> Path:
    """The file of a recipe: a path, or the name of one that ships with the package.

    Raises:
        RecipeError: there is none.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = RECIPES / f"{name}.yaml"
    if path.parent == Path() and shipped.is_file():
        return shipped
    names = ", ".join(sorted(path.stem for path in RECIPES.glob("*.yaml")))
    raise RecipeError(f"there is no file {name}, and no recipe of that name; there are {names}")


def load_recipe(name: str | os.PathLike, overrides: Iterable[str] = ()) -> Recipe:
    """Reads and checks a recipe.

    Args:
        name: a path, or the name of a recipe that ships with the package.
        overrides: `KEY=VALUE`, the key dotted, as in `optimization.steps=100` or `data.0.weight=2`, the value YAML.

    Raises:
        RecipeError: no such file, no YAML, or a key or value that can't be; all such keys are named.
    """
    path = recipe_path(name)
    values = _read(path)
    for override in overrides:
        _set(values, override)
    return check_recipe(values, str(path))


def _read(path: Path, *heirs: Path) -> dict[str, Any]:
    """The values of a file, over those of the recipe that it extends."""
    if path in heirs:
        raise RecipeError(f"{path}: extends: the recipe extends itself")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is no YAML: {error}") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must hold a mapping of keys, got {type(values).__name__}")
    extended = values.pop("extends", None)
    if extended is None:
        return values
    beside = path.parent / str(extended)
    return _merged(_read(beside if beside.is_file() else recipe_path(str(extended)), path, *heirs), values)


def _merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged, all else is replaced."""
    merged = dict(values)
    for key, change in changes.items():
        old = values.get(key)
        merged[key] = _merged(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return merged


def check_recipe(values: dict[str, Any], source: str = "the recipe") -> Recipe:
    """The recipe of plain values, as YAML has them.

    Raises:
        RecipeError: see `load_recipe`.
    """
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            key = ".".join(map(str, problem["loc"])) or "the recipe"
            message = problem["msg"].removeprefix("Value error, ")
            given = "" if problem["type"] in ("missing", "value_error") else f", got {problem['input']!r}"
            problems.append(f"{key}: {_hint(problem, message)}{given}")
        raise RecipeError(f"{source}: " + "; ".join(problems)) from None
    _check_model(recipe, source)
    return recipe


def _hint(problem: dict[str, Any], message: str) -> str:
    if problem["type"] != "extra_forbidden":
        return message[:1].lower() + message[1:]
    import difflib

    section: Any = Recipe
    for part in problem["loc"][:-1]:
        # The key of a mapping, such as a task, is no field.
        if part in getattr(section, "model_fields", ()):
            section = _section_of(section.model_fields[part].annotation)
    keys = list(getattr(section, "model_fields", ()))
    close = difflib.get_close_matches(str(problem["loc"][-1]), keys, n=1)
    return "there is no such key" + (f"; did you mean {close[0]}?" if close else f"; there are {', '.join(keys)}")


def _section_of(annotation: Any) -> Any:
    """The section inside an annotation such as `list[Section]` or `Section | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _section_of(part))), None)


def _check_model(recipe: Recipe, source: str) -> None:
    """Fields of the configuration and options of the processor, which their classes check."""
    if recipe.model.size is None:
        return
    from modeling_gato import GatoConfig

    try:
        getattr(GatoConfig, recipe.model.size)(**recipe.model.config)
    except Exception as error:  # strict dataclasses of huggingface_hub raise kinds of their own
        # The checks of a strict dataclass come wrapped: the cause says what is wrong.
        raise RecipeError(f"{source}: model.config: {error.__cause__ or error}") from error


def _set(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"{override!r} must have the form KEY=VALUE, as in optimization.steps=100")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"{key}: {text!r} is no YAML: {error}") from error
    *folders, last = key.split(".")
    place: Any = values
    for part in folders:
        place = _entered(place, part, key)
    if isinstance(place, list):
        place[_number(place, last, key)] = value
    else:
        place[last] = value


def _entered(place: Any, part: str, key: str) -> Any:
    if isinstance(place, list):
        inner = place[_number(place, part, key)]
    else:
        if place.get(part) is None:
            place[part] = {}
        inner = place[part]
    if not isinstance(inner, dict | list):
        raise RecipeError(f"{key}: {part} holds no other keys")
    return inner


def _number(place: list, part: str, key: str) -> int:
    if not part.isdecimal() or int(part) >= len(place):
        raise RecipeError(f"{key}: {part} must be a number below {len(place)}")
    return int(part)


def as_yaml(recipe: Recipe) -> str:
    """The whole recipe, defaults too: it gives the same run."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    for data, section in zip(values["data"], recipe.data, strict=True):
        for key in ("episodes", "noise") if section.path else ("split",):
            data.pop(key)
    return yaml.safe_dump(values, sort_keys=False)
