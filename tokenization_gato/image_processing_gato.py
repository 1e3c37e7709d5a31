# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Images as patches of 16x16 pixels, and the places they were cut from (A Generalist Agent, section 2.1)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import PIL.Image
from transformers.image_processing_backends import PilBackend
from transformers.image_processing_utils import BatchFeature
from transformers.image_utils import ChannelDimension, PILImageResampling, SizeDict
from transformers.processing_utils import ImagesKwargs

from .patches_gato import PatchLayout, cut_into_patches, patch_positions
from .values_gato import require_positive_integer


class GatoImageProcessorKwargs(ImagesKwargs, total=False):  # type: ignore[call-arg]
    """
    patch_size (`int`, defaults to 16):
        Side of a square patch in pixels.
    max_patches (`int`, defaults to 256):
        An image with more patches is made smaller, see `GatoImageProcessorPil.patch_grid`.
    num_patch_positions (`int`, defaults to 128):
        Number of steps to which the place of a patch within its image is rounded.
    """

    patch_size: int
    max_patches: int
    num_patch_positions: int


_LAYOUT_OPTIONS = ("do_resize", "size", "do_pad", "patch_size", "max_patches")


class GatoImageProcessorPil(PilBackend):
    """Cuts images into patches in raster order and normalizes them as in section 2.1.

    Pixels are brought to [-1, 1] (rescaled by 1/255, mean 0.5, standard deviation 0.5) and divided by the square root
    of the patch size, 4. A side that is no multiple of the patch size is padded with zeros at the bottom and on the
    right (`do_pad`); with `do_resize` images are resized to `size` instead. Images may be PIL images, numpy arrays or
    tensors, channels first or last, gray, RGB or RGBA (transparent pixels become white), with numbers from 0 to 255.

    Returns `pixel_values` (patches, 3, patch_size, patch_size) float32, `patch_positions` (patches, 2, 2) int64: the
    patch's [[row_start, row_end], [column_start, column_end]] as shares of the image, times `num_patch_positions`,
    rounded; and `image_grid` (images, 2): rows and columns of patches.

    Raises:
        ValueError: for sizes that are no positive integers, or a `size` that isn't made of whole patches.
    """

    valid_kwargs = GatoImageProcessorKwargs
    model_input_names = ["pixel_values", "patch_positions"]

    do_convert_rgb = True
    do_resize = False
    size = {"height": 224, "width": 224}
    resample = PILImageResampling.BILINEAR
    do_rescale = True
    rescale_factor = 1 / 255
    do_normalize = True
    image_mean = [0.5, 0.5, 0.5]
    image_std = [0.5, 0.5, 0.5]
    do_pad = True
    patch_size = 16
    max_patches = 256
    num_patch_positions = 128

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("patch_size", "max_patches", "num_patch_positions"):
            require_positive_integer(getattr(self, name), name)
        self._layout().require_whole_patches()

    def _layout(self, **options: Any) -> PatchLayout:
        """Returns the layout of this image processor, or that of the options of a call."""
        options = {name: options.get(name, getattr(self, name)) for name in _LAYOUT_OPTIONS}
        size, do_resize = options.pop("size"), options.pop("do_resize")
        return PatchLayout(**options, target=(size.height, size.width) if do_resize else None)

    def _preprocess(
        self,
        images: list[np.ndarray],
        do_resize: bool,
        size: SizeDict,
        resample: Any,
        do_rescale: bool,
        rescale_factor: float,
        do_normalize: bool,
        image_mean: Any,
        image_std: Any,
        do_pad: bool,
        patch_size: int,
        max_patches: int,
        num_patch_positions: int,
        return_tensors: str | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Processes images given as arrays (channels, height, width); `preprocess` calls it."""
        layout = self._layout(
            do_resize=do_resize, size=size, do_pad=do_pad, patch_size=patch_size, max_patches=max_patches
        )
        channels_last = [np.moveaxis(image, 0, -1) for image in images]
        patches, positions, grids = self._cut(channels_last, layout, num_patch_positions, resample)
        pixel_values = _normalize(patches, patch_size, do_rescale, rescale_factor, do_normalize, image_mean, image_std)
        data = {"pixel_values": pixel_values, "patch_positions": positions, "image_grid": grids}
        return BatchFeature(data, tensor_type=return_tensors)

    def patchify(self, images: np.ndarray | Sequence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cuts images into patches without normalizing them, which is cheaper once for a whole batch.

        Args:
            images: Pixels (images, height, width, 3) uint8, or a list of anything `__call__` takes.

        Returns:
            patches (patches, 3, patch_size, patch_size) in the numbers of the images, patch_positions
            (patches, 2, 2) and image_grid (images, 2).

        Raises:
            TypeError, ValueError: for what is no image, or has a size that can't be cut.
        """
        if not (isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.shape[3:] == (3,)):
            images = [self._to_rgb_array(image) for image in images]
        return self._cut(images, self._layout(), self.num_patch_positions, self.resample)

    def normalize_patches(self, patches: np.ndarray) -> np.ndarray:
        """Returns the patches of `patchify` as the model takes them, (patches, 3, patch_size, patch_size) float32."""
        return _normalize(
            patches,
            self.patch_size,
            self.do_rescale,
            self.rescale_factor,
            self.do_normalize,
            self.image_mean,
            self.image_std,
        )

    def patch_grid(self, height: int, width: int) -> tuple[int, int]:
        """Returns the rows and columns of patches of an image of this size in pixels.

        An image of more than `max_patches` patches is resized to the largest whole number of patches that keeps its
        aspect ratio: each side is scaled by sqrt(max_patches / patches), then rounded down to whole patches, one at
        least.

        Raises:
            ValueError: for a side that can't be cut into whole patches, with `do_pad` and `do_resize` off.
        """
        return self._layout().grid(height, width)

    def get_number_of_image_patches(self, height: int, width: int, images_kwargs: Mapping | None = None) -> int:
        """Counts the placeholders that an image of this size needs.

        Args:
            height, width: Size of the image in pixels.
            images_kwargs: The options of a call of the image processor.
        """
        options = dict(images_kwargs or {})
        if "size" in options:
            options["size"] = self._standardize_kwargs(size=options["size"], default_to_square=True)["size"]
        return math.prod(self._layout(**options).grid(height, width))

    def flatten(self, images: Any) -> list:
        """Returns a list of single images, given one image, an array of several, or nested lists of them."""
        if isinstance(images, (list, tuple)):
            return [image for item in images for image in self.flatten(item)]
        num_dimensions = getattr(images, "ndim", None)
        if num_dimensions == 2:
            return [images[None]]
        return list(images) if num_dimensions == 4 else [images]

    def _prepare_images_structure(self, images: Any, expected_ndims: int = 3) -> list:
        return self.flatten(self.fetch_images(images))

    def process_image(
        self,
        image: Any,
        do_convert_rgb: bool | None = None,
        input_data_format: str | ChannelDimension | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """Returns one image as an array (channels, height, width); called by `preprocess` and `patchify`.

        Args:
            image: A PIL image, an array or a tensor.
            do_convert_rgb: Whether to make gray and transparent images RGB.
            input_data_format: Where the channels of an array are; inferred from its shape by default.

        Raises:
            TypeError, ValueError: for what is no image.
        """
        image, input_data_format = _as_image_array(image, do_convert_rgb, input_data_format)
        if input_data_format is None:
            input_data_format = _channel_dimension(image.shape)
        if input_data_format in (ChannelDimension.LAST, ChannelDimension.LAST.value):
            image = np.moveaxis(image, -1, 0)
        return _channels_to_rgb(image) if do_convert_rgb else image

    def image_size(self, image: Any) -> tuple[int, int]:
        """Returns the height and width in pixels of anything `process_image` takes.

        Raises:
            ValueError: for what is no image.
        """
        if hasattr(image, "getbands"):
            return image.size[1], image.size[0]
        shape = tuple(getattr(image, "shape", ()))
        if len(shape) == 2:
            return shape
        if len(shape) != 3:
            raise ValueError(f"an image must have 2 or 3 dimensions, got {_describe(image)}")
        return shape[:2] if _channel_dimension(shape) == ChannelDimension.LAST else shape[1:]

    def _to_rgb_array(self, image: Any) -> np.ndarray:
        # Frames of environments, the common case, need no conversion.
        if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[-1] == 3:
            return image
        if getattr(image, "mode", None) == "RGB":
            return np.asarray(image)
        return np.moveaxis(self.process_image(image, do_convert_rgb=self.do_convert_rgb), 0, -1)

    def _cut(
        self, images: Sequence[np.ndarray] | np.ndarray, layout: PatchLayout, num_patch_positions: int, resample: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cuts images (height, width, channels); those of equal shape and dtype are handled as one array."""
        layout.require_whole_patches()
        if len(images) == 0:
            empty = np.zeros((0, 3, layout.patch_size, layout.patch_size), np.uint8)
            return empty, np.zeros((0, 2, 2), np.int64), np.zeros((0, 2), np.int64)
        if isinstance(images, np.ndarray) or len({(image.shape, image.dtype.char) for image in images}) == 1:
            return self._cut_stack(np.asarray(images), layout, num_patch_positions, resample)
        groups: dict[tuple, list[int]] = {}
        for index, image in enumerate(images):
            groups.setdefault((image.shape, image.dtype.char), []).append(index)
        patches: dict[int, np.ndarray] = {}
        positions: dict[int, np.ndarray] = {}
        grids = np.empty((len(images), 2), np.int64)
        for indices in groups.values():
            stack = np.stack([images[index] for index in indices])
            of_group, places, grid = self._cut_stack(stack, layout, num_patch_positions, resample)
            for index, part, place in zip(
                indices, np.split(of_group, len(indices)), np.split(places, len(indices)), strict=True
            ):
                patches[index], positions[index] = part, place
            grids[indices] = grid
        if len({part.shape[1] for part in patches.values()}) > 1:
            raise ValueError("images must have the same number of channels: set do_convert_rgb=True")
        in_order = range(len(images))
        return (
            np.concatenate([patches[index] for index in in_order]),
            np.concatenate([positions[index] for index in in_order]),
            grids,
        )

    def _cut_stack(
        self, images: np.ndarray, layout: PatchLayout, num_patch_positions: int, resample: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cuts images of one size, (images, height, width, channels)."""
        count, height, width, _ = images.shape
        rows, columns = layout.grid(height, width)
        if layout.changes_size(height, width):
            size = SizeDict(height=rows * layout.patch_size, width=columns * layout.patch_size)
            channels_first = np.moveaxis(images, -1, 1)
            resized = np.stack([self.resize(image, size, resample=resample) for image in channels_first])
            images = np.moveaxis(resized, 1, -1)
        positions = patch_positions(rows, columns, num_patch_positions)
        return (
            cut_into_patches(images, rows, columns, layout.patch_size),
            np.repeat(positions[None], count, axis=0).reshape(-1, 2, 2),
            np.full((count, 2), (rows, columns), np.int64),
        )


def _normalize(
    patches: np.ndarray,
    patch_size: int,
    do_rescale: bool,
    rescale_factor: float,
    do_normalize: bool,
    image_mean: Any,
    image_std: Any,
) -> np.ndarray:
    # One multiplication and one addition rescale, normalize and divide by sqrt(patch_size).
    channels = patches.shape[1]
    scale, shift = np.full(channels, rescale_factor if do_rescale else 1.0), np.zeros(channels)
    if do_normalize:
        mean, std = np.atleast_1d(image_mean), np.atleast_1d(image_std)
        if {len(mean), len(std)} - {1, channels}:
            raise ValueError(
                f"image_mean and image_std must have one number or {channels}, as the images have channels, got "
                f"{image_mean} and {image_std}"
            )
        scale, shift = scale / (std * math.sqrt(patch_size)), -mean / (std * math.sqrt(patch_size))
    normalized = patches.astype(np.float32)
    normalized *= _per_channel(scale, channels)
    normalized += _per_channel(shift, channels)
    return normalized


def _per_channel(values: np.ndarray, channels: int) -> np.ndarray:
    return np.broadcast_to(values, channels).reshape(-1, 1, 1).astype(np.float32)


def _as_image_array(
    image: Any, do_convert_rgb: bool | None, data_format: str | ChannelDimension | None
) -> tuple[np.ndarray, str | ChannelDimension | None]:
    """Returns an array of three dimensions, and where its channels are, None if nothing but its shape says so."""
    if hasattr(image, "getbands"):
        image = np.asarray(_on_white(image) if do_convert_rgb and image.mode != "RGB" else image)
        data_format = ChannelDimension.LAST
    elif hasattr(image, "detach"):
        image = image.detach().cpu().numpy()
    if not isinstance(image, np.ndarray) or image.dtype.kind not in "buif":
        raise TypeError(f"an image must be a PIL image, an array or a tensor of numbers, got {_describe(image)}")
    if image.ndim == 2:
        return image[None], ChannelDimension.FIRST
    if image.ndim != 3:
        raise ValueError(f"an image must have 2 or 3 dimensions, got shape {image.shape}")
    return image, data_format


def _channels_to_rgb(image: np.ndarray) -> np.ndarray:
    """Makes an image (channels, height, width) of one or four channels RGB; what is transparent becomes white."""
    if len(image) == 1:
        return np.repeat(image, 3, axis=0)
    if len(image) == 4:
        opacity = image[3:].astype(np.float64) / 255
        return (image[:3] * opacity + 255 * (1 - opacity)).astype(image.dtype)
    return image


def _describe(image: Any) -> str:
    return f"{type(image).__name__} of shape {image.shape}" if hasattr(image, "shape") else type(image).__name__


def _channel_dimension(shape: tuple[int, ...]) -> ChannelDimension:
    """Tells where the channels of an image of three dimensions are; last if both ends could be channels."""
    if shape[-1] in (1, 3, 4):
        return ChannelDimension.LAST
    if shape[0] in (1, 3, 4):
        return ChannelDimension.FIRST
    raise ValueError(f"an image must have 1, 3 or 4 channels, first or last, got shape {tuple(shape)}")


def _on_white(image: PIL.Image.Image) -> PIL.Image.Image:
    """Makes an image RGB; what is transparent becomes white."""
    if "A" not in image.getbands() and image.info.get("transparency") is None:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = PIL.Image.new("RGBA", image.size, (255, 255, 255, 255))
    return PIL.Image.alpha_composite(white, image).convert("RGB")


__all__ = ["GatoImageProcessorPil"]
