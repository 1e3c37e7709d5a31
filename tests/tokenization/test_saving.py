# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json
import pickle

import numpy as np
import pytest
from helpers.inputs import assert_same_inputs, random_image
from helpers.without_packages import run_without_packages
from transformers import AutoProcessor

from tokenization_gato import GatoImageProcessorPil, GatoProcessor, train_tokenizer


def every_option() -> GatoProcessor:
    """A processor with no option at its default."""
    texts = ["go to the red ball", "pick up the key"] * 3
    return GatoProcessor(
        GatoImageProcessorPil(num_patch_positions=64, max_patches=32),
        train_tokenizer(texts, vocab_size=290),
        "{{ messages[0]['content'] }}",
        num_bins=256,
        mu=50.0,
        mu_law_bound=10.0,
        num_discrete=100,
        share_discrete_with_text=False,
        num_local_positions=64,
        repeat_text_observations=False,
    )


OBSERVATIONS = [{"image": random_image(), "mission": "go", "speed": np.array([0.3, -7.0])}] * 2


def options_of(processor: GatoProcessor) -> dict:
    """Without where the code was saved to, which a processor only knows after saving."""
    options = processor.to_dict()
    options.pop("auto_map", None)
    options["image_processor"].pop("auto_map", None)
    return options


def test_everything_is_kept(tmp_path):
    processor = every_option()
    processor.save_pretrained(tmp_path)
    for loaded in (AutoProcessor.from_pretrained(tmp_path), GatoProcessor.from_pretrained(tmp_path)):
        assert isinstance(loaded, GatoProcessor)
        assert options_of(loaded) == options_of(processor)
        assert loaded.vocabulary == processor.vocabulary
        assert loaded.model_kwargs == processor.model_kwargs
        assert loaded.chat_template == processor.chat_template
        inputs = [each(observations=OBSERVATIONS, actions=[3], return_tensors="np") for each in (loaded, processor)]
        assert_same_inputs(*inputs)


def test_saving_twice_changes_nothing(tmp_path, processor):
    processor.save_pretrained(tmp_path / "once")
    AutoProcessor.from_pretrained(tmp_path / "once").save_pretrained(tmp_path / "twice")
    for name in ("processor_config.json", "tokenizer.json", "chat_template.jinja"):
        assert (tmp_path / "once" / name).read_text() == (tmp_path / "twice" / name).read_text()


def test_a_worker_process_gets_an_equal_copy(processor):
    copy = pickle.loads(pickle.dumps(processor))
    assert_same_inputs(
        copy(observations=OBSERVATIONS, actions=[3], return_tensors="np"),
        processor(observations=OBSERVATIONS, actions=[3], return_tensors="np"),
    )


LOAD_WITHOUT_OUR_PACKAGES = """
import json
import numpy as np
from transformers import AutoProcessor, AutoTokenizer
from transformers.models.auto.image_processing_auto import AutoImageProcessor

folder, saved_again = "saved", "again"
processor = AutoProcessor.from_pretrained(folder, trust_remote_code=True)
assert type(processor).__module__.startswith("transformers_modules.")
image = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
observations = [{"image": image, "mission": "go", "speed": np.array([0.3, -7.0])}] * 2
inputs = processor(observations=observations, actions=[3], return_tensors="np")
assert type(AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)) is type(processor.image_processor)
assert len(AutoTokenizer.from_pretrained(folder)) == processor.vocabulary.size
processor.save_pretrained(saved_again)
try:
    processor.action_token_ranges("not a space")
except TypeError as error:
    message = str(error)
print(json.dumps({"message": message, **{name: value.tolist() for name, value in inputs.items()}}))
"""


@pytest.mark.slow
@pytest.mark.subprocess
def test_loading_where_our_packages_are_missing(tmp_path):
    processor = every_option()
    processor.save_pretrained(tmp_path / "saved")
    result = run_without_packages(LOAD_WITHOUT_OUR_PACKAGES, tmp_path, others=["gymnasium"])
    printed = json.loads(result.stdout.splitlines()[-1])
    assert "needs gymnasium" in printed.pop("message")
    expected = processor(observations=OBSERVATIONS, actions=[3], return_tensors="np")
    # float32 survives JSON exactly.
    assert_same_inputs({name: np.array(value, expected[name].dtype) for name, value in printed.items()}, expected)
    assert options_of(AutoProcessor.from_pretrained(tmp_path / "again")) == options_of(processor)
