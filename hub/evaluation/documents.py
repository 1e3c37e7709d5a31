# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How well a model captions images, answers questions and predicts text, on test rows of a document task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..acting.answers import answer
from ..suites import DocumentTask
from ..suites.document_task import expected_answer

if TYPE_CHECKING:
    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor


def evaluate_documents(
    task: DocumentTask, num_rows: int, model: GatoForCausalLM, processor: GatoProcessor, *, batch_size: int = 32
) -> dict[str, Any]:
    """Evaluates a model on the first `num_rows` test rows of a task, or on all rows if there are fewer.

    Args:
        batch_size: Number of rows that are answered at once.

    Returns:
        For a task whose score is "exact match": "rows" (their number), "matches" (booleans), "answers" (strings),
        "exact_match" (the share of matches), and for captions "bleu" and "chrf", see `caption_metrics`. For a task
        whose score is "bits a byte": "rows", "bits" and "bytes" (of each row) and "bits_a_byte" (of all rows).
    """
    available = task.num_rows("test")
    rows = list(task.rows("test", 0, num_rows if available is None else min(num_rows, available)))
    if task.score == "bits a byte":
        return _bits_a_byte(rows, model, processor)
    answers: list[str] = []
    for start in range(0, len(rows), batch_size):
        answers += answer(rows[start : start + batch_size], model, processor)
    expected = [expected_answer(row) for row in rows]
    matches = [one.strip() == other.strip() for one, other in zip(answers, expected, strict=True)]
    results = {"rows": len(rows), "matches": matches, "answers": answers, "exact_match": float(np.mean(matches))}
    if "caption" in rows[0]:
        results |= caption_metrics(answers, expected)
    return results


def caption_metrics(captions: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
    """Returns sacrebleu's BLEU and chrF of a corpus, each in [0, 100]."""
    import sacrebleu

    return {
        "bleu": float(sacrebleu.corpus_bleu(list(captions), [list(expected)]).score),
        "chrf": float(sacrebleu.corpus_chrf(list(captions), [list(expected)]).score),
    }


def _bits_a_byte(rows: Sequence[dict[str, Any]], model: GatoForCausalLM, processor: GatoProcessor) -> dict[str, Any]:
    bits, sizes = [], []
    for row in rows:
        bits.append(document_bits(row, model, processor))
        sizes.append(len(row["text"].encode()))
    return {"rows": len(rows), "bits": bits, "bytes": sizes, "bits_a_byte": sum(bits) / max(1, sum(sizes))}


@torch.no_grad()
def document_bits(row: dict[str, Any], model: GatoForCausalLM, processor: GatoProcessor) -> float:
    """Returns the bits that a model needs to encode the text of a document and the document's end.

    A document longer than the window is cut into parts. The model can't predict the first token of a part, which
    therefore costs as much as a token drawn evenly from the text vocabulary.

    Args:
        row: A row with "text" and optionally "images", which are read but cost nothing.
    """
    sequence = processor.encode_document(row)
    window = model.config.max_position_embeddings
    nats = 0.0
    for start in range(0, len(sequence), window):
        part = sequence[start : start + window]
        inputs = processor.pad([part], return_tensors="pt").to(model.device)
        logits = model(**inputs, use_cache=False).logits[0]
        targets = inputs["input_ids"][0]
        losses = torch.nn.functional.cross_entropy(logits[:-1].float(), targets[1:], reduction="none")
        is_text = targets != processor.image_token_id
        nats += float(losses[is_text[1:]].sum()) + float(is_text[0]) * math.log(processor.vocabulary.text_size)
    return nats / math.log(2)
