# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""A baseline of the training loss: the entropy of the label frequencies, which ignores all observations.

A model that has learned only how often each action comes has this loss. A model below it uses its observations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .mixture import Mixture, MixturePart

ROWS_COUNTED = 64


def label_entropies(mixture: Mixture, num_rows: int = ROWS_COUNTED) -> dict[str, float]:
    """Computes the entropy of the labels of each task of a mixture.

    The entropy of actions is the mean over the dimensions of an action; that of documents is of all their tokens. From
    few labels the entropy is estimated too low, never too high.

    Args:
        mixture: The mixture.
        num_rows: The number of rows of each part to count, evenly spread over it.

    Returns:
        The entropy of each task, in nats per label.
    """
    by_name: dict[str, list[float]] = {}
    for part in mixture.parts:
        by_name.setdefault(part.name, []).append(_entropy_of(part, mixture, num_rows))
    return {name: float(np.mean(entropies)) for name, entropies in by_name.items()}


def _entropy_of(part: MixturePart, mixture: Mixture, num_rows: int) -> float:
    from tokenization_gato.sequence_gato import TokenRole
    from tokenization_gato.windows_gato import is_episode

    spaces: dict[str, Any] = {"observation_space": part.observation_space, "action_space": part.action_space}
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
    """Returns the entropy of the frequencies of values, in nats."""
    counts = np.unique(values, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def losses_table(entries: list[dict[str, Any]], entropies: dict[str, float]) -> str:
    """Returns a Markdown table of the loss of each task, over the last tenth of a log, and the entropy of its labels.

    Args:
        entries: The entries of the log, see `read_log`.
        entropies: The entropy of each task, see `label_entropies`.
    """
    entries = [entry for entry in entries if "loss" in entry]
    last = entries[-max(1, len(entries) // 10) :]
    lines = ["| task | loss, nats a label | entropy of its labels | loss / entropy |", "|---|---|---|---|"]
    for name, entropy_of_labels in entropies.items():
        losses = [entry[f"loss/{name}"] for entry in last if f"loss/{name}" in entry]
        if losses:
            loss = float(np.mean(losses))
            share = f"{loss / entropy_of_labels:.2f}" if entropy_of_labels else "-"
            lines.append(f"| {name} | {loss:.3f} | {entropy_of_labels:.3f} | {share} |")
        else:
            lines.append(f"| {name} | - | {entropy_of_labels:.3f} | - |")
    steps = f"{last[0]['step']} to {last[-1]['step']}" if last else "none"
    return f"Training loss of each task, logged at steps {steps}.\n\n" + "\n".join(lines) + "\n"
