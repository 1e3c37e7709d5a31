# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The `gato` command: one file a command group. A command parses, calls one function of a room, and prints."""
