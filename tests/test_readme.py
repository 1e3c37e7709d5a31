# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The README's examples run as they stand, one after the other, in a folder that holds a checkpoint."""

import re
from pathlib import Path

import datasets
import pytest
import torch

from gato_hub.data.collect import collect
from gato_hub.sharing.dataset_card import write_dataset_card
from gato_hub.suites import find_task
from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def folder_with_a_checkpoint(tmp_path, monkeypatch) -> Path:
    torch.manual_seed(0)
    processor = GatoProcessor(repeat_text_observations=False)
    processor.save_pretrained(tmp_path / "gato-quickstart")
    model = GatoForCausalLM(GatoConfig.nano(**processor.model_kwargs))
    model.save_pretrained(tmp_path / "gato-quickstart")
    task_id = "babyai/go-to-local"
    collections = collect([task_id], tmp_path / "data", 2, workers=0)
    write_dataset_card(tmp_path / "data", {task_id: find_task(task_id)}, collections, "gato collect", None)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_run(folder_with_a_checkpoint):
    torch.manual_seed(0)
    namespace: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 7
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    assert namespace["env"].action_space.contains(namespace["action"])
    assert namespace["actions"].shape == (4,)
    assert namespace["picture"].shape == (28, 28, 3) and namespace["rollout"].success
    # Random actions reach the goal in some 15 of 50 episodes.
    assert sum(namespace["reached"]) >= 40


def test_the_parameter_counts_in_the_table_are_those_of_the_models():
    for size, millions in re.findall(r"\| `(small|baseline|large)\(\)` \| ([\d.]+) M \|", README):
        with torch.device("meta"):
            model = GatoForCausalLM(getattr(GatoConfig, size)())
        assert f"{model.num_parameters() / 1e6:.1f}" == millions
