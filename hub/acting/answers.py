# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Answers in words: captions, answers to questions about images, and replies in a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

MAX_ANSWER_TOKENS = 96  # twice the longest caption of three shapes, in the default vocabulary
MAX_REPLY_TOKENS = 128


def answer(rows: Sequence[Mapping[str, Any]], model: GatoForCausalLM, processor: GatoProcessor) -> list[str]:
    """Returns what the model writes after the images and the question of each row, always the likeliest token.

    Args:
        rows: Mappings with "images", a list of arrays or PIL images, and optionally "question". Without a question
            the answer is a caption.
    """
    prompts = [row.get("question", "") for row in rows]
    images = [list(row.get("images", ())) for row in rows]
    inputs = processor(images=images if any(images) else None, text=prompts, padding=True, return_tensors="pt")
    inputs = inputs.to(model.device)
    ids = model.generate(**inputs, do_sample=False, max_new_tokens=MAX_ANSWER_TOKENS)
    texts = processor.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return [text.strip() for text in texts]


def reply(
    messages: Sequence[Mapping[str, str]], model: GatoForCausalLM, processor: GatoProcessor, *, temperature: float
) -> Iterator[str]:
    """Yields the model's reply to a conversation, part by part, as it is written.

    Args:
        messages: The conversation so far: mappings with "role", "user" or "assistant", and "content". One longer than
            half the model's window loses its beginning.
        temperature: Temperature of the sampling; 0 takes the likeliest token.
    """
    from transformers import TextIteratorStreamer

    inputs = _conversation_inputs(messages, model, processor)
    sampling = {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}
    streamer = TextIteratorStreamer(processor.tokenizer, skip_prompt=True, skip_special_tokens=True)
    with ThreadPoolExecutor(1) as executor:
        generated = executor.submit(
            model.generate, **inputs, **sampling, max_new_tokens=MAX_REPLY_TOKENS, streamer=streamer
        )
        # The end comes also from a generation that failed, whose error is then raised here.
        generated.add_done_callback(lambda _: streamer.end())
        yield from filter(None, streamer)
        generated.result()


def _conversation_inputs(
    messages: Sequence[Mapping[str, str]], model: GatoForCausalLM, processor: GatoProcessor
) -> dict[str, torch.Tensor]:
    """Returns the arguments of `generate` for a reply: tensors (1, length), at most half a window of tokens long."""
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    ).to(model.device)
    window = model.config.max_position_embeddings // 2
    return {name: value[:, -window:] for name, value in inputs.items()}
