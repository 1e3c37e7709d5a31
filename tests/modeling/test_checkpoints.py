# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What loads, what does not, and what is said then."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from helpers.tiny_gato import tiny_model
from modeling.golden.make_golden import make_inputs
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoProcessor, AutoTokenizer

from modeling_gato import GatoConfig, GatoForCausalLM, GatoModel, GatoPreTrainedModel
from tokenization_gato import GatoImageProcessorPil, GatoProcessor

# Saved by the first version (commit 47cac3e): a model of 2 layers over a vocabulary of bytes, two steps of an episode
# with pictures and text as its processor read them, and its logits.
GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("positions", ["rotary", "transformer_xl"])
def test_a_checkpoint_of_the_first_version_reads_and_answers_as_then(positions):
    folder = GOLDEN / positions
    model, processor = AutoModelForCausalLM.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    assert type(model) is GatoForCausalLM and type(processor) is GatoProcessor
    assert type(AutoConfig.from_pretrained(folder)) is GatoConfig
    assert type(processor.image_processor) is GatoImageProcessorPil
    assert len(AutoTokenizer.from_pretrained(folder)) == len(processor.tokenizer)
    expected = load_file(folder / "expected.safetensors")
    logits = expected.pop("logits")
    inputs = make_inputs(processor)
    assert inputs.keys() == expected.keys()
    for name, value in inputs.items():
        assert torch.equal(value, expected[name]), name
    with torch.no_grad():
        torch.testing.assert_close(model(**inputs).logits, logits, rtol=1e-5, atol=1e-5)


# ---------------------------------------------------------------------------------------------------------------
# Damaged checkpoints
# ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The same model in one file and in several."""
    folder = tmp_path_factory.mktemp("saved")
    tiny_model().save_pretrained(folder / "whole")
    tiny_model().save_pretrained(folder / "sharded", max_shard_size="20KB")
    return folder


NAME = "model.layers.0.input_layernorm.weight"


def weights(folder: Path) -> Path:
    return folder / "model.safetensors"


def cut_off(folder):
    weights(folder).write_bytes(weights(folder).read_bytes()[:-10])


def empty(folder):
    weights(folder).write_bytes(b"")


def a_huge_header(folder):
    weights(folder).write_bytes(b"\xff" * 8 + weights(folder).read_bytes()[8:])


def a_header_that_is_no_json(folder):
    data = weights(folder).read_bytes()
    weights(folder).write_bytes(data[:20] + b"###" + data[23:])


def a_pickle_by_that_name(folder):
    torch.save(tiny_model().state_dict(), weights(folder))


def only_a_pickle(folder):
    weights(folder).unlink()
    torch.save(tiny_model().state_dict(), folder / "pytorch_model.bin")


def no_weights(folder):
    weights(folder).unlink()


def changed(folder, change):
    tensors = load_file(weights(folder))
    change(tensors)
    save_file(tensors, weights(folder), metadata={"format": "pt"})


def another_shape(folder):
    changed(folder, lambda tensors: tensors.update({NAME: tensors[NAME][:-1].clone()}))


def a_tensor_left_out(folder):
    changed(folder, lambda tensors: tensors.pop(NAME))


def weights_of_a_larger_model(folder):
    tiny_model(hidden_size=64).save_pretrained(folder / "larger")
    shutil.move(folder / "larger" / "model.safetensors", weights(folder))


def the_configuration_of_another_model(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "llama"}))


def a_configuration_cut_off(folder):
    (folder / "config.json").write_text("{")


def an_impossible_configuration(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_attention_heads": 3}))


def a_shard_left_out(folder):
    sorted(folder.glob("model-*.safetensors"))[1].unlink()


def a_shard_cut_off(folder):
    shard = sorted(folder.glob("model-*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes()[:-10])


def an_index_that_is_no_json(folder):
    (folder / "model.safetensors.index.json").write_text("nothing")


def an_index_that_names_a_file_elsewhere(folder):
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    index["weight_map"][NAME] = "../../elsewhere.safetensors"
    path.write_text(json.dumps(index))


DAMAGES = {
    cut_off: (ValueError, "weights of .* are damaged, cut off, or no safetensors"),
    empty: (ValueError, "weights of .* are damaged"),
    a_huge_header: (ValueError, "weights of .* are damaged.* header too large"),
    a_header_that_is_no_json: (ValueError, "weights of .* are damaged.* invalid JSON"),
    a_pickle_by_that_name: (ValueError, "weights of .* are damaged"),
    only_a_pickle: (OSError, "no file named model.safetensors"),
    no_weights: (OSError, "no file named model.safetensors"),
    another_shape: (ValueError, re.escape(f"1 weights of X have another shape: {NAME} (31,) instead of (32,)")),
    a_tensor_left_out: (ValueError, re.escape(f"1 weights of X are missing: {NAME}")),
    weights_of_a_larger_model: (ValueError, r"weights of X have another shape: .* instead of"),
    the_configuration_of_another_model: (ValueError, "configuration of a model of type 'llama', not 'gato'"),
    a_configuration_cut_off: (OSError, "not a valid JSON file"),
    an_impossible_configuration: (Exception, "`num_attention_heads` .3. times `head_dim`"),
    a_shard_left_out: (OSError, "is incomplete, a file that it names is not there: .*model-00002-of"),
    a_shard_cut_off: (ValueError, "weights of .* are damaged"),
    an_index_that_is_no_json: (ValueError, "a JSON file of X is damaged"),
    an_index_that_names_a_file_elsewhere: (OSError, "is incomplete, .*elsewhere.safetensors"),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_checkpoint_is_refused(saved, tmp_path, monkeypatch, damage):
    error, message = DAMAGES[damage]
    folder = tmp_path / "X"
    is_sharded = "shard" in damage.__name__ or "index" in damage.__name__
    shutil.copytree(saved / ("sharded" if is_sharded else "whole"), folder)
    damage(folder)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        GatoForCausalLM.from_pretrained("X")


def test_what_is_asked_for_is_given(saved):
    loaded, information = GatoForCausalLM.from_pretrained(saved / "sharded", output_loading_info=True)
    assert not information["missing_keys"]
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), tiny_model().parameters(), strict=True))
    # A pickle, and fresh weights where the shapes differ, for those who say so.
    larger = GatoForCausalLM.from_pretrained(saved / "whole", intermediate_size=128, ignore_mismatched_sizes=True)
    assert larger.config.intermediate_size == 128
    # The decoder alone is a part of what is saved.
    assert torch.equal(GatoModel.from_pretrained(saved / "whole").norm.weight, loaded.model.norm.weight)


def test_a_head_of_ones_own_starts_fresh(saved):
    class GatoForValues(GatoPreTrainedModel):
        def __init__(self, config):
            super().__init__(config)
            self.model = GatoModel(config)
            self.value = torch.nn.Linear(config.hidden_size, 1)
            self.post_init()

    model = GatoForValues.from_pretrained(saved / "whole")
    assert torch.equal(model.model.norm.weight, tiny_model().model.norm.weight)
    assert torch.isfinite(model.value.weight).all()
