# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""To the Hub and back: `gato push`, `push-dataset`, `push-space` and `pull`.

Everything is checked before it is pushed, and is pushed in one commit. A pushed checkpoint loads where this package is
not installed. A push that failed can be run again: large files that the Hub has are not sent twice.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..checkpoints.loading import checkpoint_location, load_checkpoint
from ..system.artifacts import RESULT_FILES, RESULTS, TRAINING_FILES
from ..system.files import read_json, write_json, write_text
from .dataset_card import FOLDER_IN_EXAMPLE
from .model_card import model_card
from .transfer import PublishError, patiently, push_files

HUB_FOLDER = Path(__file__).parents[1]
SPACE_FOLDER = HUB_FOLDER / "space"
SPACE_CHECKPOINT = "checkpoint"
SPACE_FILE = "space.json"


def push_checkpoint(
    checkpoint: str | os.PathLike,
    repo_id: str,
    *,
    private: bool | None = None,
    revision: str | None = None,
    results: str | os.PathLike | None = None,
    license: str = "apache-2.0",
    max_shard_size: str = "5GB",
    message: str = "Upload of a Gato checkpoint",
    to_folder: str | os.PathLike | None = None,
) -> str:
    """Pushes a checkpoint: weights, configuration, processor, code and card.

    Args:
        checkpoint: a folder, written by `save_pretrained`, `gato train` or `gato quickstart`, or the name of a
            checkpoint that comes with this package.
        repo_id: "user/name"; the repository is made if it is not there.
        private: who sees the repository, if it is made; the account's setting by default.
        revision: a branch, made if it is not there; "main" by default.
        results: `results.json` of `gato evaluate`, or its folder, whose pictures are pushed, too. By default those in
            the checkpoint's folder, if there are any.
        license: the license of the weights, as the Hub abbreviates it.
        max_shard_size: weights larger than this, such as "5GB", are cut into several files.
        message: the title of the commit.
        to_folder: push nothing, and write into this folder what would be pushed.

    Returns:
        The URL of the commit, or the folder.

    Raises:
        CheckpointError: the checkpoint can't be loaded.
        PublishError: `results` is not what `gato evaluate` writes, `max_shard_size` is no size, or the Hub refuses.
    """
    if not re.fullmatch(r"\d+[KMGT]?B", max_shard_size, re.IGNORECASE):
        raise PublishError(f"max_shard_size must be a size such as 5GB, not {max_shard_size!r}")
    model, processor = load_checkpoint(checkpoint)
    source = Path(checkpoint_location(checkpoint))
    given = None if results is None else Path(results)
    read = None if given is None else _read_results(given)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model.save_pretrained(folder, max_shard_size=max_shard_size)
        processor.save_pretrained(folder)
        _copy(TRAINING_FILES, source, folder)
        if given is not None:
            _copy(RESULT_FILES, given if given.is_dir() else given.parent, folder)
            write_json(folder / RESULTS, read)
        elif (source / RESULTS).exists():
            read = _read_results(source)
            _copy(RESULT_FILES, source, folder)
        card = model_card(repo_id, model, processor, folder, read, license)
        if to_folder is not None:
            card.save(folder / "README.md")
            shutil.copytree(folder, to_folder, dirs_exist_ok=True)
            return str(to_folder)
        return push_files(_contents(folder), repo_id, "model", private, revision, message, card)


def push_dataset(
    folder: str | os.PathLike, repo_id: str, *, private: bool | None = None, revision: str | None = None
) -> str:
    """Pushes a folder of demonstrations, after a check of each row.

    Args:
        folder: a folder of `gato collect`, or another with parquet files of the same columns and a `README.md`.
        repo_id, private, revision: see `push_checkpoint`.

    Returns:
        The URL of the commit.

    Raises:
        GatoError: the folder lacks files, a row is not an episode or document, or the Hub refuses.
    """
    from huggingface_hub import DatasetCard

    from ..data.checks import check_parquet_files

    folder = Path(folder)
    files = sorted(folder.rglob("*.parquet")) if folder.is_dir() else []
    files = [file for file in files if not file.name.startswith(".")]
    if not files:
        raise PublishError(f"{folder} holds no parquet files: gato collect makes some")
    for parent in sorted({file.parent for file in files}):
        check_parquet_files(file for file in files if file.parent == parent)
    if not (folder / "README.md").exists():
        raise PublishError(f"{folder} has no README.md, which tells the Hub what is in it: gato collect writes one")
    card = DatasetCard.load(folder / "README.md")
    card.content = card.content.replace(FOLDER_IN_EXAMPLE, repo_id)
    contents = {file.relative_to(folder).as_posix(): file for file in files}
    return push_files(contents, repo_id, "dataset", private, revision, "Upload of episodes", card)


def push_space(repo_id: str, checkpoint: str | os.PathLike, *, private: bool | None = None) -> str:
    """Pushes a Space, a page that shows a checkpoint to anyone with a browser, with the packages that it needs.

    Args:
        repo_id, private: see `push_checkpoint`.
        checkpoint: a folder, or the name of a checkpoint that comes with this package: it is pushed, too. Or a name on
            the Hub: the Space downloads it.

    Returns:
        The URL of the commit.

    Raises:
        GatoError: the checkpoint can't be loaded, or the Hub refuses.
    """
    from huggingface_hub import RepoCard

    model, processor = load_checkpoint(checkpoint)
    checkpoint = checkpoint_location(checkpoint)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copytree(SPACE_FOLDER, folder, dirs_exist_ok=True, ignore=_no_caches)
        for name, source in _package_folders().items():
            shutil.copytree(source, folder / name, ignore=_no_caches)
        if Path(checkpoint).is_dir():
            model.save_pretrained(folder / SPACE_CHECKPOINT)
            processor.save_pretrained(folder / SPACE_CHECKPOINT)
            _copy((RESULTS,), Path(checkpoint), folder / SPACE_CHECKPOINT)
            write_json(folder / SPACE_FILE, {"checkpoint": SPACE_CHECKPOINT})
        else:
            write_json(folder / SPACE_FILE, {"checkpoint": str(checkpoint)})
            text = (folder / "README.md").read_text(encoding="utf-8")
            write_text(folder / "README.md", text.replace("\n---\n", f"\nmodels:\n- {checkpoint}\n---\n", 1))
        card = RepoCard.load(folder / "README.md")
        return push_files(_contents(folder), repo_id, "space", private, None, "Upload of a Gato's Space", card)


def pull(repo_id: str, output: str | os.PathLike, *, kind: str = "model", revision: str | None = None) -> Path:
    """Downloads a repository into a folder. Run again after a failure, it goes on where it stopped.

    Args:
        repo_id: "user/name".
        output: the folder.
        kind: "model", "dataset" or "space".
        revision: a branch, a tag or a commit; "main" by default.

    Raises:
        PublishError: there is no such repository, kind or revision, or the Hub can't be reached.
    """
    from huggingface_hub import snapshot_download

    if kind not in ("model", "dataset", "space"):
        raise PublishError(f"a repository is a model, a dataset or a space, not {kind!r}")

    def download() -> str:
        return snapshot_download(repo_id, repo_type=kind, revision=revision, local_dir=Path(output))

    return Path(patiently(download, repo_id, kind, revision))


def _contents(folder: Path) -> dict[str, Path]:
    """Returns all files of a folder, by their paths in it."""
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}


def _read_results(path: Path) -> dict[str, Any]:
    """Returns what is in a results.json, by its path or its folder."""
    path = path / RESULTS if path.is_dir() else path
    results = read_json(path, ": gato evaluate writes one")
    wanted = ("all", "suites", "tasks", "settings", "versions")
    missing = [key for key in wanted if not isinstance(results, dict) or key not in results]
    if missing:
        raise PublishError(f"{path} is not what gato evaluate writes: it lacks {', '.join(missing)}")
    return results


def _copy(names: tuple[str, ...], source: Path, target: Path) -> None:
    """Copies the files that there are."""
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _package_folders() -> dict[str, Path]:
    """Returns the folders of the three packages, by the names that a Space imports."""
    import modeling_gato
    import tokenization_gato

    packages = {"modeling_gato": modeling_gato, "tokenization_gato": tokenization_gato}
    folders = {name: Path(str(package.__file__)).parent for name, package in packages.items()}
    return folders | {"gato_hub": HUB_FOLDER}


def _no_caches(folder: str, names: list[str]) -> set[str]:
    """Returns the names that a Space does not need: caches, the Space itself, and weights of this package."""
    own: set[str] = set()
    if Path(folder) == HUB_FOLDER:
        own = {"space"}
    elif Path(folder) == HUB_FOLDER / "checkpoints":
        own = {name for name in names if (Path(folder) / name).is_dir()}
    return {name for name in names if name == "__pycache__" or name.endswith(".pyc") or name in own}
