# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Files, processes, packages, progress, provenance and errors. It knows nothing of Gato."""
