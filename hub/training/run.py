# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Training by a recipe: `gato train`, or `accelerate launch -m gato_hub.train` on many processes."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ..checkpoints.loading import checkpoint_location, training_of
from ..data.collect import collect, learner_digest, seeds_of
from ..data.files import parquet_files
from ..data.source import EpisodeSource
from ..recipes.errors import RecipeError
from ..recipes.reading import as_yaml
from ..recipes.schema import DataSection, Recipe
from ..suites import BaseTask, Task, find_task, matching_task_ids
from ..system import artifacts
from ..system.files import write_json, write_text
from ..system.hardware import hardware, has_native_bfloat16
from ..system.packages import package_versions, require_packages
from ..system.progress import WorkProgress
from ..system.provenance import git_commit
from .mixture import Mixture, MixturePart

if TYPE_CHECKING:
    from modeling_gato import GatoConfig, GatoForCausalLM
    from tokenization_gato import GatoProcessor

# The second where the weights are in several files.
MODEL_FILES = ("model.safetensors", "model.safetensors.index.json")
# What may differ when a run goes on: it does not touch the weights.
_FREE_KEYS = ("checkpoints", "data_workers", "evaluation", "logging")


class TrainingError(Exception):
    """Something the user can mend: the message says what."""


class Interrupted(KeyboardInterrupt):
    """The training was stopped by a signal and left a checkpoint."""

    def __init__(self, number: signal.Signals):
        super().__init__(number.name)
        self.signal = number


@dataclass
class _Data:
    """One task or path of a recipe's data, before it is read."""

    key: str
    name: str
    weight: float
    section: DataSection
    task: BaseTask | None
    files: list[str] | None = None
    learner_digest: str | None = None


def train(
    recipe: Recipe,
    output: str | os.PathLike,
    *,
    data_folder: str | os.PathLike | None = None,
    resume: bool = False,
    collect_missing: bool = True,
    workers: int = 2,
    console: Console | None = None,
) -> None:
    """Trains as the recipe says and leaves model, processor, log, learning curve and the recipe itself.

    Args:
        output: the folder for all that; checkpoints are in its `checkpoints`.
        data_folder: where demonstrations are, or are made; `output/demonstrations` by default.
        resume: go on from the last checkpoint, if there is one; otherwise a run that is there is an error.
        collect_missing: make the demonstrations that are not there.
        workers: processes that make demonstrations.

    Raises:
        RecipeError, TrainingError: something the user can mend; nothing was trained.
        Interrupted: stopped by Ctrl-C or SIGTERM; `resume=True` goes on.
    """
    console = console or Console(highlight=False, quiet=int(os.environ.get("RANK", 0)) != 0)
    output = Path(output)
    _require_packages(recipe)
    data = _find_data(recipe)
    _check_evaluation(recipe)
    _check_resumption(recipe, output, resume)
    if is_complete(output):
        console.print(f"This run is complete: see {output}")
        return

    run = _Run(recipe, output, console)
    data_folder = Path(data_folder or output / "demonstrations")
    if run.is_main and collect_missing:
        _make_demonstrations(data, data_folder, workers, console)
    run.wait()
    run.prepare(data, data_folder)
    run.train(resume)


def make_demonstrations(
    recipe: Recipe, folder: str | os.PathLike, *, workers: int = 2, console: Console | None = None
) -> None:
    """Makes the demonstrations of a recipe's tasks, those that are not there yet.

    Raises:
        RecipeError, TrainingError: see `train`.
    """
    _require_packages(recipe)
    _make_demonstrations(_find_data(recipe), Path(folder), workers, console or Console(highlight=False))


def show_mixture(
    recipe: Recipe,
    data_folder: str | os.PathLike,
    num_windows: int,
    *,
    workers: int = 2,
    console: Console | None = None,
) -> dict[str, Any]:
    """Draws windows as the training would and tells what they are made of.

    Returns:
        windows, rows, full (share of the positions that hold a token), prompted (share of the windows of episodes),
        from_end (share of the prompts), and tasks: of each its weight, and its shares of tokens and of labels.
    """
    console = console or Console(highlight=False)
    _require_packages(recipe)
    data = _find_data(recipe)
    _make_demonstrations(data, Path(data_folder), workers, console)
    run = _Run(recipe, None, console)
    run.prepare(data, Path(data_folder))
    return measure_mixture(run.mixture, num_windows)


def measure_mixture(mixture: Mixture, num_windows: int) -> dict[str, Any]:
    """See `show_mixture`."""
    windows = rows = tokens = episodes = prompted = from_end = 0
    by_part = {part.name: {"weight": 0.0, "windows": 0, "tokens": 0, "labels": 0} for part in mixture.parts}
    total = sum(part.weight for part in mixture.parts)
    for part in mixture.parts:
        by_part[part.name]["weight"] += part.weight / total
    while windows < num_windows and rows < len(mixture):
        row = mixture[rows]
        rows += 1
        about = by_part[mixture.parts[row.part].name]
        labels = mixture.collate([row])["labels"]
        about["labels"] += int((labels != -100).sum())
        for window in row.windows:
            windows += 1
            about["windows"] += 1
            about["tokens"] += len(window)
            tokens += len(window)
            if len(window.sequence.step_starts):
                episodes += 1
                prompted += window.prompt is not None
                from_end += window.prompt == "end"
    all_labels = sum(about["labels"] for about in by_part.values())
    return {
        "windows": windows,
        "rows": rows,
        "full": tokens / (rows * mixture.length),
        "prompted": prompted / max(1, episodes),
        "from_end": from_end / max(1, prompted),
        "tasks": {
            name: {
                "weight": about["weight"],
                "windows": about["windows"],
                "token_share": about["tokens"] / tokens,
                "label_share": about["labels"] / max(1, all_labels),
            }
            for name, about in by_part.items()
        },
    }


# ---------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------


def _require_packages(recipe: Recipe) -> None:
    if recipe.lora:
        require_packages("The key lora of the recipe", ["peft"], extra="lora")
    trackers = [name for name in recipe.logging.report_to if name in ("tensorboard", "trackio")]
    for tracker in trackers:
        require_packages("The key logging.report_to of the recipe", [tracker], extra=tracker)


def _find_data(recipe: Recipe) -> list[_Data]:
    """All tasks and paths of the recipe, every one of them checked."""
    found = []
    for number, section in enumerate(recipe.data):
        key = f"data.{number}"
        if section.path is not None:
            found.append(_find_path(f"{key}.path", section))
            continue
        try:
            ids = matching_task_ids(section.tasks)
            tasks = [find_task(task_id) for task_id in ids]
        except (ValueError, ImportError) as error:
            raise RecipeError(f"{key}.tasks: {error}") from error
        without = [task.id for task in tasks if isinstance(task, Task) and task.make_expert is None]
        if without:
            raise RecipeError(f"{key}.tasks: these have no expert whose episodes could be made: {', '.join(without)}")
        digest = section.learner and _load(f"{key}.learner", partial(learner_digest, section.learner, tasks))
        weight = section.weight / len(tasks)
        found += [_Data(f"{key}.tasks", task.id, weight, section, task, learner_digest=digest) for task in tasks]
    return found


def _find_path(key: str, section: DataSection) -> _Data:
    try:
        files = parquet_files(section.path, section.name, section.split, section.revision)
        task = find_task(section.task) if section.task else None
    except (ValueError, ImportError) as error:
        raise RecipeError(f"{key}: {error}") from error
    name = section.task or "/".join(part for part in (section.path.strip("/."), section.name) if part)
    return _Data(key, name, section.weight, section, task, files)


def _check_evaluation(recipe: Recipe) -> None:
    try:
        for task_id in matching_task_ids(recipe.evaluation.tasks):
            find_task(task_id)
    except (ValueError, ImportError) as error:
        raise RecipeError(f"evaluation.tasks: {error}") from error


def _check_resumption(recipe: Recipe, output: Path, resume: bool) -> None:
    path = output / artifacts.TRAINING
    if not resume:
        if path.exists() or is_complete(output):
            raise TrainingError(f"{output} holds a run: choose another folder, or add --resume to go on with it")
        return
    if not path.exists():
        return
    earlier = json.loads(path.read_text(encoding="utf-8")).get("recipe")
    if earlier is None:  # of `gato average`
        raise TrainingError(f"{output} holds a checkpoint that no training left: give another output")
    now = recipe.model_dump(mode="json")
    differing = [key for key in now if key not in _FREE_KEYS and now[key] != earlier.get(key)]
    if differing:
        raise TrainingError(
            f"{output} holds a run of another recipe, which differs in {', '.join(differing)}. To go on with it: "
            f"gato train {output / artifacts.RECIPE} --output {output} --resume"
        )


def is_complete(output: Path) -> bool:
    """Whether a trained model is there: its weights are what is saved last."""
    return any((output / name).exists() for name in MODEL_FILES)


def learning_rate_factor(recipe: Recipe) -> Callable[[int], float]:
    """The learning rate at a step, as a factor of its peak."""
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


# ---------------------------------------------------------------------------------------------------------------
# Demonstrations
# ---------------------------------------------------------------------------------------------------------------


def _make_demonstrations(data: list[_Data], folder: Path, workers: int, console: Console) -> None:
    wanted = [one for one in data if one.files is None]
    if not wanted:
        return
    # Tasks of the same settings are made together: processes for each of them would take longer to start than to work.
    groups: dict[tuple, list[_Data]] = {}
    for one in wanted:
        groups.setdefault((one.key, _noise_of(one)), []).append(one)
    count = sum(_num_demonstrations(one) for one in wanted)
    with WorkProgress(console, "demonstrations", count) as progress:
        for group in groups.values():
            _collect(group, folder, workers, console, progress)


def _num_demonstrations(one: _Data) -> int:
    return len(_load(one.key, lambda: seeds_of(one.task, one.section.episodes, one.section.first_seed)))


def _collect(group: list[_Data], folder: Path, workers: int, console: Console, progress: WorkProgress) -> None:
    """Makes the demonstrations of tasks of the same settings."""
    first, settings = group[0], group[0].section
    try:
        collections = collect(
            [one.task for one in group],
            _folder_of(first, folder),
            settings.episodes,
            first_seed=settings.first_seed,
            workers=workers,
            noise=_noise_of(first),
            learner=settings.learner,
            max_steps=settings.max_steps if settings.learner else None,
            progress=lambda _, count: progress.advance(count),
        )
    except ValueError as error:
        raise RecipeError(f"{first.key}: {error}") from error
    for name, collected in collections.items():
        for reason, number in collected.dropped.items():
            console.print(f"{name}: dropped {number} episodes: {reason}")
        if not collected.kept:
            raise RecipeError(f"{first.key}: none of the {settings.episodes} episodes of {name} is good enough")


def _noise_of(one: _Data) -> float:
    """Of the executed actions; documents have none."""
    return one.section.noise if isinstance(one.task, Task) else 0.0


def _folder_of(one: _Data, folder: Path) -> Path:
    """Noisy demonstrations, and those of each learner, are apart from the expert's own."""
    if one.learner_digest:
        name, max_steps = f"learner-{one.learner_digest[:12]}", one.section.max_steps
        return folder / (f"{name}-{max_steps}-steps" if max_steps else name)
    noise = _noise_of(one)
    return folder / f"noise-{noise:g}" if noise else folder


# ---------------------------------------------------------------------------------------------------------------
# A run
# ---------------------------------------------------------------------------------------------------------------


class _Run:
    """The stages of a run, in the order in which they are called. Without `output` it only prepares the data."""

    def __init__(self, recipe: Recipe, output: Path | None, console: Console):
        import torch
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        self.recipe = recipe
        pretrained = recipe.model.pretrained
        self.pretrained = None if pretrained is None else checkpoint_location(pretrained)
        self.output = output
        self.console = console
        self.arguments = self._training_arguments() if output else None
        self.is_main = output is None or self.arguments.process_index == 0
        if output and self.is_main:
            output.mkdir(parents=True, exist_ok=True)
            write_text(output / artifacts.RECIPE, as_yaml(recipe))
            self._facts = self._about()
            write_json(output / artifacts.TRAINING, self._facts)
        if torch.cuda.device_count() > 1 and output and self.arguments.world_size == 1:
            console.print(
                f"Using one of {torch.cuda.device_count()} GPUs. For all: accelerate launch -m gato_hub.train ..."
            )

    def _about(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "command": " ".join(["gato", *sys.argv[1:]]),
            "hardware": hardware(self.arguments.world_size),
            "hours": None,
            "earlier": None if self.pretrained is None else training_of(self.pretrained),
            "git_commit": git_commit(),
            "versions": package_versions(("accelerate", "datasets", "numpy", "torch", "transformers")),
        }

    def wait(self) -> None:
        """Until all processes are here."""
        if self.output and self.arguments.world_size > 1:
            import torch

            torch.distributed.barrier()

    def prepare(self, data: list[_Data], data_folder: Path) -> None:
        """Processor, configuration and mixture."""
        recipe = self.recipe
        self.processor = self._make_processor()
        self.config = self._make_config()
        self.acting = self._make_acting()
        if recipe.sequence.length > self.config.max_position_embeddings:
            raise RecipeError(
                f"sequence.length ({recipe.sequence.length}) must be at most the model's max_position_embeddings "
                f"({self.config.max_position_embeddings})"
            )
        from modeling_gato.generation_gato import acting_settings

        parts, spaces = [], {}
        for one in data:
            key = one.section.environment or (one.task.id if one.task else None)
            if key not in spaces:  # the same task may be there with and without noise
                spaces[key] = _spaces_of(one)
            observation_space, action_space = spaces[key]
            try:
                files = one.files or parquet_files(str(_folder_of(one, data_folder) / one.task.id))
                source = EpisodeSource(files, streaming=one.section.streaming, max_steps=one.section.max_steps)
            except ValueError as error:
                raise RecipeError(f"{one.key}: {error}") from error
            context_steps = acting_settings(self.acting, one.task.id if one.task else None).get("context_steps")
            parts.append(
                MixturePart(
                    one.name,
                    source,
                    one.weight,
                    observation_space,
                    action_space,
                    context_steps,
                    one.section.label_weight,
                )
            )
        try:
            self.mixture = Mixture(
                parts,
                self.processor,
                recipe.sequence.length,
                recipe.optimization.steps * recipe.optimization.batch_size,
                recipe.seed,
                recipe.sequence.prompt_probability,
                recipe.sequence.prompt_end_probability,
                recipe.sequence.loss_on_observation_text,
            )
        except (TypeError, ValueError) as error:
            raise RecipeError(f"data: {error}") from error

    def _make_processor(self) -> GatoProcessor:
        from transformers import AutoTokenizer

        from tokenization_gato import GatoProcessor

        settings = self.recipe.processor
        if (pretrained := self.pretrained) is not None:
            return _load("model.pretrained", lambda: GatoProcessor.from_pretrained(pretrained, **self._revision()))
        tokenizer = settings.tokenizer and _load(
            "processor.tokenizer", lambda: AutoTokenizer.from_pretrained(settings.tokenizer)
        )
        return _load("processor.options", lambda: GatoProcessor(tokenizer=tokenizer, **settings.options))

    def _make_config(self) -> GatoConfig:
        from modeling_gato import GatoConfig

        model, dropout = self.recipe.model, self.recipe.optimization.dropout
        changes = dict(model.config)
        if dropout is not None:
            changes |= {"attention_dropout": dropout, "hidden_dropout": dropout}
        if model.size is not None:
            make = getattr(GatoConfig, model.size)
            # An agent that sees more tokens than training's rows have is in places it was never in.
            kwargs = self.processor.model_kwargs | {"max_position_embeddings": self.recipe.sequence.length} | changes
            return _load("model.config", lambda: make(**kwargs))
        return _load("model", lambda: GatoConfig.from_pretrained(self.pretrained, **self._revision(), **changes))

    def _revision(self) -> dict[str, str]:
        return {} if self.recipe.model.revision is None else {"revision": self.recipe.model.revision}

    def _make_acting(self) -> dict[str, Any]:
        """What the model is to say of acting: what a pretrained one says, and what the recipe changes of it."""
        from transformers import GenerationConfig

        changes = self.recipe.acting.model_dump(exclude_none=True, exclude={"tasks"})
        by_name = {name: changed.model_dump(exclude_none=True) for name, changed in self.recipe.acting.tasks.items()}
        settings: dict[str, Any] = {}
        if (pretrained := self.pretrained) is not None:
            generation = _load(
                "model.pretrained", lambda: GenerationConfig.from_pretrained(pretrained, **self._revision())
            )
            settings = dict(getattr(generation, "agent", None) or {})
        by_name = {**(settings.get("tasks") or {}), **by_name}
        return settings | changes | ({"tasks": by_name} if by_name else {})

    def _make_model(self) -> GatoForCausalLM:
        from transformers import set_seed

        from modeling_gato import GatoForCausalLM

        pretrained = self.pretrained
        set_seed(self.recipe.seed)
        model = _load("model.pretrained", self._load_model) if pretrained is not None else GatoForCausalLM(self.config)
        if self.acting:
            model.generation_config.agent = self.acting
        if self.recipe.fsdp:
            return self._sharded(model)
        if self.recipe.lora:
            return self._with_adapters(model)
        return model

    def _load_model(self) -> GatoForCausalLM:
        """The pretrained model; layers that the recipe adds come last, and at first change nothing."""
        import torch

        from modeling_gato import GatoConfig, GatoForCausalLM

        depth = GatoConfig.from_pretrained(self.pretrained, **self._revision()).num_hidden_layers
        if self.config.num_hidden_layers <= depth:
            return GatoForCausalLM.from_pretrained(self.pretrained, config=self.config, **self._revision())
        config = GatoConfig.from_dict(self.config.to_dict() | {"num_hidden_layers": depth})
        pretrained = GatoForCausalLM.from_pretrained(self.pretrained, config=config, **self._revision())
        model = GatoForCausalLM(self.config)
        model.load_state_dict(pretrained.state_dict(), strict=False)
        with torch.no_grad():
            for layer in model.model.layers[depth:]:
                layer.self_attn.o_proj.weight.zero_()
                layer.mlp.down_proj.weight.zero_()
        model.generation_config = pretrained.generation_config
        return model

    def _sharded(self, model: GatoForCausalLM) -> GatoForCausalLM:
        """The model in shards: transformers makes them when it loads one."""
        from transformers.distributed import DistributedConfig

        from modeling_gato import GatoForCausalLM

        folder = self.output / ".initial-model"
        if self.is_main:
            model.save_pretrained(folder)
        self.wait()
        sharding = DistributedConfig(fsdp_size=self.arguments.world_size)
        sharded = GatoForCausalLM.from_pretrained(folder, config=self.config, distributed_config=sharding)
        self.wait()
        if self.is_main:
            shutil.rmtree(folder)
        return sharded

    def _with_adapters(self, model: GatoForCausalLM):
        from peft import LoraConfig, get_peft_model

        lora = self.recipe.lora
        config = LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=lora.target_modules,
            task_type="CAUSAL_LM",
        )
        try:
            return get_peft_model(model, config)
        except ValueError as error:
            raise RecipeError(f"lora: {error}") from error

    def _training_arguments(self):
        import torch
        from transformers import TrainingArguments

        recipe, settings = self.recipe, self.recipe.optimization
        # It has a new name since transformers 5.23.
        names = {field.name for field in fields(TrainingArguments)}
        checkpointing = "activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing"
        bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and has_native_bfloat16())
        arguments = TrainingArguments(
            output_dir=str(self.output / "checkpoints"),
            max_steps=settings.steps,
            learning_rate=settings.learning_rate,
            adam_beta1=settings.betas[0],
            adam_beta2=settings.betas[1],
            adam_epsilon=settings.epsilon,
            weight_decay=0.0 if settings.optimizer == "adam" else settings.weight_decay,
            max_grad_norm=settings.max_grad_norm,
            use_cpu=not torch.cuda.is_available(),
            bf16=bf16,
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
            # Making demonstrations, for which the other processes wait, may take long.
            ddp_timeout=24 * 3600,
            # Every parameter has a gradient in every batch, also those of images in a batch without.
            ddp_find_unused_parameters=False,
            **({checkpointing: True} if recipe.gradient_checkpointing else {}),
        )
        arguments._n_gpu = min(1, arguments.n_gpu)
        world = arguments.world_size
        if settings.batch_size % world:
            raise RecipeError(
                f"optimization.batch_size ({settings.batch_size}) must be a multiple of the {world} processes"
            )
        share = settings.batch_size // world
        micro = settings.micro_batch_size or share
        if share % micro:
            raise RecipeError(
                f"optimization.micro_batch_size ({micro}) must divide the {share} rows of each of {world} processes"
            )
        arguments.per_device_train_batch_size = micro
        arguments.gradient_accumulation_steps = share // micro
        arguments.dataloader_num_workers = self._num_data_workers(world)
        if arguments.dataloader_num_workers:
            arguments.dataloader_prefetch_factor = 4
        return arguments

    def _num_data_workers(self, world: int) -> int:
        import torch

        if self.recipe.data_workers >= 0:
            return self.recipe.data_workers
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", world))
        spare = (os.cpu_count() or 1) // processes - 1
        return max(0, min(spare, 8 if torch.cuda.is_available() else 1))

    def train(self, resume: bool) -> None:
        """Trains to the end, or to a signal, and saves."""
        from transformers import PrinterCallback

        from .callbacks import (
            CheckpointOnSignal,
            TrainingLog,
            TrainingProgress,
            draw_learning_curve,
            hours_of,
            read_log,
        )
        from .label_entropy import label_entropies, losses_table
        from .rollout_evaluation import RolloutEvaluation
        from .trainer import CheckpointError, MixtureTrainer, whole_checkpoints

        recipe = self.recipe
        checkpoints = whole_checkpoints(self.output / "checkpoints") if resume else []
        on_signal = CheckpointOnSignal(self.console)
        log = self.output / artifacts.LOG
        callbacks = [TrainingLog(log), TrainingProgress(self.console), on_signal]
        trainer = MixtureTrainer(
            model=self._make_model(),
            args=self.arguments,
            mixture=self.mixture,
            label_weights=recipe.loss.weights,
            soft_bins=recipe.loss.soft_bins,
            schedule=learning_rate_factor(recipe),
            matrix_learning_rate_ratio=(
                recipe.optimization.matrix_learning_rate_ratio if recipe.optimization.optimizer == "muon" else None
            ),
            callbacks=callbacks,
        )
        trainer.remove_callback(PrinterCallback)
        if recipe.evaluation.every:
            trainer.add_callback(RolloutEvaluation(trainer, self.processor, recipe.evaluation, recipe.seed))
        try:
            trainer.train(resume_from_checkpoint=str(checkpoints[-1][1]) if checkpoints else None)
        except CheckpointError as error:
            raise TrainingError(str(error)) from error
        if self.is_main:
            entries = read_log(log)
            draw_learning_curve(self.output / artifacts.LEARNING_CURVE, entries)
            write_text(self.output / artifacts.LOSSES, losses_table(entries, label_entropies(self.mixture)))
            hours = round(hours_of(entries, recipe.optimization.batch_size * recipe.sequence.length), 2)
            write_json(self.output / artifacts.TRAINING, self._facts | {"hours": hours})
        if on_signal.received:
            raise Interrupted(on_signal.received)
        self._save(trainer)

    def _save(self, trainer) -> None:
        """Saves model and processor into the output folder; the weights come last: where they are, all is there."""
        model = trainer.accelerator.unwrap_model(trainer.model)
        if self.recipe.lora:
            if self.is_main:
                model.save_pretrained(self.output / "adapter")
            model = model.merge_and_unload()
        if self.recipe.optimization.dropout is not None:
            # Dropout was of this training, not of the model.
            for name in ("attention_dropout", "hidden_dropout"):
                setattr(model.config, name, 0.0)
        temporary = self.output / ".partial-model"
        if self.is_main:
            shutil.rmtree(temporary, ignore_errors=True)
        self.wait()
        if self.is_main or self.recipe.fsdp:
            model.save_pretrained(temporary, is_main_process=self.is_main)
        if self.is_main:
            self.processor.save_pretrained(temporary)
            for path in sorted(temporary.iterdir(), key=lambda path: (path.name in MODEL_FILES, path.name)):
                os.replace(path, self.output / path.name)
            temporary.rmdir()
        self.wait()


def _load(key: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:  # of many kinds: files, the Hub, checks of the classes
        raise RecipeError(f"{key}: {error}") from error


def _spaces_of(one: _Data):
    """The observation and action space of the episodes, which settle how their numbers become tokens."""
    if one.section.environment:
        import gymnasium

        environment = _load(f"{one.key}: environment", lambda: gymnasium.make(one.section.environment))
    elif isinstance(one.task, Task):
        environment = one.task.make_environment()
    else:
        return None, None
    spaces = environment.observation_space, environment.action_space
    environment.close()
    return spaces
