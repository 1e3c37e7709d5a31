# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The transfer of files to the Hub: one commit for each push.

A call that fails because the Hub is overloaded is repeated. Every other failure is explained in words.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from ..system.errors import GatoError

if TYPE_CHECKING:
    from huggingface_hub import RepoCard

Value = TypeVar("Value")

# Statuses of a Hub that is overloaded or restarting.
TRANSIENT = (429, 500, 502, 503, 504)
SECONDS_BEFORE_TRIES = (0.0, 1.0, 2.0, 4.0)


class PublishError(GatoError):
    """Something can't be pushed or pulled: the message says why, and what helps."""


def push_files(
    files: dict[str, Path],
    repo_id: str,
    kind: str,
    private: bool | None,
    revision: str | None,
    message: str,
    card: RepoCard,
) -> str:
    """Pushes files and a card in one commit.

    Args:
        files: the files, by their paths in the repository.
        repo_id: "user/name"; the repository is made if it is not there.
        kind: "model", "dataset" or "space".
        private: who sees the repository, if it is made; None for the account's default.
        revision: a branch, made if it is not there; None for "main".
        message: the title of the commit.
        card: the repository's `README.md`.

    Returns:
        The URL of the commit.

    Raises:
        PublishError: the Hub refuses the card or the files, or can't be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi()
    sdk = "gradio" if kind == "space" else None

    def create() -> None:
        api.create_repo(repo_id, repo_type=kind, private=private, exist_ok=True, space_sdk=sdk)
        if revision is not None:
            api.create_branch(repo_id, repo_type=kind, branch=revision, exist_ok=True)

    def upload() -> str:
        pieces: dict[str, Path | bytes] = {**files, "README.md": str(card).encode()}
        additions = [CommitOperationAdd(path, piece) for path, piece in pieces.items()]
        commit = api.create_commit(repo_id, additions, commit_message=message, repo_type=kind, revision=revision)
        return str(commit.commit_url)

    def validate() -> None:
        try:
            card.validate(repo_type=kind)
        except ValueError as error:
            raise PublishError(f"the Hub does not accept the card: {error}") from error

    patiently(validate, repo_id, kind, revision)
    patiently(create, repo_id, kind, revision)
    return patiently(upload, repo_id, kind, revision)


def patiently(call: Callable[[], Value], repo_id: str, kind: str, revision: str | None) -> Value:
    """Returns the value of a call to the Hub, which is repeated while the Hub is out of order.

    Args:
        call: a function that can be called again.
        repo_id, kind, revision: what the call is about, for the message of an error.

    Raises:
        PublishError: the Hub refuses, or is out of order for too long; the message says what helps.
    """
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    # Releases of huggingface_hub use different HTTP libraries; its own error derives from the library's.
    handled: tuple[type[Exception], ...] = (
        cast(type[Exception], HfHubHTTPError.__bases__[0]),
        EntryNotFoundError,
        OSError,
        RuntimeError,
    )
    for seconds in SECONDS_BEFORE_TRIES:
        time.sleep(seconds)
        try:
            return call()
        except HFValidationError as error:
            raise PublishError(str(error)) from error
        except handled as error:
            failure = error
            # A RuntimeError is that of an upload, which huggingface_hub has tried again and again already.
            if isinstance(error, RuntimeError) or not _is_transient(error):
                break
    raise PublishError(_explained(failure, repo_id, kind, revision)) from failure


def _chain(error: BaseException | None) -> list[BaseException]:
    """Returns an error and those that it came from."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _status(error: BaseException) -> int | None:
    """Returns the HTTP status that the Hub answered, None where it did not answer."""
    for one in _chain(error):
        status = getattr(getattr(one, "response", None), "status_code", None)
        if status is not None:
            return int(status)
    return None


def _is_transient(error: BaseException) -> bool:
    """Whether the same call may work a little later."""
    status = _status(error)
    if status is not None:
        return status in TRANSIENT
    return any(type(one).__module__.partition(".")[0].startswith("httpx") for one in _chain(error))


def _explained(error: Exception, repo_id: str, kind: str, revision: str | None) -> str:
    """Returns what the Hub said, and what helps."""
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
