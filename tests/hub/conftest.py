# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest
import torch

from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder with a small untrained model, which acts badly and deterministically, and its processor."""
    folder = tmp_path_factory.mktemp("checkpoint")
    processor = GatoProcessor(repeat_text_observations=False)
    torch.manual_seed(0)
    config = GatoConfig.nano(**processor.model_kwargs, num_hidden_layers=1, hidden_size=32, intermediate_size=64)
    GatoForCausalLM(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
