# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Files and folders that are either whole or absent."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import FileError, GatoError

if TYPE_CHECKING:
    from PIL import Image


# Errors of the place that a user names. Others, such as a file that vanished, are bugs.
_ERRORS_OF_PLACES = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG),
)


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns the errors of a place that can't be written, such as a full disk, into a FileError that names `path`."""
    try:
        yield
    except OSError as error:
        if isinstance(error, GatoError) or error.errno not in _ERRORS_OF_PLACES:
            raise
        raise FileError(f"{path} can't be written: {error.strerror}") from error


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Makes a folder, and those above it, if it is not there.

    Raises:
        FileError: it can't be made.
    """
    with writing(path):
        Path(path).mkdir(parents=True, exist_ok=True)
    return Path(path)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary path beside `path`, renamed to `path` when the block ends and removed when it raises.

    The temporary name is hidden and keeps the suffix, so that a writer which goes by the suffix works and a pattern
    such as `*.parquet` in the shell does not find it.

    Raises:
        FileError: `path` can't be written.
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = path.with_name(f".partial-{path.name}")
    with writing(path):
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, renamed to `path` when the block ends and removed when it raises.

    A process that is killed leaves the temporary folder; the next one with the same `path` replaces it.

    Raises:
        FileError: there is a file at `path`, or a folder that is not empty, or it can't be written.
    """
    path = Path(path).absolute()  # whatever the working directory is when the block ends
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileError(f"{path} is there already: give a new folder")
    temporary = path.with_name(f".partial-{path.name}")
    with writing(path):
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            yield temporary
            if path.exists():  # some systems can't rename a folder to an empty one
                path.rmdir()
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def read_json(path: str | os.PathLike[str], hint: str = "") -> Any:
    """Returns the value in a JSON file.

    Args:
        hint: the end of the error message where the file is missing, such as what writes it.

    Raises:
        FileError: there is no such file, or it can't be read.
        GatoError: it is no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(f"there is no file {path}{hint}") from None
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise GatoError(f"{path} is no JSON: {error}") from error


def read_image(path: str | os.PathLike[str]) -> Image.Image:
    """Returns the picture in a file, as RGB.

    Raises:
        FileError: there is no such file, or it holds no picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            return opened.convert("RGB")
    except UnidentifiedImageError as error:
        raise FileError(f"{path} holds no picture") from error
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}") from error


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes `text` to `path` as UTF-8, whole or not at all.

    Raises:
        FileError: `path` can't be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes `value` to `path` as indented JSON, whole or not at all.

    Raises:
        FileError: `path` can't be written.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")
