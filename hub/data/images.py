# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Images as a row stores them, as arrays."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image


def stack_images(images: Sequence[bytes | dict], shape: Sequence[int] | None) -> np.ndarray:
    """Images as a row stores them, raw or encoded, as one array (T, height, width, channels) uint8."""
    if isinstance(images[0], bytes):
        return np.frombuffer(b"".join(images), np.uint8).reshape(len(images), *shape)
    return np.stack([np.asarray(Image.open(io.BytesIO(image["bytes"]))) for image in images])
