# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""What meets the world: suites of tasks, demonstrations, evaluation and the `gato` command.

Nothing is imported here, so that a process which only steps environments never loads torch.
"""
