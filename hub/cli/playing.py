# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`gato play`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import explained_errors
from .options import ActionSeed, Checkpoint, Prompt, PromptData


def play(
    checkpoint: Checkpoint,
    tasks: Annotated[list[str], typer.Argument(help="Ids of tasks; several are shown side by side.")],
    out: Annotated[
        Path | None,
        typer.Option(help="A .gif or .mp4 file. Without it, a window shows the episode.", dir_okay=False),
    ] = None,
    episode: Annotated[int, typer.Option(min=0, help="Number of the task's evaluation seed.")] = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after this many steps.")] = None,
    frames_a_second: Annotated[float, typer.Option(min=0.1, help="Frames a second in the file.")] = 4.0,
    seed: ActionSeed = 0,
    prompt: Prompt = False,
    prompt_data: PromptData = None,
) -> None:
    """Watch a checkpoint act, with the tokens that it reads and writes; or in several tasks side by side."""
    from ..acting.watch import acting_tasks, watch
    from ..checkpoints.loading import load_checkpoint
    from ..data.prompts import demonstration

    with explained_errors():
        found = acting_tasks(tasks, out)
        model, processor = load_checkpoint(checkpoint)
        with_prompt = prompt or prompt_data is not None
        watch(
            found,
            model,
            processor,
            out,
            prompts={task.id: demonstration(task, prompt_data) for task in found} if with_prompt else {},
            episode=episode,
            max_steps=steps,
            frames_a_second=frames_a_second,
            seed=seed,
            tell=typer.echo,
        )
