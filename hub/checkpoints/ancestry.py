# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How a checkpoint's weights were made: its own stage, and every earlier stage that its weights come from.

A stage is one `gato train` or `gato average`. `training.json` has the record of the last stage; its key "parents"
names the stages whose weights it began with, by digest. `ancestry.json` beside it has the records of all earlier
stages, each once, by digest. The digest of a stage is the beginning of the SHA-256 of its record. A record names its
own parents, so a digest stands for everything that led to the stage.

In checkpoints of older versions `training.json` holds the earlier stages nested in "earlier" and "average_of". They
are read, too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..system.artifacts import ANCESTRY, TRAINING
from ..system.errors import GatoError
from ..system.files import read_json, write_json, write_text
from .loading import checkpoint_location

DIGEST_LENGTH = 16  # hexadecimal digits

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Training:
    """How a checkpoint's weights were made.

    Attributes:
        record: the last stage.
        earlier: the records of all earlier stages, by digest.
    """

    record: Record
    earlier: Mapping[str, Record]

    @property
    def digest(self) -> str:
        """The digest of the last stage."""
        return record_digest(self.record)

    def parents(self) -> list[Training | None]:
        """Returns how the weights were made that the last stage began with, None where a checkpoint does not tell."""
        return [digest and Training(self.earlier[digest], self.earlier) for digest in self.record["parents"]]

    def stages(self) -> Iterator[tuple[str, Record]]:
        """Yields digest and record of every stage once, the last stage first."""
        seen: dict[str, Record] = {}
        waiting = [self.digest]
        while waiting:
            digest = waiting.pop(0)
            if digest is None or digest in seen:
                continue
            seen[digest] = self.record if digest == self.digest else self.earlier[digest]
            waiting += seen[digest]["parents"]
        yield from seen.items()


def record_digest(record: Record) -> str:
    """Returns the digest of a stage by its record."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def write_training(folder: str | os.PathLike[str], record: Record, parents: Sequence[Training | None] = ()) -> None:
    """Writes `training.json` and, where there are earlier stages, `ancestry.json` into a checkpoint's folder.

    Args:
        record: what there is to tell of the last stage, without "parents".
        parents: how the weights were made that it began with; None for weights whose checkpoint does not tell.
    """
    earlier: dict[str, Record] = {}
    for parent in parents:
        if parent is not None:
            earlier |= dict(parent.stages())
    write_json(Path(folder) / TRAINING, {**record, "parents": [parent and parent.digest for parent in parents]})
    if earlier:
        # One stage a line.
        lines = (f"{json.dumps(digest)}: {json.dumps(stage, allow_nan=False)}" for digest, stage in earlier.items())
        write_text(Path(folder) / ANCESTRY, "{\n" + ",\n".join(lines) + "\n}\n")


def training_of(checkpoint: str | os.PathLike[str]) -> Training | None:
    """Returns how a checkpoint's weights were made, None where its folder does not tell or it is on the Hub.

    Args:
        checkpoint: see `loading.checkpoint_location`.

    Raises:
        GatoError: a file is no JSON, or a stage is missing.
    """
    folder = Path(checkpoint_location(checkpoint))
    if not (folder / TRAINING).is_file():
        return None
    record = read_json(folder / TRAINING)
    if "parents" not in record:
        earlier: dict[str, Record] = {}
        return Training(_unnested(record, earlier), earlier)
    training = Training(record, read_json(folder / ANCESTRY) if any(record["parents"]) else {})
    try:
        list(training.stages())
    except KeyError as error:
        raise GatoError(f"{folder / ANCESTRY} lacks the stage {error}") from error
    return training


def _unnested(nested: Record, earlier: dict[str, Record]) -> Record:
    """Returns the record of a stage that holds its earlier stages nested, and adds these to `earlier`."""
    parts = nested.get("average_of", ())
    record = {key: value for key, value in nested.items() if key not in ("earlier", "average_of")}
    if parts:
        record["average_of"] = [{key: part[key] for key in ("checkpoint", "share")} for part in parts]
    parents = [part["training"] for part in parts] if parts else [nested["earlier"]] if nested.get("earlier") else []
    digests: list[str | None] = []
    for parent in parents:
        if not parent:
            digests.append(None)
            continue
        unnested = _unnested(parent, earlier)
        digests.append(record_digest(unnested))
        earlier[record_digest(unnested)] = unnested
    return record | {"parents": digests}
