# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""`python -m gato_hub`: the `gato` command."""

if __name__ == "__main__":
    from .cli.app import app

    app(prog_name="gato")
