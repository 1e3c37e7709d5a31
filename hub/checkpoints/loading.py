# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The one way to load a checkpoint: from a folder, from the Hub, or one that comes with this package."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..system.errors import GatoError

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

SHIPPED = Path(__file__).parent  # has a folder for each checkpoint that comes with this package


class CheckpointError(GatoError):
    """A folder or a repository on the Hub holds no checkpoint of a Gato: the message says what is wrong."""


def checkpoint_location(name: str | os.PathLike) -> str:
    """Returns the folder or the name on the Hub by which `from_pretrained` finds a checkpoint.

    Args:
        name: a folder or a name on the Hub, which is returned as it is; or "gato-mini", the checkpoint that comes with
            this package, unless the working directory has a folder of that name.
    """
    shipped = SHIPPED / name
    is_plain = Path(name).name == str(name) and name not in (".", "..")
    return str(shipped) if is_plain and not Path(name).exists() and shipped.is_dir() else str(name)


_loaded: dict[str, tuple[GatoForCausalLM, GatoProcessor]] = {}


def load_checkpoint(checkpoint: str | os.PathLike) -> tuple[GatoForCausalLM, GatoProcessor]:
    """Returns model and processor, on the GPU if there is one. The last ones loaded are kept for the next call.

    Args:
        checkpoint: see `checkpoint_location`.

    Raises:
        CheckpointError: there is no checkpoint, a file of it is missing or damaged, or a weight is not finite.
    """
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from transformers.utils.logging import disable_progress_bar

    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

    disable_progress_bar()
    name = checkpoint_location(checkpoint)
    if name not in _loaded:
        if Path(name).is_dir():
            for file, what in (("config.json", "model"), ("processor_config.json", "processor")):
                if not (Path(name) / file).exists():
                    raise CheckpointError(f"{name} holds no {what}: there is no {file} in it")
        try:
            model = GatoForCausalLM.from_pretrained(name)
            processor = GatoProcessor.from_pretrained(name)
        # Of files and the Hub, of values in them (two kinds), and of a configuration.
        except (OSError, ValueError, TypeError, StrictDataclassError) as error:
            raise CheckpointError(f"{name} can't be loaded: {error}") from error
        broken = [key for key, weight in model.named_parameters() if not torch.isfinite(weight).all()]
        if broken:
            raise CheckpointError(f"{name} holds weights that are not finite: {', '.join(broken[:3])}")
        model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        _loaded.clear()
        _loaded[name] = model, processor
    return _loaded[name]


def weights_digest(model: GatoForCausalLM) -> str:
    """Returns the SHA-256 of the names and values of all weights, as hexadecimal digits."""
    import torch

    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
