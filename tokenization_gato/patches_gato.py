# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Arithmetic on patches: how many an image has, where each lies, how an array is cut (A Generalist Agent, 2.1)."""

import functools
import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PatchLayout:
    """How images are divided into patches.

    Args:
        patch_size: Side of a square patch in pixels.
        max_patches: An image with more patches is made smaller.
        do_pad: Whether a side that is no multiple of the patch size is padded; otherwise it is an error.
        target: The (height, width) in pixels to which every image is resized; None to keep its size.
    """

    patch_size: int
    max_patches: int
    do_pad: bool
    target: tuple[int, int] | None

    def require_whole_patches(self) -> None:
        """Raises ValueError if `target` is not made of at most `max_patches` whole patches."""
        if self.target is None:
            return
        height, width = self.target
        if not height or not width or height % self.patch_size or width % self.patch_size:
            raise ValueError(
                f"size must have a height and a width that are multiples of {self.patch_size}, got {height}x{width}"
            )
        if height * width > self.max_patches * self.patch_size**2:
            raise ValueError(
                f"size must give at most max_patches={self.max_patches} patches, got {height}x{width} pixels"
            )

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Returns the rows and columns of patches of an image, see `GatoImageProcessorPil.patch_grid`."""
        if height < 1 or width < 1:
            raise ValueError(f"an image must have at least one pixel, got {height}x{width}")
        if self.target is not None:
            return self.target[0] // self.patch_size, self.target[1] // self.patch_size
        if self._exceeds_max_patches(height, width):
            scale = math.sqrt(self.max_patches / (height * width))
            rows = min(max(1, int(height * scale)), self.max_patches)
            return rows, min(max(1, int(width * scale)), self.max_patches // rows)
        if not self.do_pad and (height % self.patch_size or width % self.patch_size):
            raise ValueError(
                f"height and width of an image must be multiples of {self.patch_size}, got {height}x{width}: set "
                "do_pad=True or do_resize=True"
            )
        return math.ceil(height / self.patch_size), math.ceil(width / self.patch_size)

    def changes_size(self, height: int, width: int) -> bool:
        """Tells whether an image of this size has to be resized before it is cut."""
        return self.target is not None or self._exceeds_max_patches(height, width)

    def _exceeds_max_patches(self, height: int, width: int) -> bool:
        return math.ceil(height / self.patch_size) * math.ceil(width / self.patch_size) > self.max_patches


def cut_into_patches(images: np.ndarray, rows: int, columns: int, patch_size: int) -> np.ndarray:
    """Cuts images of one size into patches in raster order, padding them with zeros at the bottom and on the right.

    Args:
        images: Pixels (images, height, width, channels).
        rows, columns: Number of patches of each image.
        patch_size: Side of a patch in pixels.

    Returns:
        Pixels (images * rows * columns, channels, patch_size, patch_size).
    """
    count, height, width, channels = images.shape
    if (height, width) != (rows * patch_size, columns * patch_size):
        padded = np.zeros((count, rows * patch_size, columns * patch_size, channels), images.dtype)
        padded[:, :height, :width] = images
        images = padded
    grid = images.reshape(count, rows, patch_size, columns, patch_size, channels)
    return grid.transpose(0, 1, 3, 5, 2, 4).reshape(-1, channels, patch_size, patch_size)


@functools.lru_cache(maxsize=256)
def patch_positions(rows: int, columns: int, num_patch_positions: int) -> np.ndarray:
    """Returns the rounded [[row_start, row_end], [column_start, column_end]] of each patch of an image.

    Args:
        rows, columns: Number of patches of the image.
        num_patch_positions: The positions go from 0 to this number, whatever the size of the image.

    Returns:
        A read-only array (rows * columns, 2, 2) int64.
    """
    row_edges = np.rint(np.arange(rows + 1) * (num_patch_positions / rows)).astype(np.int64)
    column_edges = np.rint(np.arange(columns + 1) * (num_patch_positions / columns)).astype(np.int64)
    positions = np.empty((rows, columns, 2, 2), np.int64)
    positions[:, :, 0, 0], positions[:, :, 0, 1] = row_edges[:-1, None], row_edges[1:, None]
    positions[:, :, 1, 0], positions[:, :, 1, 1] = column_edges[:-1], column_edges[1:]
    of_patches = positions.reshape(-1, 2, 2)
    of_patches.flags.writeable = False
    return of_patches


__all__ = ["PatchLayout", "cut_into_patches", "patch_positions"]
