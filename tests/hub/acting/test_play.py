# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""An episode to look at, step by step, and its GIF and MP4."""

import pytest
from PIL import Image

from gato_hub.acting.pictures import draw_side_by_side, draw_step, write_episode
from gato_hub.acting.play import play
from gato_hub.checkpoints.loading import load_checkpoint
from gato_hub.evaluation.policies import evaluate_agent
from gato_hub.suites import find_task
from gato_hub.system.errors import GatoError


def test_an_episode_is_shown_with_the_tokens_read_and_written(checkpoint, tmp_path):
    model, processor = load_checkpoint(checkpoint)
    task = find_task("babyai/go-to-local")
    steps = list(play(task, task.evaluation_seeds[0], model, processor, seed=0))
    assert steps[0].mission.startswith("go to") and steps[0].number == 0
    assert (f"{processor.image_token} x4", "image") in steps[0].read
    words = [token.name for token in steps[0].read if token.kind == "text"]
    assert processor.tokenizer.convert_tokens_to_string(words).strip() == steps[0].mission
    # A direction and an action, of the ids of text, are told as the integers that they are.
    assert [token.kind for token in steps[1].read] == ["image", "discrete", "separator"]
    assert steps[1].read[1].name in "0123"
    assert all(len(step.written) == 1 and step.written[0].kind == "discrete" for step in steps)
    assert all(step.written[0].name in "0123456" for step in steps)
    # The instruction is read once.
    assert len(steps[0].read) > len(steps[1].read)
    pictures = [draw_step(step, task.id) for step in steps[:4]]
    assert len({picture.size for picture in pictures}) == 1
    for name in ("episode.gif", "episode.mp4"):
        write_episode(tmp_path / name, pictures)
        assert (tmp_path / name).stat().st_size > 1000
    with Image.open(tmp_path / "episode.gif") as picture:
        assert picture.n_frames >= 2
    with pytest.raises(ValueError, match=r".gif or .mp4, not as 'episode.avi'"):
        write_episode(tmp_path / "episode.avi", pictures)


def test_playing_is_acting(checkpoint):
    model, processor = load_checkpoint(checkpoint)
    task = find_task("classic-control/cart-pole")
    seed = task.evaluation_seeds[1]
    (result,) = evaluate_agent(task, [seed], model, processor, do_sample=False)
    steps = list(play(task, seed, model, processor, do_sample=False))
    assert len(steps) == result.length and steps[-1].total_reward == result.episode_return


def test_several_episodes_are_drawn_side_by_side(checkpoint):
    model, processor = load_checkpoint(checkpoint)
    task = find_task("classic-control/cart-pole")
    episodes = {
        str(number): list(play(task, task.evaluation_seeds[number], model, processor, seed=0))[:stop]
        for number, stop in ((0, 2), (1, 4))
    }
    pictures = draw_side_by_side(episodes)
    assert len(pictures) == 4 and len({picture.size for picture in pictures}) == 1
    with pytest.raises(GatoError, match="at least one episode"):
        draw_side_by_side({})
    with pytest.raises(GatoError, match="at least one picture"):
        write_episode("episode.gif", [])
