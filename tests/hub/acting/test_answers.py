# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Answers to questions about images, and replies in a conversation."""

import pytest
import torch

from gato_hub.acting.answers import MAX_REPLY_TOKENS, answer, reply
from gato_hub.checkpoints.loading import load_checkpoint
from gato_hub.suites import find_task


def test_questions_of_different_lengths_are_answered_together_as_alone(checkpoint):
    model, processor = load_checkpoint(checkpoint)
    rows = list(find_task("questions/shapes").rows("test", 0, 4))
    assert len({len(row["question"]) for row in rows}) > 1
    assert answer(rows, model, processor) == [answer([row], model, processor)[0] for row in rows]


@pytest.mark.parametrize("temperature", [0.0, 0.01])
def test_a_reply_comes_in_parts_that_make_up_what_generate_says(checkpoint, temperature):
    model, processor = load_checkpoint(checkpoint)
    messages = [{"role": "user", "content": "Hello?"}]
    torch.manual_seed(2)
    parts = list(reply(messages, model, processor, temperature=temperature))
    assert len(parts) > 1 and all(parts)

    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    sampling = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
    torch.manual_seed(2)
    ids = model.generate(**inputs, **sampling, max_new_tokens=MAX_REPLY_TOKENS)
    expected = processor.tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert "".join(parts) == expected


def test_a_long_conversation_loses_its_beginning(checkpoint):
    model, processor = load_checkpoint(checkpoint)
    last = {"role": "user", "content": "And? " * model.config.max_position_embeddings}
    messages = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Yes."}, last]
    replies = [list(reply(part, model, processor, temperature=0.0)) for part in (messages, messages[2:])]
    assert replies[0] == replies[1]


def test_an_error_while_a_reply_is_written_is_raised(checkpoint, monkeypatch):
    model, processor = load_checkpoint(checkpoint)

    def fail(**inputs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model, "generate", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(reply([{"role": "user", "content": "Hello?"}], model, processor, temperature=0.0))
