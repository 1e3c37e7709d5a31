# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The Gato model for transformers. Importing it registers the Auto classes."""

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from .configuration_gato import GatoConfig
from .generation_gato import GatoAgent, GatoMemory
from .modeling_gato import GatoForCausalLM, GatoModel, GatoPreTrainedModel

AutoConfig.register("gato", GatoConfig, exist_ok=True)
AutoModel.register(GatoConfig, GatoModel, exist_ok=True)
AutoModelForCausalLM.register(GatoConfig, GatoForCausalLM, exist_ok=True)
# Trainer's label smoothing shifts labels only for the classes named here.
MODEL_FOR_CAUSAL_LM_MAPPING_NAMES["gato"] = "GatoForCausalLM"

# Saved checkpoints carry their code, so that `trust_remote_code=True` loads them where this package is not installed.
GatoConfig.register_for_auto_class()
GatoModel.register_for_auto_class("AutoModel")
GatoForCausalLM.register_for_auto_class("AutoModelForCausalLM")

__all__ = [
    "GatoAgent",
    "GatoConfig",
    "GatoForCausalLM",
    "GatoMemory",
    "GatoModel",
    "GatoPreTrainedModel",
]
