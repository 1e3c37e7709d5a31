# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Training by a recipe: `gato train`, or `accelerate launch -m gato_hub.train` on many processes.

A training goes through five stages. Each is a function that takes what it needs and returns what it made:
`plan.resolve` checks the recipe, `data.collect_demonstrations` collects what is missing, `data.build_mixture` and
`model.build_model` build, `_fit` trains, `model.save_model` saves.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ..checkpoints.ancestry import training_of, write_training
from ..recipes.reading import as_yaml
from ..recipes.schema import Recipe
from ..system import artifacts
from ..system.files import make_folder, read_json, write_json, write_text
from ..system.provenance import stamp
from .arguments import is_main, learning_rate_factor, training_arguments, wait_for_all
from .data import build_mixture, collect_demonstrations, resolve_data
from .errors import Interrupted, TrainingError
from .mixture import Mixture
from .model import build_model, is_complete, pretrained_location, save_model
from .plan import Plan, check_packages, resolve

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import TrainingArguments

    from modeling_gato import GatoForCausalLM

    from .trainer import MixtureTrainer

STAMPED_PACKAGES = ("accelerate", "datasets", "numpy", "torch", "transformers")
# Keys that may change when a run is resumed: they do not touch the weights.
_FREE_KEYS = ("checkpoints", "data_workers", "evaluation", "logging")


def train(
    recipe: Recipe,
    output: str | os.PathLike[str],
    *,
    data_folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    collect_missing: bool = True,
    workers: int = 2,
    console: Console | None = None,
) -> None:
    """Trains by a recipe, and saves model, processor, log, learning curve and the recipe itself.

    Args:
        recipe: The recipe.
        output: The folder for all that. Checkpoints are in its folder "checkpoints".
        data_folder: The folder of the demonstrations. The default is "demonstrations" in the output folder.
        resume: Whether to go on from the last checkpoint, if there is one. Without it, a run in the output folder is
            an error.
        collect_missing: Whether to collect the demonstrations that are missing.
        workers: The number of processes that collect demonstrations.
        console: Shows the progress. The default is the terminal.

    Raises:
        RecipeError: A key of the recipe is wrong; the message names it. Nothing was trained.
        TrainingError: The output folder can't be used, or the disk is full.
        Interrupted: Ctrl-C or SIGTERM stopped the training. `resume=True` goes on.
    """
    console = console or Console(highlight=False, quiet=int(os.environ.get("RANK", 0)) != 0)
    output = Path(output)
    data_folder = Path(data_folder or output / "demonstrations")
    _check_output(recipe, output, resume)
    if is_complete(output):
        console.print(f"This run is complete: see {output}")
        return

    plan, arguments = resolve(recipe), training_arguments(recipe, output)
    _begin(plan, arguments, output, console)
    if collect_missing and is_main(arguments):
        collect_demonstrations(plan.data, data_folder, workers, console)
    wait_for_all(arguments)
    mixture = build_mixture(recipe, plan.data, plan.processor, plan.acting, data_folder)
    model = build_model(recipe, plan.config, plan.acting, arguments, output)
    trainer = _fit(plan, arguments, mixture, model, output, resume, console)
    save_model(trainer, plan.processor, recipe, output)


def make_demonstrations(
    recipe: Recipe, folder: str | os.PathLike[str], *, workers: int = 2, console: Console | None = None
) -> None:
    """Collects the demonstrations of a recipe that are not in the folder yet.

    Args:
        recipe: The recipe.
        folder: The folder of the demonstrations.
        workers: The number of processes.
        console: Shows the progress. The default is the terminal.

    Raises:
        RecipeError: A key of the recipe is wrong; the message names it.
    """
    check_packages(recipe)
    collect_demonstrations(resolve_data(recipe), Path(folder), workers, console or Console(highlight=False))


def _check_output(recipe: Recipe, output: Path, resume: bool) -> None:
    """Raises TrainingError where the output folder holds a run that this one is not to go on with."""
    path = output / artifacts.TRAINING
    if not resume:
        if path.exists() or is_complete(output):
            raise TrainingError(f"{output} holds a run: choose another folder, or add --resume to go on with it")
        return
    if not path.exists():
        return
    its_recipe = read_json(path).get("recipe")
    if its_recipe is None:  # `gato average` left it
        raise TrainingError(f"{output} holds a checkpoint that no training left: give another output")
    now = recipe.model_dump(mode="json")
    differing = [key for key in now if key not in _FREE_KEYS and now[key] != its_recipe.get(key)]
    if differing:
        raise TrainingError(
            f"{output} holds a run of another recipe, which differs in {', '.join(differing)}. To go on with it: "
            f"gato train {output / artifacts.RECIPE} --output {output} --resume"
        )


def _begin(plan: Plan, arguments: TrainingArguments, output: Path, console: Console) -> None:
    """Writes the recipe and what is known of the run before it: from now on the folder holds this run."""
    import torch

    if is_main(arguments):
        pretrained = pretrained_location(plan.recipe)
        parents = [] if pretrained is None else [training_of(pretrained)]
        make_folder(output)
        write_text(output / artifacts.RECIPE, as_yaml(plan.recipe))
        record = {
            "recipe": plan.recipe.model_dump(mode="json"),
            **stamp(STAMPED_PACKAGES, arguments.world_size),
            "hours": None,
        }
        write_training(output, record, parents)
    num_gpus = torch.cuda.device_count()
    if num_gpus > 1 and arguments.world_size == 1:
        console.print(f"Using one of {num_gpus} GPUs. For all: accelerate launch -m gato_hub.train ...")


def _fit(
    plan: Plan,
    arguments: TrainingArguments,
    mixture: Mixture,
    model: GatoForCausalLM | PeftModel,
    output: Path,
    resume: bool,
    console: Console,
) -> MixtureTrainer:
    """Trains to the end and writes learning curve, losses and hours; also when a signal stops it: see `train`."""
    from transformers import PrinterCallback

    from .callbacks import CheckpointOnSignal, TrainingLog, TrainingProgress
    from .rollout_evaluation import RolloutEvaluation
    from .trainer import MixtureTrainer, whole_checkpoints

    recipe, settings = plan.recipe, plan.recipe.optimization
    checkpoints = whole_checkpoints(output / "checkpoints") if resume else []
    on_signal = CheckpointOnSignal(console)
    trainer = MixtureTrainer(
        model=model,
        args=arguments,
        mixture=mixture,
        label_weights=recipe.loss.weights,
        soft_bins=recipe.loss.soft_bins,
        schedule=learning_rate_factor(recipe),
        matrix_learning_rate_ratio=settings.matrix_learning_rate_ratio if settings.optimizer == "muon" else None,
        callbacks=[TrainingLog(output / artifacts.LOG), TrainingProgress(console), on_signal],
    )
    trainer.remove_callback(PrinterCallback)
    if recipe.evaluation.every:
        trainer.add_callback(RolloutEvaluation(trainer, plan.processor, recipe.evaluation, recipe.seed))
    trainer.train(resume_from_checkpoint=str(checkpoints[-1][1]) if checkpoints else None)
    if is_main(arguments):
        _report(recipe, mixture, output)
    if on_signal.received:
        raise Interrupted(on_signal.received)
    return trainer


def _report(recipe: Recipe, mixture: Mixture, output: Path) -> None:
    """Writes what the log shows: the learning curve, the loss of each task, and the hours of training."""
    from .label_entropy import label_entropies, losses_table
    from .log import draw_learning_curve, hours_of, read_log

    entries = read_log(output / artifacts.LOG)
    draw_learning_curve(output / artifacts.LEARNING_CURVE, entries)
    write_text(output / artifacts.LOSSES, losses_table(entries, label_entropies(mixture)))
    hours = round(hours_of(entries, recipe.optimization.batch_size * recipe.sequence.length), 2)
    write_json(output / artifacts.TRAINING, read_json(output / artifacts.TRAINING) | {"hours": hours})
