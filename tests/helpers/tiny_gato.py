# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import pytest
import torch

from modeling_gato import GatoConfig, GatoForCausalLM

IMAGE_ID, SEPARATOR_ID, PAD_ID, EOS_ID = 3, 4, 1, 2
VOCAB_SIZE = 99
WINDOW = 24


def tiny_config(**kwargs) -> GatoConfig:
    """A model of two layers with a short window; its weights are large, so that a leak or an error shows."""
    shape = {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": WINDOW,
        "patch_size": 4,
        "patch_embed_channels": 32,
        "num_local_positions": 16,
        "image_token_id": IMAGE_ID,
        "separator_token_id": SEPARATOR_ID,
        "pad_token_id": PAD_ID,
        "eos_token_id": EOS_ID,
        "initializer_range": 0.2,
    }
    return GatoConfig(**(shape | kwargs))


def tiny_model(seed: int = 0, **kwargs) -> GatoForCausalLM:
    torch.manual_seed(seed)
    return GatoForCausalLM(tiny_config(**kwargs)).eval()


def random_inputs(batch: int = 2, length: int = 20, patches: int = 3, seed: int = 0) -> dict[str, torch.Tensor]:
    """Ids with `patches` image patches a row, local positions everywhere."""
    generator = torch.Generator().manual_seed(seed)
    input_ids = torch.randint(5, VOCAB_SIZE, (batch, length), generator=generator)
    input_ids[:, 2 : 2 + patches] = IMAGE_ID
    starts = torch.randint(0, 3, (batch * patches, 2), generator=generator) * 32
    return {
        "input_ids": input_ids,
        "local_position_ids": torch.randint(-1, 17, (batch, length), generator=generator),
        "pixel_values": torch.rand(batch * patches, 3, 4, 4, generator=generator) - 0.5,
        "patch_positions": torch.stack([starts, starts + 32], dim=-1),
    }


@pytest.fixture(params=["rotary", "transformer_xl"])
def position_type(request) -> str:
    return request.param


@pytest.fixture
def model(position_type) -> GatoForCausalLM:
    return tiny_model(position_embedding_type=position_type)
