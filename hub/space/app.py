# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A Gato in the browser: watch it act with its tokens beside the picture, ask it about pictures, talk with it.

The checkpoint is that of the environment variable GATO_CHECKPOINT, or of space.json beside this file: a folder or a
name on the Hub.
"""

from __future__ import annotations

import html
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio
import numpy as np
import torch
from PIL import Image
from transformers import TextIteratorStreamer

from gato_hub.acting.play import PlayedStep, PlayedToken, play
from gato_hub.checkpoints.loading import CheckpointError, load_checkpoint
from gato_hub.evaluation.documents import answer, conversation_inputs
from gato_hub.suites import Task, find_task, is_installed, registered_task, task_ids

HERE = Path(__file__).parent
SECONDS_A_STEP = 0.12  # so that an eye can follow
STEPS_SHOWN = 11
PICTURE_SIZE = 448
MOST_STEPS = 1000
VISITORS = 4  # who watch an episode at the same time
TITLE = "Gato"
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
    """A folder or a name on the Hub.

    Raises:
        CheckpointError: none is named.
    """
    if name := os.environ.get("GATO_CHECKPOINT"):
        return name
    path = HERE / "space.json"
    if not path.exists():
        raise CheckpointError("no checkpoint is named: set GATO_CHECKPOINT to a folder or a name on the Hub")
    name = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]
    return str(HERE / name) if (HERE / name).is_dir() else name


def known_tasks(checkpoint: str) -> list[str]:
    """Tasks that can be played here, those that the checkpoint was trained on or scored at first."""
    playable = [task_id for task_id in task_ids(Task) if is_installed(registered_task(task_id))]
    folder = Path(checkpoint)
    learnt: list[str] = []
    if (folder / "results.json").exists():
        learnt = list(json.loads((folder / "results.json").read_text(encoding="utf-8"))["tasks"])
    elif (folder / "training.json").exists():
        sections = json.loads((folder / "training.json").read_text(encoding="utf-8"))["recipe"]["data"]
        learnt = [task_id for section in sections for task_id in section.get("tasks") or ()]
    first = [task_id for task_id in dict.fromkeys(learnt) if task_id in playable]
    return first + [task_id for task_id in playable if task_id not in first]


def picture_of(step: PlayedStep) -> Image.Image:
    """What the environment looks like, enlarged without blur; a grey picture where it can't be rendered."""
    if step.frame is None:
        return Image.new("RGB", (PICTURE_SIZE, PICTURE_SIZE), "lightgrey")
    picture = Image.fromarray(step.frame)
    scale = PICTURE_SIZE / max(picture.size)
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    return picture.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


@dataclass
class Showing:
    """What a visitor's page shows: the number of the episode begun last. Another number ends the one that is played,
    which ends itself between two steps: an event that is cancelled from outside may still send a step, or take the
    next one with it."""

    episode: int = 0

    def end(self) -> None:
        self.episode += 1


class Demo:
    """A loaded checkpoint, and what the three tabs do with it."""

    def __init__(self, checkpoint: str):
        self.model, self.processor = load_checkpoint(checkpoint)
        self.tasks = known_tasks(checkpoint)

    @staticmethod
    def line(step: PlayedStep) -> str:
        """A step's tokens as HTML: what it reads, then, outlined, what it writes."""

        def chip(token: PlayedToken, written: bool) -> str:
            classes = f"gato-token gato-{token.kind}{' gato-written' if written else ''}"
            return f'<span class="{classes}">{html.escape(token.name)}</span>'

        chips = [chip(token, False) for token in step.read] + [chip(token, True) for token in step.written]
        return f'<div class="gato-step"><b>{step.number}</b>{"".join(chips)}</div>'

    def act(
        self, showing: Showing, task_id: str, episode: float, temperature: float
    ) -> Iterator[tuple[Image.Image, str, str]]:
        """Picture, tokens and a line about the state, step by step."""
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
            lines = [self.line(step), *lines[: STEPS_SHOWN - 1]]
            state = f"**{step.mission or task_id}** · step {step.number + 1} · reward {step.total_reward:.2f}"
            yield picture_of(step), "".join(lines), state
            time.sleep(max(0.0, SECONDS_A_STEP - (time.monotonic() - started)))
            if step.number + 1 >= MOST_STEPS:
                break
        ending = "" if step.success is None else " · **success**" if step.success else " · no success"
        yield picture_of(step), "".join(lines), f"{state} · the episode has ended{ending}"

    def look(self, picture: np.ndarray | None, question: str) -> str:
        """What it says of a picture."""
        if picture is None:
            raise gradio.Error("There is no picture yet: take or upload one first.", duration=8)
        row = {"images": [Image.fromarray(picture).convert("RGB")], "question": question.strip()}
        return answer([row], self.model, self.processor)[0] or "(it says nothing)"

    def chat(self, message: str, history: list[dict], temperature: float) -> Iterator[str]:
        """The growing reply to a message."""
        messages = [{"role": one["role"], "content": _text(one["content"])} for one in history]
        messages.append({"role": "user", "content": message})
        inputs = conversation_inputs(messages, self.model, self.processor)
        streamer = TextIteratorStreamer(
            self.processor.tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=60.0
        )
        sampling = {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}
        options = {**inputs, **sampling, "max_new_tokens": 96, "streamer": streamer}
        thread = threading.Thread(target=torch.no_grad()(self.model.generate), kwargs=options, daemon=True)
        thread.start()
        reply = ""
        for part in streamer:
            reply += part
            yield reply
        thread.join()
        if not reply.strip():
            yield "(it says nothing)"


def _text(content: object) -> str:
    """The text of a message of gradio's history, whose content is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content if isinstance(part, dict))


def told(function):
    """A generator function whose errors are shown in the page instead of "Error"."""

    def told_generator(*arguments):
        try:
            yield from function(*arguments)
        except gradio.Error:
            raise
        except Exception as error:
            raise gradio.Error(f"{type(error).__name__}: {error}", duration=None) from error

    return told_generator


def build(checkpoint: str) -> gradio.Blocks:
    """The page; where the checkpoint can't be loaded, a page that says why."""
    try:
        demo = Demo(checkpoint)
    except Exception as error:
        with gradio.Blocks(title=TITLE) as page:
            gradio.Markdown(f"# {TITLE}\n\nThe checkpoint could not be loaded.\n\n```\n{error}\n```")
        return page

    with gradio.Blocks(title=TITLE) as page:
        millions = demo.model.num_parameters() / 1e6
        gradio.Markdown(
            f"# {TITLE}\nOne transformer of {millions:.1f} M parameters with one set of weights. Pictures, text, "
            "observations and actions are one sequence of tokens."
        )
        with gradio.Tab("Act", id="act"):
            with gradio.Row():
                task = gradio.Dropdown(
                    demo.tasks, value=demo.tasks[0], label="Task", scale=3, min_width=300, elem_id="task"
                )
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
                    names = "".join(
                        f'<span class="gato-token gato-{kind}">{name}</span>' for kind, name in KINDS.items()
                    )
                    gradio.HTML(f'{names}<span class="gato-token gato-written">what it writes</span>')
                    tokens = gradio.HTML("", elem_id="tokens")
            showing = gradio.State(Showing())
            start.click(
                told(demo.act),
                [showing, task, episode, temperature],
                [picture, tokens, state],
                show_progress="hidden",
                trigger_mode="multiple",
                concurrency_limit=VISITORS,
            )
            stop.click(Showing.end, [showing], None, show_progress="hidden", concurrency_limit=None)
        with gradio.Tab("Look", id="look"):
            with gradio.Row():
                seen = gradio.Image(label="Picture", height=320, elem_id="seen")
                with gradio.Column():
                    question = gradio.Textbox(
                        label="Question", placeholder="Nothing asked: a caption", elem_id="question"
                    )
                    ask = gradio.Button("Ask", variant="primary", elem_id="ask")
                    said = gradio.Textbox(label="It says", interactive=False, lines=3, elem_id="said")

            def look(seen, question):
                yield demo.look(seen, question)

            for event in (ask.click, question.submit):
                event(told(look), [seen, question], said)
        with gradio.Tab("Chat", id="chat"):
            warmth = gradio.Slider(0, 1.5, 0.9, step=0.1, label="Temperature", render=False)
            gradio.ChatInterface(
                told(demo.chat),
                chatbot=gradio.Chatbot(label="Conversation", height=420, buttons=["copy"], elem_id="conversation"),
                additional_inputs=[warmth],
                additional_inputs_accordion="Settings",
                fill_height=False,
            )
    return page


def main() -> None:
    try:
        checkpoint = chosen_checkpoint()
    except CheckpointError as error:
        raise SystemExit(f"Error: {error}") from error
    build(checkpoint).launch(theme=THEME, css=STYLE)


if __name__ == "__main__":
    main()
