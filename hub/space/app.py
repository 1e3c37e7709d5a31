# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The page of a Space: watch a Gato act, with its tokens beside the picture; ask it about pictures; talk with it.

The environment variable GATO_CHECKPOINT, or else space.json beside this file, names the checkpoint: a folder or a name
on the Hub.
"""

from __future__ import annotations

import html
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio
import numpy as np
from PIL import Image

from gato_hub.acting.answers import answer, reply
from gato_hub.acting.play import PlayedStep, PlayedToken, play
from gato_hub.acting.rollout import EnvironmentFailed
from gato_hub.checkpoints.loading import CheckpointError, load_checkpoint
from gato_hub.suites import Task, find_task, is_installed, registered_task, task_ids
from gato_hub.system.errors import GatoError

HERE = Path(__file__).parent
SECONDS_A_STEP = 0.12  # so that an eye can follow
STEPS_SHOWN = 11
PICTURE_SIZE = 448
MOST_STEPS = 1000
VISITORS = 4  # who watch an episode at the same time
TITLE = "Gato"
NOTHING_SAID = "(it says nothing)"
KINDS = {"image": "picture", "text": "text", "continuous": "number", "discrete": "integer", "separator": "separator"}
STYLE = """
.gradio-container { max-width: 1080px !important; margin: auto !important; overflow-x: hidden; }
.gradio-container main, .gradio-container .tabs, .gradio-container .tabitem { width: 100%; min-width: 0 !important; }
.gradio-container .message, .gradio-container .message * { overflow-wrap: anywhere; }
footer { display: none !important; }
#tokens { max-height: 448px; overflow-y: auto; }
.gato-step { padding: 5px 0; border-bottom: 1px solid var(--border-color-primary); line-height: 1.9; }
.gato-step b { font-weight: 600; margin-right: 6px; }
.gato-token { display: inline-block; padding: 0 5px; margin: 1px 2px; border-radius: 4px; color: #14181f;
  font: 12px/18px ui-monospace, monospace; white-space: pre; }
.gato-image { background: #cfe3ff; } .gato-text { background: #dff3d3; } .gato-continuous { background: #fde6c8; }
.gato-discrete { background: #ecdcfa; } .gato-separator { background: #e4e6ea; }
.gato-written { outline: 2px solid #d9480f; }
"""
THEME = gradio.themes.Soft(
    font=("ui-sans-serif", "system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"), primary_hue="indigo"
)


def chosen_checkpoint() -> str:
    """Returns the folder, or the name on the Hub, of the checkpoint to show.

    Raises:
        CheckpointError: No checkpoint is named.
    """
    if name := os.environ.get("GATO_CHECKPOINT"):
        return name
    path = HERE / "space.json"
    if not path.exists():
        raise CheckpointError("no checkpoint is named: set GATO_CHECKPOINT to a folder or a name on the Hub")
    name = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]
    return str(HERE / name) if (HERE / name).is_dir() else name


def known_tasks(checkpoint: str) -> list[str]:
    """Returns the tasks that can be played here, first those that the checkpoint was trained on or scored at."""
    playable = [task_id for task_id in task_ids(Task) if is_installed(registered_task(task_id))]
    folder = Path(checkpoint)
    learned: list[str] = []
    if (folder / "results.json").exists():
        learned = list(json.loads((folder / "results.json").read_text(encoding="utf-8"))["tasks"])
    elif (folder / "training.json").exists():
        recipe = json.loads((folder / "training.json").read_text(encoding="utf-8")).get("recipe")
        sections = recipe["data"] if recipe else ()  # an average has no recipe
        learned = [task_id for section in sections for task_id in section.get("tasks") or ()]
    first = [task_id for task_id in dict.fromkeys(learned) if task_id in playable]
    return first + [task_id for task_id in playable if task_id not in first]


def picture_of(step: PlayedStep) -> Image.Image:
    """Returns what the environment looks like, enlarged without blur; a grey picture if it can't be drawn."""
    if step.frame is None:
        return Image.new("RGB", (PICTURE_SIZE, PICTURE_SIZE), "lightgrey")
    picture = Image.fromarray(step.frame)
    scale = PICTURE_SIZE / max(picture.size)
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    return picture.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def line_of(step: PlayedStep) -> str:
    """Returns a step's tokens as HTML: those that are read, then, outlined, those that are written."""

    def chip(token: PlayedToken, written: bool) -> str:
        classes = f"gato-token gato-{token.kind}{' gato-written' if written else ''}"
        return f'<span class="{classes}">{html.escape(token.name)}</span>'

    chips = [chip(token, False) for token in step.read] + [chip(token, True) for token in step.written]
    return f'<div class="gato-step"><b>{step.number}</b>{"".join(chips)}</div>'


@dataclass
class Showing:
    """The episode that a visitor's page shows.

    Another number ends the episode that is played, between two of its steps. An event that is cancelled from outside
    may still send a step, or take the next episode with it.

    Attributes:
        episode: Number of the episode begun last.
    """

    episode: int = 0

    def end(self) -> None:
        """Ends the episode that is shown."""
        self.episode += 1


class Demo:
    """A loaded checkpoint, and what the three tabs do with it."""

    def __init__(self, checkpoint: str):
        self.model, self.processor = load_checkpoint(checkpoint)
        self.tasks = known_tasks(checkpoint)

    def act(
        self, showing: Showing, task_id: str, episode: float, temperature: float
    ) -> Iterator[tuple[Image.Image, str, str]]:
        """Yields picture, tokens and a line about the state, step by step."""
        showing.end()
        number = showing.episode
        task = find_task(task_id)
        seeds = task.evaluation_seeds
        seed = seeds[int(episode) % len(seeds)]
        lines: list[str] = []
        options = {"do_sample": temperature > 0, "temperature": temperature or 1.0, "seed": 0}
        for step in play(task, seed, self.model, self.processor, **options):
            started = time.monotonic()
            if showing.episode != number:
                yield picture_of(step), "".join(lines), "Stopped."
                return
            lines = [line_of(step), *lines[: STEPS_SHOWN - 1]]
            state = f"**{step.mission or task_id}** · step {step.number + 1} · reward {step.total_reward:.2f}"
            yield picture_of(step), "".join(lines), state
            time.sleep(max(0.0, SECONDS_A_STEP - (time.monotonic() - started)))
            if step.number + 1 >= MOST_STEPS:
                break
        ending = "" if step.success is None else " · **success**" if step.success else " · no success"
        yield picture_of(step), "".join(lines), f"{state} · the episode has ended{ending}"

    def look(self, picture: np.ndarray | None, question: str) -> Iterator[str]:
        """Yields what the model says about a picture."""
        if picture is None:
            raise gradio.Error("There is no picture yet: take or upload one first.", duration=8)
        row = {"images": [Image.fromarray(picture).convert("RGB")], "question": question.strip()}
        yield answer([row], self.model, self.processor)[0] or NOTHING_SAID

    def chat(self, message: str, history: list[dict], temperature: float) -> Iterator[str]:
        """Yields the growing reply to a message."""
        messages = [{"role": one["role"], "content": _text(one["content"])} for one in history]
        messages.append({"role": "user", "content": message})
        said = ""
        for part in reply(messages, self.model, self.processor, temperature=temperature):
            said += part
            yield said
        if not said.strip():
            yield NOTHING_SAID


def _text(content: object) -> str:
    """Returns the text of a message in gradio's history, whose content is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content if isinstance(part, dict))


def telling_errors(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Returns a generator function that shows in the page what a visitor may mend or an environment raised.

    Of any other error the page says only "Error", and its traceback is in the log.
    """

    def generator(*arguments: Any) -> Iterator[Any]:
        try:
            yield from function(*arguments)
        except (GatoError, EnvironmentFailed) as error:
            raise gradio.Error(str(error), duration=None) from error

    return generator


def build(checkpoint: str) -> gradio.Blocks:
    """Returns the page, or a page that says why the checkpoint can't be loaded."""
    with gradio.Blocks(title=TITLE) as page:
        try:
            demo = Demo(checkpoint)
        except GatoError as error:
            gradio.Markdown(f"# {TITLE}\n\nThe checkpoint could not be loaded.\n\n```\n{error}\n```")
            return page
        millions = demo.model.num_parameters() / 1e6
        gradio.Markdown(
            f"# {TITLE}\nOne transformer of {millions:.1f} M parameters with one set of weights. Pictures, text, "
            "observations and actions are one sequence of tokens."
        )
        with gradio.Tab("Act", id="act"):
            build_act_tab(demo)
        with gradio.Tab("Look", id="look"):
            build_look_tab(demo)
        with gradio.Tab("Chat", id="chat"):
            build_chat_tab(demo)
    return page


def build_act_tab(demo: Demo) -> None:
    """Adds the tab in which the model acts, its tokens beside the picture."""
    with gradio.Row():
        task = gradio.Dropdown(demo.tasks, value=demo.tasks[0], label="Task", scale=3, min_width=300, elem_id="task")
        episode = gradio.Number(0, label="Episode", precision=0, minimum=0, scale=1, elem_id="episode")
        temperature = gradio.Slider(0, 1.5, 1.0, step=0.1, label="Temperature", scale=2)
    with gradio.Row():
        start = gradio.Button("Play", variant="primary", elem_id="play")
        stop = gradio.Button("Stop", elem_id="stop")
    state = gradio.Markdown("Press Play.", elem_id="state")
    with gradio.Row():
        picture = gradio.Image(
            label="Environment", height=PICTURE_SIZE, interactive=False, buttons=[], elem_id="picture"
        )
        with gradio.Column():
            names = "".join(f'<span class="gato-token gato-{kind}">{name}</span>' for kind, name in KINDS.items())
            gradio.HTML(f'{names}<span class="gato-token gato-written">what it writes</span>')
            tokens = gradio.HTML("", elem_id="tokens")
    showing = gradio.State(Showing())
    start.click(
        telling_errors(demo.act),
        [showing, task, episode, temperature],
        [picture, tokens, state],
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=VISITORS,
    )
    stop.click(Showing.end, [showing], None, show_progress="hidden", concurrency_limit=None)


def build_look_tab(demo: Demo) -> None:
    """Adds the tab in which the model captions a picture or answers a question about it."""
    with gradio.Row():
        seen = gradio.Image(label="Picture", height=320, elem_id="seen")
        with gradio.Column():
            question = gradio.Textbox(label="Question", placeholder="Nothing asked: a caption", elem_id="question")
            ask = gradio.Button("Ask", variant="primary", elem_id="ask")
            said = gradio.Textbox(label="It says", interactive=False, lines=3, elem_id="said")
    for event in (ask.click, question.submit):
        event(telling_errors(demo.look), [seen, question], said)


def build_chat_tab(demo: Demo) -> None:
    """Adds the tab in which the model talks."""
    gradio.ChatInterface(
        telling_errors(demo.chat),
        chatbot=gradio.Chatbot(label="Conversation", height=420, buttons=["copy"], elem_id="conversation"),
        additional_inputs=[gradio.Slider(0, 1.5, 0.9, step=0.1, label="Temperature", render=False)],
        additional_inputs_accordion="Settings",
        fill_height=False,
    )


def main() -> None:
    """Serves the page of the chosen checkpoint."""
    try:
        checkpoint = chosen_checkpoint()
    except CheckpointError as error:
        raise SystemExit(f"Error: {error}") from error
    build(checkpoint).launch(theme=THEME, css=STYLE)


if __name__ == "__main__":
    main()
