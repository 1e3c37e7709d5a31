# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""One policy at work: episodes, agents, answers in words, and their pictures."""
