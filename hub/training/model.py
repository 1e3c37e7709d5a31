# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Processor, configuration, settings of acting and model of a recipe, and the model's way to the disk."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.loading import checkpoint_location
from ..recipes.errors import RecipeError, naming_config, naming_key
from ..recipes.schema import LoraSection, Recipe
from ..system.artifacts import MODEL_FILES
from .arguments import is_main, wait_for_all

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import Trainer, TrainingArguments

    from modeling_gato import GatoConfig, GatoForCausalLM
    from tokenization_gato import GatoProcessor


def pretrained_location(recipe: Recipe) -> str | None:
    """Returns where `from_pretrained` finds the weights that a recipe goes on from; None for a new model."""
    return None if recipe.model.pretrained is None else checkpoint_location(recipe.model.pretrained)


def _revision(recipe: Recipe) -> dict[str, Any]:
    return {} if recipe.model.revision is None else {"revision": recipe.model.revision}


# ---------------------------------------------------------------------------------------------------------------
# Processor, configuration, settings of acting
# ---------------------------------------------------------------------------------------------------------------


def make_processor(recipe: Recipe) -> GatoProcessor:
    """Makes the processor of a new model, or loads that of a pretrained one.

    Raises:
        RecipeError: Naming the key that it can't be made from.
    """
    from transformers import AutoTokenizer

    from tokenization_gato import GatoProcessor

    pretrained, settings = pretrained_location(recipe), recipe.processor
    if pretrained is not None:
        with naming_key("model.pretrained", OSError, TypeError, ValueError):
            return GatoProcessor.from_pretrained(pretrained, **_revision(recipe))
    tokenizer = None
    if settings.tokenizer:
        with naming_key("processor.tokenizer", ImportError, OSError, TypeError, ValueError):
            tokenizer = AutoTokenizer.from_pretrained(settings.tokenizer)
    with naming_key("processor.options", TypeError, ValueError):
        return GatoProcessor(tokenizer=tokenizer, **settings.options)


def make_config(recipe: Recipe, processor: GatoProcessor) -> GatoConfig:
    """Makes the configuration of the model, with the changes of the recipe.

    Raises:
        RecipeError: Naming the field that is wrong, or `sequence.length` where the rows are longer than the window.
    """
    from modeling_gato import GatoConfig

    model, dropout = recipe.model, recipe.optimization.dropout
    changes = dict(model.config)
    if dropout is not None:
        changes |= {"attention_dropout": dropout, "hidden_dropout": dropout}
    if model.size is not None:
        # Training never shows a position past the end of its rows, so the agent must not see more tokens either.
        fields = processor.model_kwargs | {"max_position_embeddings": recipe.sequence.length} | changes
        with naming_config("model.config"):
            config = getattr(GatoConfig, model.size)(**fields)
    else:
        with naming_config("model.config"), naming_key("model.pretrained", OSError):
            config, unknown = GatoConfig.from_pretrained(
                pretrained_location(recipe), return_unused_kwargs=True, **_revision(recipe), **changes
            )
            config.validate()  # which `from_pretrained` does not do after the changes
        if unknown:
            raise RecipeError(f"model.config: GatoConfig has no field {', '.join(unknown)}")
    if recipe.sequence.length > config.max_position_embeddings:
        raise RecipeError(
            f"sequence.length ({recipe.sequence.length}) must be at most the model's max_position_embeddings "
            f"({config.max_position_embeddings})"
        )
    return config


def make_acting(recipe: Recipe) -> dict[str, Any]:
    """Returns the settings of acting that the checkpoint gets: the pretrained model's, changed by the recipe.

    Raises:
        RecipeError: Those of the pretrained model can't be read.
    """
    from transformers import GenerationConfig

    changes = recipe.acting.model_dump(exclude_none=True, exclude={"tasks"})
    by_name = {name: changed.model_dump(exclude_none=True) for name, changed in recipe.acting.tasks.items()}
    settings: dict[str, Any] = {}
    pretrained = pretrained_location(recipe)
    if pretrained is not None:
        with naming_key("model.pretrained", OSError, ValueError):
            generation = GenerationConfig.from_pretrained(pretrained, **_revision(recipe))
        settings = dict(getattr(generation, "agent", None) or {})
    by_name = {**(settings.get("tasks") or {}), **by_name}
    return settings | changes | ({"tasks": by_name} if by_name else {})


def check_model(recipe: Recipe, config: GatoConfig) -> None:
    """Checks what can be known of a model without its weights: their shapes, and where adapters go.

    Raises:
        RecipeError: The weights of the pretrained model don't fit the configuration, or no module of the model is
            among `lora.target_modules`.
    """
    import torch

    from modeling_gato import GatoConfig, GatoForCausalLM

    may_not_fit = recipe.model.pretrained is not None and recipe.model.config
    if not (may_not_fit or recipe.lora):
        return
    with torch.device("meta"):
        model = GatoForCausalLM(copy.deepcopy(config))
        if may_not_fit:
            theirs = GatoForCausalLM(GatoConfig.from_pretrained(pretrained_location(recipe), **_revision(recipe)))
            shapes = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
            for name, weight in theirs.state_dict().items():
                if name in shapes and shapes[name] != tuple(weight.shape):
                    raise RecipeError(
                        f"model.config does not fit the weights of {recipe.model.pretrained}: {name} has the shape "
                        f"{tuple(weight.shape)}, not {shapes[name]}"
                    )
        if recipe.lora:
            _with_adapters(model, recipe.lora)


# ---------------------------------------------------------------------------------------------------------------
# Model
# ---------------------------------------------------------------------------------------------------------------


def build_model(
    recipe: Recipe, config: GatoConfig, acting: dict[str, Any], arguments: TrainingArguments, output: Path
) -> GatoForCausalLM | PeftModel:
    """Makes the model with new or pretrained weights, in shards or with adapters where the recipe has them.

    Args:
        recipe: The recipe, whose seed decides new weights.
        config: The configuration.
        acting: The settings of acting that the checkpoint gets.
        arguments: The processes of the run, over which shards are spread.
        output: The folder of the run.

    Raises:
        RecipeError: The pretrained weights can't be loaded.
    """
    from safetensors import SafetensorError
    from transformers import set_seed

    from modeling_gato import GatoForCausalLM

    set_seed(recipe.seed)
    if recipe.model.pretrained is None:
        model = GatoForCausalLM(config)
    else:
        with naming_key("model.pretrained", OSError, RuntimeError, SafetensorError, ValueError):
            model = _pretrained(recipe, config)
    if acting:
        model.generation_config.agent = acting
    if recipe.fsdp:
        return _sharded(model, config, arguments, output)
    return _with_adapters(model, recipe.lora) if recipe.lora else model


def _pretrained(recipe: Recipe, config: GatoConfig) -> GatoForCausalLM:
    """Loads the pretrained model. Layers that the recipe adds come last and change nothing until they are trained."""
    import torch

    from modeling_gato import GatoConfig, GatoForCausalLM

    location, revision = pretrained_location(recipe), _revision(recipe)
    depth = GatoConfig.from_pretrained(location, **revision).num_hidden_layers
    if config.num_hidden_layers <= depth:
        return GatoForCausalLM.from_pretrained(location, config=config, **revision)
    its_config = GatoConfig.from_dict(config.to_dict() | {"num_hidden_layers": depth})
    pretrained = GatoForCausalLM.from_pretrained(location, config=its_config, **revision)
    model = GatoForCausalLM(config)
    model.load_state_dict(pretrained.state_dict(), strict=False)
    with torch.no_grad():
        for layer in model.model.layers[depth:]:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    model.generation_config = pretrained.generation_config
    return model


def _sharded(
    model: GatoForCausalLM, config: GatoConfig, arguments: TrainingArguments, output: Path
) -> GatoForCausalLM:
    """Spreads the model over all processes. Transformers makes shards when it loads a model, so it is saved first."""
    from transformers.distributed import DistributedConfig

    from modeling_gato import GatoForCausalLM

    folder = output / ".initial-model"
    if is_main(arguments):
        model.save_pretrained(folder)
    wait_for_all(arguments)
    sharding = DistributedConfig(fsdp_size=arguments.world_size)
    sharded = GatoForCausalLM.from_pretrained(folder, config=config, distributed_config=sharding)
    wait_for_all(arguments)
    if is_main(arguments):
        shutil.rmtree(folder)
    return sharded


def _with_adapters(model: GatoForCausalLM, settings: LoraSection) -> PeftModel:
    """Puts low-rank adapters on the model."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # a float works, too
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        task_type="CAUSAL_LM",
    )
    with naming_key("lora", ValueError):
        return get_peft_model(model, config)


# ---------------------------------------------------------------------------------------------------------------
# Saving
# ---------------------------------------------------------------------------------------------------------------


def is_complete(output: Path) -> bool:
    """Tells whether a folder holds a trained model. Its weights are saved last."""
    return any((output / name).exists() for name in MODEL_FILES)


def save_model(trainer: Trainer, processor: GatoProcessor, recipe: Recipe, output: Path) -> None:
    """Saves model and processor into the output folder, the weights last: where they are, all is there.

    Adapters are saved in the folder "adapter" and merged into the model.
    """
    arguments = trainer.args
    model = trainer.accelerator.unwrap_model(trainer.model)
    if recipe.lora:
        if is_main(arguments):
            model.save_pretrained(output / "adapter")
        model = model.merge_and_unload()
    if recipe.optimization.dropout is not None:
        # The dropout of this training is none of the model.
        model.config.attention_dropout = model.config.hidden_dropout = 0.0
    temporary = output / ".partial-model"
    if is_main(arguments):
        shutil.rmtree(temporary, ignore_errors=True)
    wait_for_all(arguments)
    if is_main(arguments) or recipe.fsdp:
        model.save_pretrained(temporary, is_main_process=is_main(arguments))
    if is_main(arguments):
        processor.save_pretrained(temporary)
        for path in sorted(temporary.iterdir(), key=lambda path: (path.name in MODEL_FILES, path.name)):
            path.replace(output / path.name)
        temporary.rmdir()
    wait_for_all(arguments)
