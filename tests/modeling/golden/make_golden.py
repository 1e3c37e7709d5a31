# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Makes the golden checkpoints: two small models of the first version, and what they answered.

The files beside this script must not change: they show that today's code reads what the first version wrote. To see
that this script makes them, run it with the packages of that version and compare:

    git archive 47cac3e modeling_gato tokenization_gato | tar -x -C /tmp/first
    PYTHONPATH=/tmp/first python tests/modeling/golden/make_golden.py /tmp/golden
    diff -r /tmp/golden/rotary tests/modeling/golden/rotary

All files are equal but for the last bits of the logits, which depend on the processor and the number of threads.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import TokenizersBackend

from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor


def make_processor() -> GatoProcessor:
    """A vocabulary of bytes, 64 bins and 64 discrete values with ids of their own."""
    alphabet = {byte: index for index, byte in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    text = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    text.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    text.decoder = decoders.ByteLevel()
    tokenizer = TokenizersBackend(tokenizer_object=text)
    return GatoProcessor(tokenizer=tokenizer, num_bins=64, num_discrete=64, share_discrete_with_text=False)


def make_model(position_embedding_type: str, processor: GatoProcessor) -> GatoForCausalLM:
    """Two layers of width 16; the weights are large, so that an error shows in the logits."""
    torch.manual_seed(0)
    config = GatoConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        patch_embed_channels=32,
        max_position_embeddings=128,
        initializer_range=0.2,
        position_embedding_type=position_embedding_type,
        **processor.model_kwargs,
    )
    return GatoForCausalLM(config).eval()


def make_inputs(processor: GatoProcessor) -> dict[str, torch.Tensor]:
    """Two steps of an episode with pictures, text, continuous and discrete values, and the action between them."""
    random = np.random.default_rng(0)
    observations = [
        {
            "image": random.integers(0, 256, (16, 20, 3), dtype=np.uint8),
            "mission": "go to the red ball",
            "state": random.uniform(-3, 3, 4).astype(np.float32),
            "direction": np.array([number]),
        }
        for number in range(2)
    ]
    actions = list(random.uniform(-1, 1, (1, 2)).astype(np.float32))
    return dict(processor(observations=observations, actions=actions, return_tensors="pt"))


def main(folder: Path) -> None:
    processor = make_processor()
    inputs = make_inputs(processor)
    for positions in ("rotary", "transformer_xl"):
        model = make_model(positions, processor)
        model.save_pretrained(folder / positions)
        processor.save_pretrained(folder / positions)
        for code in (folder / positions).glob("*.py"):
            code.unlink()
        with torch.no_grad():
            expected = inputs | {"logits": model(**inputs).logits}
        save_file(expected, folder / positions / "expected.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
