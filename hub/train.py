# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Runs `gato train` on many processes: `accelerate launch -m gato_hub.train RECIPE --output DIR`."""

import sys

if __name__ == "__main__":
    from .cli.app import app

    app(["train", *sys.argv[1:]])
