# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Calls to the Hub that fail."""

import errno

import pytest
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

from gato_hub.sharing import transfer
from gato_hub.sharing.transfer import PublishError, patiently

TransportError = type("TransportError", (HfHubHTTPError.__bases__[0],), {"__module__": "httpx"})


@pytest.fixture
def waits(monkeypatch):
    seconds = []
    monkeypatch.setattr(transfer.time, "sleep", seconds.append)
    return seconds


def fails(*errors):
    """A call that raises each error in turn, and then returns its value."""
    waiting = list(errors)

    def call():
        if waiting:
            raise waiting.pop(0)
        return "value"

    return call


def test_a_connection_that_breaks_off_is_tried_again(waits):
    assert patiently(fails(TransportError("gone"), TransportError("gone")), "ada/x", "model", None) == "value"
    assert waits == [0.0, 1.0, 2.0]


def test_after_some_tries_it_is_told(waits):
    with pytest.raises(PublishError, match=r"broke off again and again for the model ada/x: run the command again"):
        patiently(fails(*[TransportError("gone")] * 9), "ada/x", "model", None)
    assert len(waits) == 4


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LocalTokenNotFoundError("none"), "the Hub wants a token to write model ada/x"),
        (OSError(errno.ENOSPC, "No space left on device"), "the model ada/x: .*No space left"),
        (RuntimeError("the upload failed"), "the model ada/x: the upload failed"),
        (HFValidationError("'a b' is no name"), "'a b' is no name"),
    ],
)
def test_other_failures_are_told_at_once(waits, error, message):
    with pytest.raises(PublishError, match=message):
        patiently(fails(error), "ada/x", "model", None)
    assert waits == [0.0]


@pytest.mark.parametrize("error", [TypeError("a bug"), KeyError("a bug"), ValueError("a bug")])
def test_a_bug_keeps_its_traceback(waits, error):
    with pytest.raises(type(error), match="a bug") as raised:
        patiently(fails(error), "ada/x", "model", None)
    assert raised.value is error
