# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Checkpoints: those that come with this package, and how any is found, loaded, averaged and traced back."""
