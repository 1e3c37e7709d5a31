# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The errors that a user can mend. Every other error is a bug and keeps its traceback."""


class GatoError(ValueError):
    """Something that the user can mend: the message says what, in one line."""


class MissingPackageError(GatoError, ImportError):
    """A package that a task or command needs is not installed: the message has the command that installs it."""


class FileError(GatoError, OSError):
    """A file or folder can't be read or written: the message has its path."""
