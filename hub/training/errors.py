# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The ways in which a training ends early."""

from __future__ import annotations

import signal

from ..system.errors import GatoError


class TrainingError(GatoError):
    """A training can't start or can't go on, and the user can mend it: the message says how."""


class Interrupted(KeyboardInterrupt):
    """A signal stopped the training after it saved a checkpoint. `signal` says which one."""

    def __init__(self, number: signal.Signals):
        super().__init__(number.name)
        self.signal = number
