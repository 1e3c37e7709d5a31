# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Turns the world into one token sequence and back.

Importing the package registers its classes with the Auto classes of transformers.
"""

from transformers import AutoProcessor, AutoTokenizer, TokenizersBackend

# transformers 5.17 hides it from its main module where torchvision is missing.
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from modeling_gato.configuration_gato import GatoConfig

from .action_constraints_gato import GatoActionLogitsProcessor
from .data_collator_gato import GatoDataCollator
from .image_processing_gato import GatoImageProcessorPil
from .processing_gato import GatoProcessor, StepLengths
from .sequence_gato import GatoSequence, TokenRole
from .tokenization_gato import GatoVocabulary, default_tokenizer, extend_tokenizer, train_tokenizer

AutoImageProcessor.register(GatoConfig, image_processor_classes={"pil": GatoImageProcessorPil}, exist_ok=True)
AutoTokenizer.register(GatoConfig, tokenizer_class=TokenizersBackend, exist_ok=True)
AutoProcessor.register(GatoConfig, GatoProcessor, exist_ok=True)

# `save_pretrained` copies the modules beside the weights: trust_remote_code=True loads them without this package.
GatoImageProcessorPil.register_for_auto_class("AutoImageProcessor")
GatoProcessor.register_for_auto_class("AutoProcessor")

__all__ = [
    "GatoActionLogitsProcessor",
    "GatoDataCollator",
    "GatoImageProcessorPil",
    "GatoProcessor",
    "GatoSequence",
    "GatoVocabulary",
    "StepLengths",
    "TokenRole",
    "default_tokenizer",
    "extend_tokenizer",
    "train_tokenizer",
]
