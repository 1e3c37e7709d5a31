# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""To the Hub and back: `gato push`, `push-dataset`, `push-space` and `pull`.

What is pushed is checked before, goes up in one commit, and loads where this package is not installed. A push that
broke off is run again: large files that the Hub has are not sent twice.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..checkpoints.loading import checkpoint_location, load_checkpoint
from ..system.artifacts import RESULT_FILES, RESULTS, TRAINING_FILES
from ..system.files import read_json, write_json, write_text
from .dataset_card import FOLDER_IN_EXAMPLE
from .model_card import model_card

Value = TypeVar("Value")

HUB_FOLDER = Path(__file__).parents[1]
SPACE_FOLDER = HUB_FOLDER / "space"
SPACE_CHECKPOINT = "checkpoint"
SPACE_FILE = "space.json"
# The Hub answers these, and others break off, when it has too much to do.
TRANSIENT = (429, 500, 502, 503, 504)
SECONDS_BEFORE_TRIES = (0.0, 1.0, 2.0, 4.0)


class PublishError(ValueError):
    """What keeps something from being pushed or pulled, and what helps."""


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
        checkpoint: a folder, as `save_pretrained`, `gato train` or `gato quickstart` leave it; or one that ships.
        repo_id: "user/name"; it is made if it is not there.
        private: of a repository that is made; what the account says by default.
        revision: a branch, made if it is not there; "main" by default.
        results: `results.json` of `gato evaluate`, or its folder, whose pictures go along.
        license: an identifier of the Hub.
        max_shard_size: larger models are cut into several files.
        to_folder: write there what would be pushed, and push nothing.

    Returns:
        The URL of the commit, or the folder.

    Raises:
        PublishError: the checkpoint can't be loaded, the results are none, or the Hub refuses.
    """
    model, processor = load_checkpoint(checkpoint)
    checkpoint = checkpoint_location(checkpoint)
    read = _read_results(Path(results)) if results is not None else None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model.save_pretrained(folder, max_shard_size=max_shard_size)
        processor.save_pretrained(folder)
        _copy(TRAINING_FILES, Path(checkpoint), folder)
        if read is not None:
            _copy(RESULT_FILES, Path(results) if Path(results).is_dir() else Path(results).parent, folder)
            write_json(folder / RESULTS, read)
        elif (Path(checkpoint) / RESULTS).exists():
            read = _read_results(Path(checkpoint))
            _copy(RESULT_FILES, Path(checkpoint), folder)
        card = model_card(repo_id, model, processor, folder, read, license)
        if to_folder is not None:
            card.save(folder / "README.md")
            shutil.copytree(folder, to_folder, dirs_exist_ok=True)
            return str(to_folder)
        return _push(_contents(folder), repo_id, "model", private, revision, message, card)


def push_dataset(
    folder: str | os.PathLike, repo_id: str, *, private: bool | None = None, revision: str | None = None
) -> str:
    """Pushes a folder of `gato collect`, or any of parquet files of our schema with a `README.md`; see there."""
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
    return _push(contents, repo_id, "dataset", private, revision, "Upload of episodes", card)


def push_space(repo_id: str, checkpoint: str | os.PathLike, *, private: bool | None = None) -> str:
    """Pushes a Space, which shows a checkpoint to anyone with a browser, together with the packages that it needs.

    Args:
        checkpoint: a folder or one that ships, which go along, or a name on the Hub, which the Space loads.
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
        return _push(_contents(folder), repo_id, "space", private, None, "Upload of a Gato's Space", card)


def pull(repo_id: str, output: str | os.PathLike, *, kind: str = "model", revision: str | None = None) -> Path:
    """Downloads a repository into a folder; run again, it goes on where it stopped."""
    from huggingface_hub import snapshot_download

    def download() -> str:
        return snapshot_download(repo_id, repo_type=kind, revision=revision, local_dir=output)

    return Path(_patiently(download, repo_id, kind, revision))


def _contents(folder: Path) -> dict[str, Path]:
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}


def _push(
    contents: dict[str, Path],
    repo_id: str,
    kind: str,
    private: bool | None,
    revision: str | None,
    message: str,
    card: Any,
) -> str:
    """Pushes files, by their paths in the repository, and a card, in one commit."""
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi()
    sdk = {"space_sdk": "gradio"} if kind == "space" else {}

    def create() -> None:
        api.create_repo(repo_id, repo_type=kind, private=private, exist_ok=True, **sdk)
        if revision is not None:
            api.create_branch(repo_id, repo_type=kind, branch=revision, exist_ok=True)

    def upload() -> str:
        pieces = {**contents, "README.md": str(card).encode()}
        additions = [CommitOperationAdd(path, piece) for path, piece in pieces.items()]
        commit = api.create_commit(repo_id, additions, commit_message=message, repo_type=kind, revision=revision)
        return commit.commit_url

    try:
        _patiently(lambda: card.validate(repo_type=kind), repo_id, kind, revision)
    except ValueError as error:
        if isinstance(error, PublishError):
            raise
        raise PublishError(f"the Hub does not accept the card: {error}") from error
    _patiently(create, repo_id, kind, revision)
    return str(_patiently(upload, repo_id, kind, revision))


def _patiently(call: Callable[[], Value], repo_id: str, kind: str, revision: str | None) -> Value:
    """The value of a call that can be repeated, which is, while the Hub is out of order.

    Raises:
        PublishError: saying what the Hub said, and what helps.
    """
    for seconds in SECONDS_BEFORE_TRIES:
        time.sleep(seconds)
        try:
            return call()
        except ValueError:  # of a card or a name
            raise
        except Exception as error:
            failure = error
            # A RuntimeError is that of an upload, which huggingface_hub has tried again and again already.
            if isinstance(error, RuntimeError) or not _is_transient(error):
                break
    raise PublishError(_explained(failure, repo_id, kind, revision)) from failure


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _status(error: BaseException) -> int | None:
    for one in _chain(error):
        status = getattr(getattr(one, "response", None), "status_code", None)
        if status is not None:
            return int(status)
    return None


def _is_transient(error: BaseException) -> bool:
    status = _status(error)
    if status is not None:
        return status in TRANSIENT
    return any(type(one).__module__.partition(".")[0].startswith("httpx") for one in _chain(error))


def _explained(error: Exception, repo_id: str, kind: str, revision: str | None) -> str:
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    status = _status(error)
    if isinstance(error, RevisionNotFoundError):
        return f"the {kind} {repo_id} has no revision {revision or 'main'!r}"
    if isinstance(error, EntryNotFoundError):
        return f"the {kind} {repo_id} lacks a file: {error}"
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"there is no {kind} {repo_id} on the Hub, or it is private and the token does not open it: "
            "see hf auth login, or set HF_TOKEN"
        )
    if status == 401 or type(error).__name__ == "LocalTokenNotFoundError":
        return f"the Hub wants a token to write {kind} {repo_id}: hf auth login, or set HF_TOKEN"
    if status == 403:
        return f"the token may not write to the {kind} {repo_id}: is the name right, and is the token one to write?"
    if status in TRANSIENT:
        return f"the Hub answered {status} again and again for the {kind} {repo_id}: try later, nothing sent is lost"
    if _is_transient(error):
        return (
            f"the connection to the Hub broke off again and again for the {kind} {repo_id}: run the command again, "
            f"what the Hub has is not sent twice ({_chain(error)[-1]})"
        )
    return f"the {kind} {repo_id}: {error}"


def _read_results(path: Path) -> dict[str, Any]:
    path = path / RESULTS if path.is_dir() else path
    try:
        results = read_json(path, ": gato evaluate writes one")
    except ValueError as error:
        raise PublishError(str(error)) from error
    wanted = ("all", "suites", "tasks", "settings", "versions")
    missing = [key for key in wanted if not isinstance(results, dict) or key not in results]
    if missing:
        raise PublishError(f"{path} is not what gato evaluate writes: it lacks {', '.join(missing)}")
    return results


def _copy(names: tuple[str, ...], source: Path, target: Path) -> None:
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _package_folders() -> dict[str, Path]:
    """The three packages, by the name that a Space imports them by."""
    import modeling_gato
    import tokenization_gato

    packages = {"modeling_gato": modeling_gato, "tokenization_gato": tokenization_gato}
    folders = {name: Path(package.__file__).parent for name, package in packages.items()}
    return folders | {"gato_hub": HUB_FOLDER}


def _no_caches(folder: str, names: list[str]) -> set[str]:
    """Neither caches nor what a Space does not need of this package."""
    own: set[str] = set()
    if Path(folder) == HUB_FOLDER:
        own = {"space"}
    elif Path(folder) == HUB_FOLDER / "checkpoints":
        own = {name for name in names if (Path(folder) / name).is_dir()}  # weights that ship
    return {name for name in names if name == "__pycache__" or name.endswith(".pyc") or name in own}
