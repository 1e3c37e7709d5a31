# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import math

import numpy as np
import pytest
import torch
from helpers.inputs import random_image
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from tokenization_gato import GatoImageProcessorPil

PROCESSOR = GatoImageProcessorPil()


def put_together(patches, rows, columns):
    """Returns the image (height, width, 3) that patches in raster order were cut from."""
    size = patches.shape[-1]
    return (
        patches.reshape(rows, columns, 3, size, size).transpose(0, 3, 1, 4, 2).reshape(rows * size, columns * size, 3)
    )


@given(height=st.integers(1, 70), width=st.integers(1, 70))
def test_patches_hold_the_image_in_raster_order(height, width):
    image = random_image(height, width)
    outputs = PROCESSOR(image, return_tensors="np")
    rows, columns = outputs["image_grid"][0]
    assert (rows, columns) == (math.ceil(height / 16), math.ceil(width / 16)) == PROCESSOR.patch_grid(height, width)
    pixels = put_together(outputs["pixel_values"], rows, columns)
    expected = np.zeros((rows * 16, columns * 16, 3))
    expected[:height, :width] = image
    # Section 2.1: pixels in [-1, 1], divided by the square root of the patch size.
    assert np.allclose(pixels, (expected / 127.5 - 1) / 4, rtol=0, atol=1e-6)
    assert outputs["pixel_values"].dtype == np.float32


def test_positions_of_the_papers_example():
    # Section 2.1 has a patch from a quarter to a half of the rows, and from 40 % to 60 % of the columns.
    outputs = PROCESSOR(random_image(64, 80), return_tensors="np")
    positions = outputs["patch_positions"].reshape(4, 5, 2, 2)
    assert positions[1, 2].tolist() == [[32, 64], [51, 77]]
    assert positions[0, 0].tolist() == [[0, 32], [0, 26]]
    assert positions[3, 4].tolist() == [[96, 128], [102, 128]]


def test_number_of_positions_is_an_option():
    outputs = GatoImageProcessorPil(num_patch_positions=8)(random_image(32, 16), return_tensors="np")
    assert outputs["patch_positions"].tolist() == [[[0, 4], [0, 8]], [[4, 8], [0, 8]]]


def test_every_kind_of_image_gives_the_same_patches():
    image = random_image(20, 40)
    expected = PROCESSOR(image, return_tensors="np")["pixel_values"]
    channels_first = np.moveaxis(image, -1, 0)
    for same in (
        Image.fromarray(image),
        channels_first,
        torch.from_numpy(channels_first.copy()),
        torch.from_numpy(image),
        image.astype(np.float32),
        image.astype(np.int64),
        [image],
        image[None],
    ):
        assert np.array_equal(PROCESSOR(same, return_tensors="np")["pixel_values"], expected)


def test_gray_images_get_three_channels():
    grey = random_image(16, 16)[..., 0]
    expected = PROCESSOR(np.repeat(grey[..., None], 3, axis=-1), return_tensors="np")["pixel_values"]
    for same in (grey, grey[..., None], grey[None], Image.fromarray(grey)):
        assert np.array_equal(PROCESSOR(same, return_tensors="np")["pixel_values"], expected)
        assert np.array_equal(PROCESSOR.normalize_patches(PROCESSOR.patchify([same])[0]), expected)


def test_what_is_transparent_becomes_white():
    colors = random_image(16, 16)
    clear = np.concatenate([colors, np.zeros((16, 16, 1), np.uint8)], axis=-1)
    opaque = np.concatenate([colors, np.full((16, 16, 1), 255, np.uint8)], axis=-1)
    white = PROCESSOR(np.full((16, 16, 3), 255, np.uint8), return_tensors="np")["pixel_values"]
    for as_image in (np.asarray, Image.fromarray):
        assert np.array_equal(PROCESSOR(as_image(clear), return_tensors="np")["pixel_values"], white)
        assert np.array_equal(
            PROCESSOR(as_image(opaque), return_tensors="np")["pixel_values"],
            PROCESSOR(colors, return_tensors="np")["pixel_values"],
        )


@given(st.lists(st.sampled_from([(16, 16), (28, 28), (16, 48), (40, 20)]), min_size=1, max_size=6))
def test_images_of_several_sizes_stay_in_order(sizes):
    images = [random_image(*size, seed=index) for index, size in enumerate(sizes)]
    together = PROCESSOR(images, return_tensors="np")
    alone = [PROCESSOR(image, return_tensors="np") for image in images]
    for name in ("pixel_values", "patch_positions", "image_grid"):
        assert np.array_equal(together[name], np.concatenate([outputs[name] for outputs in alone]))


@given(height=st.integers(1, 3000), width=st.integers(1, 3000), max_patches=st.integers(1, 64))
def test_large_images_keep_their_shape_within_the_limit(height, width, max_patches):
    processor = GatoImageProcessorPil(max_patches=max_patches)
    rows, columns = processor.patch_grid(height, width)
    assert 1 <= rows * columns <= max_patches
    if math.ceil(height / 16) * math.ceil(width / 16) <= max_patches:
        assert (rows, columns) == (math.ceil(height / 16), math.ceil(width / 16))
    elif rows > 1 and columns > 1:
        # Rounding down to whole patches takes less than one from each side.
        assert rows / (columns + 1) < height / width < (rows + 1) / columns


def test_large_images_are_made_smaller():
    image = np.zeros((400, 800, 3), np.uint8)
    image[:, 400:] = 255
    outputs = GatoImageProcessorPil(max_patches=8)(image, return_tensors="np")
    assert outputs["image_grid"].tolist() == [[2, 4]]
    pixels = put_together(outputs["pixel_values"], 2, 4)
    assert pixels[:, 0] == pytest.approx(-0.25) and pixels[:, -1] == pytest.approx(0.25)


def test_resizing():
    processor = GatoImageProcessorPil(do_resize=True, size={"height": 32, "width": 48})
    outputs = processor([random_image(100, 70), random_image(16, 16)], return_tensors="np")
    assert outputs["image_grid"].tolist() == [[2, 3], [2, 3]]
    assert processor.patch_grid(100, 70) == (2, 3)
    with pytest.raises(ValueError, match="multiples of 16"):
        GatoImageProcessorPil(do_resize=True, size={"height": 30, "width": 48})
    with pytest.raises(ValueError, match="multiples of 16"):
        PROCESSOR(random_image(16, 16), do_resize=True, size={"height": 16, "width": 17})


def test_without_padding_sides_must_fit():
    processor = GatoImageProcessorPil(do_pad=False)
    assert processor.patch_grid(16, 32) == (1, 2)
    with pytest.raises(ValueError, match="16x33"):
        processor(random_image(16, 33))


@pytest.mark.parametrize("as_stack", [True, False])
def test_patches_cut_first_and_normalized_later(as_stack):
    images = [random_image(28, 28, seed) for seed in range(3)]
    outputs = PROCESSOR(images, return_tensors="np")
    patches, positions, grid = PROCESSOR.patchify(np.stack(images) if as_stack else images)
    assert patches.dtype == np.uint8
    assert np.array_equal(PROCESSOR.normalize_patches(patches), outputs["pixel_values"])
    assert np.array_equal(positions, outputs["patch_positions"])
    assert np.array_equal(grid, outputs["image_grid"])


def test_options_of_a_call():
    image = random_image(16, 16)
    raw = PROCESSOR(image, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"]
    assert np.array_equal(raw[0], np.moveaxis(image, -1, 0))
    unit = PROCESSOR(image, do_normalize=False, return_tensors="np")["pixel_values"]
    assert unit[0] == pytest.approx(np.moveaxis(image, -1, 0) / 255)
    assert PROCESSOR.get_number_of_image_patches(100, 50, {"max_patches": 3}) <= 3
    assert PROCESSOR.get_number_of_image_patches(100, 50) == 28


def test_saved_and_loaded(tmp_path):
    processor = GatoImageProcessorPil(max_patches=5, num_patch_positions=64)
    processor.save_pretrained(tmp_path)
    for loaded in (AutoImageProcessor.from_pretrained(tmp_path), GatoImageProcessorPil.from_pretrained(tmp_path)):
        assert isinstance(loaded, GatoImageProcessorPil)
        assert loaded.to_dict() == processor.to_dict()


def test_tensors_by_default_names():
    outputs = PROCESSOR(random_image(16, 16), return_tensors="pt")
    assert {name: (value.shape, value.dtype) for name, value in outputs.items()} == {
        "pixel_values": ((1, 3, 16, 16), torch.float32),
        "patch_positions": ((1, 2, 2), torch.int64),
        "image_grid": ((1, 2), torch.int64),
    }
