# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import json

import pytest
import torch
from helpers.tiny_gato import tiny_config
from transformers import AutoConfig

from modeling_gato import GatoConfig, GatoForCausalLM


@pytest.mark.parametrize(("size", "millions"), [("small", 79), ("baseline", 364), ("large", 1180)])
def test_paper_sizes_have_the_papers_parameter_counts(size, millions):
    with torch.device("meta"):
        model = GatoForCausalLM(getattr(GatoConfig, size)())
    assert model.num_parameters() / 1e6 == pytest.approx(millions, rel=0.015)


def test_patch_block_has_between_half_and_one_and_a_half_million_parameters_at_width_768():
    with torch.device("meta"):
        embedder = GatoForCausalLM(GatoConfig.small()).model.patch_embedder
    assert 0.5e6 < sum(parameter.numel() for parameter in embedder.parameters()) < 1.5e6


@pytest.mark.parametrize(("size", "millions"), [("nano", 1), ("mini", 5)])
def test_cpu_sizes_count_their_layers(size, millions):
    with torch.device("meta"):
        layers = GatoForCausalLM(getattr(GatoConfig, size)()).model.layers
    assert sum(parameter.numel() for parameter in layers.parameters()) / 1e6 == pytest.approx(millions, rel=0.1)


@pytest.mark.parametrize("size", ["small", "baseline", "large"])
def test_paper_sizes_use_relative_attention_and_stochastic_depth(size):
    config = getattr(GatoConfig, size)()
    assert config.position_embedding_type == "transformer_xl"
    assert config.drop_path_rate == 0.1


def test_presets_take_overrides():
    config = GatoConfig.small(position_embedding_type="rotary", num_hidden_layers=3)
    assert (config.position_embedding_type, config.num_hidden_layers, config.hidden_size) == ("rotary", 3, 768)


def test_a_typo_is_refused_with_the_right_name():
    with pytest.raises(TypeError, match="`num_layers`.*did you mean `num_hidden_layers`"):
        GatoConfig(num_layers=99)


def test_only_keyword_arguments():
    with pytest.raises((TypeError, ValueError)):
        GatoConfig(99)


def test_saves_and_reloads_equal(tmp_path):
    config = tiny_config(position_embedding_type="transformer_xl", hidden_dropout=0.1)
    config.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).to_diff_dict() == config.to_diff_dict()
    assert GatoConfig.from_pretrained(tmp_path).position_embedding_type == "transformer_xl"
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "gato"


def test_the_window_is_the_sliding_window():
    assert tiny_config(max_position_embeddings=77).sliding_window == 77
