# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What a loss is to be held against: the entropy of how often each label comes, whatever was observed before it.

A model that has learnt no more than the frequencies of actions has that loss; below it, it has learnt to look.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .mixture import Mixture, MixturePart

ROWS_COUNTED = 64


def label_entropies(mixture: Mixture, num_rows: int = ROWS_COUNTED) -> dict[str, float]:
    """The entropy of the labels of each part of a mixture, in nats a label.

    Of actions, those of each place in an action are counted apart, and the mean of the places is given; of documents
    all tokens together. Counted in `num_rows` rows of each part, spread over it. Few labels of many kinds give too
    little, never too much: the bar is too low then, not too high.
    """
    by_name: dict[str, list[float]] = {}
    for part in mixture.parts:
        by_name.setdefault(part.name, []).append(_entropy_of(part, mixture, num_rows))
    return {name: float(np.mean(entropies)) for name, entropies in by_name.items()}


def _entropy_of(part: MixturePart, mixture: Mixture, num_rows: int) -> float:
    from tokenization_gato.sequence_gato import TokenRole
    from tokenization_gato.windows_gato import is_episode

    spaces = {"observation_space": part.observation_space, "action_space": part.action_space}
    labels = []
    for index in np.unique(np.linspace(0, len(part.source) - 1, num_rows).astype(int)):
        row = part.source[int(index)]
        if is_episode(row):
            sequence = mixture.processor.encode_episode(row, **spaces)
            actions = sequence.target_ids[sequence.roles == TokenRole.ACTION.value]
            labels.append(actions.reshape(len(sequence.step_starts), -1))
        else:
            sequence = mixture.processor.encode_document(row)
            labels.append(sequence.target_ids[sequence.roles == TokenRole.DOCUMENT_TEXT.value][:, None])
    return float(np.mean([entropy(column) for column in np.concatenate(labels).T]))


def entropy(values: np.ndarray) -> float:
    """Of the frequencies of some values, in nats."""
    counts = np.unique(values, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def losses_table(entries: list[dict[str, Any]], entropies: dict[str, float]) -> str:
    """Markdown: the loss of each task over the last tenth of a log, beside the entropy of its labels.

    Args:
        entries: of `training_progress.read_log`.
        entropies: of `label_entropies`.
    """
    entries = [entry for entry in entries if "loss" in entry]
    last = entries[-max(1, len(entries) // 10) :]
    lines = ["| task | loss, nats a label | entropy of its labels | loss / entropy |", "|---|---|---|---|"]
    for name, bar in entropies.items():
        losses = [entry[f"loss/{name}"] for entry in last if f"loss/{name}" in entry]
        if losses:
            loss = float(np.mean(losses))
            share = f"{loss / bar:.2f}" if bar else "-"
            lines.append(f"| {name} | {loss:.3f} | {bar:.3f} | {share} |")
        else:
            lines.append(f"| {name} | - | {bar:.3f} | - |")
    steps = f"{last[0]['step']} to {last[-1]['step']}" if last else "none"
    return f"Training loss of each task, logged at steps {steps}.\n\n" + "\n".join(lines) + "\n"
