# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The images of a row, decoded to arrays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..system.errors import GatoError


def stack_images(images: Sequence[Any], shape: Sequence[int] | None) -> np.ndarray:
    """Decodes the images of a row to one array.

    Args:
        images: T images, each the raw bytes of a uint8 array, or {"bytes": an encoded file such as PNG}.
        shape: (height, width, channels) of raw images; encoded ones have their own.

    Returns:
        (T, height, width, channels) uint8.

    Raises:
        GatoError: the images don't have the shape, or an encoded one can't be read.
    """
    if not isinstance(images[0], bytes):
        return np.stack([_decoded(image, number) for number, image in enumerate(images)])
    return as_images(np.frombuffer(b"".join(images), np.uint8), len(images), shape)


def as_images(pixels: np.ndarray, count: int, shape: Sequence[int] | None) -> np.ndarray:
    """Reshapes the bytes of `count` raw images to (count, height, width, channels) uint8.

    Raises:
        GatoError: there is no shape, or the number of bytes is another.
    """
    if shape is None:
        raise GatoError('images are bytes: the row needs their "image_shape", (height, width, channels)')
    if pixels.size != count * np.prod(shape):
        raise GatoError(f"{count} images have {pixels.size} bytes, their image_shape is {tuple(map(int, shape))}")
    return pixels.reshape(count, *shape)


def _decoded(image: dict[str, Any], number: int) -> np.ndarray:
    try:
        return np.asarray(Image.open(io.BytesIO(image["bytes"])))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:  # Pillow says SyntaxError of a broken PNG
        raise GatoError(f"image {number} can't be decoded: {error}") from error
