# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato caption` and `gato chat`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import explained_errors
from .options import Checkpoint


def caption(
    checkpoint: Checkpoint,
    image: Annotated[Path, typer.Argument(help="File of a picture.", dir_okay=False)],
    question: Annotated[str, typer.Option(help="A question about the picture, to be answered instead.")] = "",
) -> None:
    """Print a checkpoint's caption of a picture."""
    from ..acting.answers import answer
    from ..checkpoints.loading import load_checkpoint
    from ..system.files import read_image

    with explained_errors():
        picture = read_image(image)
        model, processor = load_checkpoint(checkpoint)
        typer.echo(answer([{"images": [picture], "question": question}], model, processor)[0])


def chat(
    checkpoint: Checkpoint,
    temperature: Annotated[
        float, typer.Option(min=0.0, help="Temperature of the sampling; 0 takes the likeliest token.")
    ] = 0.9,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sampling.")] = 0,
) -> None:
    """Talk with a checkpoint: it replies to each line of the input, until the input ends."""
    import torch

    from ..acting.answers import reply
    from ..checkpoints.loading import load_checkpoint

    with explained_errors():
        model, processor = load_checkpoint(checkpoint)
    torch.manual_seed(seed)
    messages: list[dict[str, str]] = []
    for line in filter(None, map(str.strip, typer.get_text_stream("stdin"))):
        messages.append({"role": "user", "content": line})
        said = ""
        for part in reply(messages, model, processor, temperature=temperature):
            typer.echo(part, nl=False)
            said += part
        typer.echo()
        messages.append({"role": "assistant", "content": said})
