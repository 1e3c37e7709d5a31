# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The average of several checkpoints' weights (Wortsman et al. 2022, "Model soups", arXiv 2203.05482).

Checkpoints that were trained on from the same weights, with other data or settings, often lie in one basin of the
loss. Then the average of their weights is about as good at each task as the best of them, and costs as much as one
model. The average of unrelated checkpoints is useless. Evaluate the result.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..system.errors import GatoError
from ..system.files import new_folder
from ..system.provenance import stamp
from .ancestry import training_of, write_training
from .loading import CheckpointError, load_checkpoint

if TYPE_CHECKING:
    from modeling_gato import GatoConfig
    from tokenization_gato import GatoProcessor

# Settings that do not change what the weights mean.
_FREE_KEYS = (
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "auto_map",
    "drop_path_rate",
    "dtype",
    "hidden_dropout",
    "initializer_range",
    "transformers_version",
    "use_cache",
)


def average_checkpoints(
    checkpoints: Sequence[str | os.PathLike], output: str | os.PathLike, shares: Sequence[float] | None = None
) -> Path:
    """Writes the average of several checkpoints' weights, with the first one's processor and generation settings.

    Args:
        checkpoints: two or more, see `loading.checkpoint_location`.
        output: a new or empty folder.
        shares: one positive number for each checkpoint; they are divided by their sum. Equal by default.

    Returns:
        The folder.

    Raises:
        CheckpointError: a checkpoint can't be loaded, or its model or processor differs from the first one's.
        GatoError: there are fewer than two checkpoints, the shares are wrong, or the folder can't be written.
    """
    shares = _shares(checkpoints, shares)
    with new_folder(output) as temporary:
        model, processor = load_checkpoint(checkpoints[0])
        model = copy.deepcopy(model)  # `load_checkpoint` gives others the same object
        first = _described(model.config, processor)
        mean = {name: weight.float() * shares[0] for name, weight in model.state_dict().items()}
        for checkpoint, share in zip(checkpoints[1:], shares[1:], strict=True):
            other, its_processor = load_checkpoint(checkpoint)
            described = _described(other.config, its_processor)
            if differing := [key for key in first | described if first.get(key) != described.get(key)]:
                what = ", ".join(differing)
                raise CheckpointError(
                    f"{checkpoint} and {checkpoints[0]} differ in {what}: their weights don't mean the same"
                )
            for name, weight in other.state_dict().items():
                mean[name] += weight.float() * share
        model.load_state_dict(mean)
        model.save_pretrained(temporary)
        processor.save_pretrained(temporary)
        write_training(temporary, _record(checkpoints, shares), [training_of(name) for name in checkpoints])
    return Path(output)


def _shares(checkpoints: Sequence[str | os.PathLike], shares: Sequence[float] | None) -> list[float]:
    """Returns the share of each checkpoint; they add up to 1."""
    if len(checkpoints) < 2:
        raise GatoError(f"a mean is of two checkpoints or more, got {len(checkpoints)}")
    shares = [1.0] * len(checkpoints) if not shares else list(shares)
    if len(shares) != len(checkpoints):
        raise GatoError(f"give a share for each of the {len(checkpoints)} checkpoints, got {len(shares)}")
    if not all(math.isfinite(share) and share > 0 for share in shares):
        raise GatoError(f"shares must be positive numbers, got {', '.join(f'{share:g}' for share in shares)}")
    return [share / sum(shares) for share in shares]


def _described(config: GatoConfig, processor: GatoProcessor) -> dict[str, Any]:
    """Returns all settings that decide what the weights mean."""
    settings = processor.to_dict()
    settings |= settings.pop("image_processor")
    about = {key: value for key, value in config.to_dict().items() if key not in _FREE_KEYS}
    about |= {f"the processor's {key}": value for key, value in settings.items() if key not in _FREE_KEYS}
    about["tokenizer"] = processor.tokenizer.backend_tokenizer.to_str()
    return about


def _record(checkpoints: Sequence[str | os.PathLike], shares: Sequence[float]) -> dict[str, Any]:
    """Returns what `training.json` tells of an average."""
    made = stamp(("torch", "transformers"))
    return {
        "command": made["command"],
        "average_of": [
            {"checkpoint": str(checkpoint), "share": share}
            for checkpoint, share in zip(checkpoints, shares, strict=True)
        ],
        "git_commit": made["git_commit"],
        "versions": made["versions"],
    }
