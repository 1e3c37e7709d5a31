# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The names of the files that training and evaluation write beside a model."""

# A trained model is there where one of these is; the second where the weights are in several files.
MODEL_FILES = ("model.safetensors", "model.safetensors.index.json")

TRAINING = "training.json"
ANCESTRY = "ancestry.json"
RECIPE = "recipe.yaml"
LOG = "log.jsonl"
LOSSES = "losses.md"
LEARNING_CURVE = "learning_curve.png"
ANIMATION = "episode.gif"
TRAINING_FILES = (TRAINING, ANCESTRY, RECIPE, LOG, LOSSES, LEARNING_CURVE, ANIMATION)

RESULTS = "results.json"
RESULTS_TABLE = "results.md"
SCORES_TABLE = "scores.csv"
CURVE_TABLE = "curve.csv"
SCORES_PICTURE = "scores.png"
CURVE_PICTURE = "curve.png"
RESULT_FILES = (RESULTS, RESULTS_TABLE, SCORES_TABLE, CURVE_TABLE, SCORES_PICTURE, CURVE_PICTURE)
