# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Gato among the tools of transformers: saving, training, compiling, adapting."""

import copy
import json

import pytest
import torch
from helpers.tiny_gato import EOS_ID, random_inputs, tiny_config, tiny_model
from helpers.without_packages import run_without_packages
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForCausalLM, Trainer, TrainingArguments

from modeling_gato import GatoConfig, GatoForCausalLM, GatoModel
from tokenization_gato import GatoProcessor

LOAD_AND_ANSWER = """
import torch
from transformers import AutoModelForCausalLM
from safetensors.torch import load_file, save_file
torch.set_num_threads(1)
model = AutoModelForCausalLM.from_pretrained(".", trust_remote_code=True).eval()
with torch.no_grad():
    save_file({"logits": model(**load_file("inputs.safetensors")).logits}, "logits.safetensors")
model.save_pretrained("again")
print(type(model).__module__)
"""


def labeled(inputs: dict) -> dict:
    return inputs | {"labels": torch.where(inputs["input_ids"] > 4, inputs["input_ids"], -100)}


def test_a_saved_model_reloads_to_equal_logits_and_ties_its_head(model, tmp_path):
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    reloaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(reloaded) is GatoForCausalLM
    assert reloaded.lm_head.weight is reloaded.model.embed_tokens.weight
    inputs = random_inputs()
    assert torch.equal(reloaded(**inputs).logits, model(**inputs).logits)
    assert type(AutoModel.from_pretrained(tmp_path)) is GatoModel


@pytest.mark.slow
@pytest.mark.subprocess
def test_loads_with_trust_remote_code_where_our_packages_cannot_be_imported(model, tmp_path):
    model.save_pretrained(tmp_path)
    inputs = random_inputs()
    save_file(inputs, tmp_path / "inputs.safetensors")
    done = run_without_packages(LOAD_AND_ANSWER, tmp_path, others=["gymnasium"])
    assert "transformers_modules" in done.stdout
    assert "[ERROR]" not in done.stdout  # of an argument without a docstring
    assert (tmp_path / "generation_gato.py").exists(), "pushed cards load the agent from this file"
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as there: sums of several threads round differently
    with torch.no_grad():
        expected = model(**inputs).logits
    torch.set_num_threads(num_threads)
    assert torch.equal(load_file(tmp_path / "logits.safetensors")["logits"], expected)
    again = json.loads((tmp_path / "again" / "config.json").read_text())
    assert again["auto_map"]["AutoModelForCausalLM"].endswith("modeling_gato.GatoForCausalLM")


def test_gradient_checkpointing_gives_the_same_gradients(model):
    inputs = labeled(random_inputs())
    inputs["patch_positions"][..., 1] = inputs["patch_positions"][..., 0] + 1
    gradients = []
    for checkpointing in (False, True):
        trained = copy.deepcopy(model).train()
        if checkpointing:
            trained.gradient_checkpointing_enable()
        trained(**inputs).loss.backward()
        gradients.append({name: parameter.grad for name, parameter in trained.named_parameters()})
    torch.testing.assert_close(gradients[0], gradients[1])


@pytest.mark.slow
def test_torch_compile_gives_the_same_logits_and_trains(model):
    inputs = labeled(random_inputs())
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(**inputs).logits, model(**inputs).logits, atol=1e-5, rtol=0)
    inputs["patch_positions"][..., 1] = inputs["patch_positions"][..., 0] + 1
    expected = model(**inputs).loss
    model.train()
    loss = compiled(**inputs).loss
    loss.backward()
    torch.testing.assert_close(loss, expected)


def test_bfloat16_weights_and_autocast_stay_close_to_float32(position_type):
    model = tiny_model(position_embedding_type=position_type, initializer_range=0.02)
    inputs = random_inputs()
    expected = model(**inputs).logits
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(model(**inputs).logits.float(), expected, atol=0.02, rtol=0)
    half = copy.deepcopy(model).to(torch.bfloat16)
    torch.testing.assert_close(half(**inputs).logits.float(), expected, atol=0.02, rtol=0)
    assert half.generate(**inputs, max_new_tokens=3, do_sample=False).shape[0] == 2


def test_lora_adapts_saves_and_reloads(model, tmp_path):
    inputs = labeled(random_inputs())
    before = model(**inputs).logits
    base = copy.deepcopy(model)
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=0.05)
    adapted.train()
    for _ in range(3):
        adapted(**inputs).loss.backward()
        optimizer.step()
    adapted.eval()
    after = adapted(**inputs).logits
    assert not torch.allclose(after, before)
    adapted.save_pretrained(tmp_path)
    reloaded = PeftModel.from_pretrained(base, tmp_path).eval()
    torch.testing.assert_close(reloaded(**inputs).logits, after)
    torch.testing.assert_close(reloaded.merge_and_unload()(**inputs).logits, after, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_large_model_is_built_on_the_meta_device_without_memory(size):
    with torch.device("meta"):
        model = GatoForCausalLM(getattr(GatoConfig, size)())
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


def test_loads_through_the_meta_device_with_a_device_map(model, tmp_path):
    model.save_pretrained(tmp_path, max_shard_size="100kB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    reloaded = GatoForCausalLM.from_pretrained(tmp_path, device_map={"": "cpu"})
    inputs = random_inputs()
    assert torch.equal(reloaded(**inputs).logits, model(**inputs).logits)


def test_trainer_learns_and_smooths_labels_as_for_any_causal_model(tmp_path):
    """Label smoothing looks the class up by name: left out, the labels would not be shifted."""
    torch.manual_seed(0)
    rows = [{"input_ids": torch.arange(10) + 10, "labels": torch.arange(10) + 10} for _ in range(64)]
    losses = []
    for smoothing in (0.0, 0.1):
        model = GatoForCausalLM(tiny_config(initializer_range=0.02))
        arguments = TrainingArguments(
            output_dir=tmp_path,
            max_steps=30,
            per_device_train_batch_size=8,
            learning_rate=1e-2,
            use_cpu=True,
            report_to=[],
            logging_steps=30,
            save_strategy="no",
            disable_tqdm=True,
            label_smoothing_factor=smoothing,
        )
        Trainer(model, arguments, train_dataset=rows).train()
        model.eval()
        losses.append(model(**{key: value[None] for key, value in rows[0].items()}).loss.item())
        assert model.generate(torch.tensor([[10, 11]]), max_new_tokens=3).tolist() == [[10, 11, 12, 13, 14]]
    assert max(losses) < 0.6


def test_the_text_side_works_in_a_pipeline():
    from transformers import pipeline

    processor = GatoProcessor()
    torch.manual_seed(0)
    model = GatoForCausalLM(GatoConfig.nano(**processor.model_kwargs))
    generator = pipeline("text-generation", model=model, tokenizer=processor.tokenizer)
    answer = generator("go to the", max_new_tokens=4, do_sample=False)[0]["generated_text"]
    assert answer.startswith("go to the")


def test_the_vocabulary_can_be_resized(model):
    model.resize_token_embeddings(120)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model(**random_inputs()).logits.shape[-1] == 120 == model.config.vocab_size
    assert model.config.eos_token_id == EOS_ID
