# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import io

import numpy as np
import PIL.Image
import pytest

from gato_hub.data.images import stack_images
from gato_hub.system.errors import GatoError

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)


def encoded(frame):
    file = io.BytesIO()
    PIL.Image.fromarray(frame).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def test_raw_and_encoded_images_are_the_same_array():
    raw = stack_images([frame.tobytes() for frame in FRAMES], [4, 5, 3])
    np.testing.assert_array_equal(raw, FRAMES)
    np.testing.assert_array_equal(stack_images([encoded(frame) for frame in FRAMES], None), FRAMES)


def test_images_that_can_not_be_decoded():
    raw = [frame.tobytes() for frame in FRAMES]
    with pytest.raises(GatoError, match=r"2 images have 120 bytes, their image_shape is \(4, 4, 3\)"):
        stack_images(raw, [4, 4, 3])
    with pytest.raises(GatoError, match='the row needs their "image_shape"'):
        stack_images(raw, None)
    broken = {"bytes": encoded(FRAMES[1])["bytes"][:60], "path": None}
    with pytest.raises(GatoError, match="image 1 can't be decoded"):
        stack_images([encoded(FRAMES[0]), broken], None)
