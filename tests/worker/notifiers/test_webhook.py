"""Notices over real HTTP: what arrives, that it can be checked, and that an error shows no address."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from tierwise import errors, plugins
from tierwise.notifiers import webhook
from tierwise.sdk import Notice, Notifier, Notifying, calls


def _open(type_: str, token: str = "", **options: Any) -> Notifier:
    return plugins.installed().open_notifier(type_, Notifying("ops", token, options))


def test_a_chat_gets_one_message_with_its_marks_escaped(hook: Any, notice: Notice) -> None:
    _open("slack", hook.url).notify(notice)
    ((path, _, body),) = hook.taken
    assert path == "/services/T0/s3cret"
    lines = json.loads(body)["text"].split("\n")
    assert lines == ["[!!] *The connection &lt;emea&gt; is paused*", "See to it &amp; enable it.",
                     "<https://console.example.org/>"]  # fmt: skip


def test_a_service_gets_json_that_it_can_check(hook: Any, notice: Notice) -> None:
    _open("webhook", "shared-key", url=hook.url).notify(notice)
    _open("webhook", url=hook.url).notify(notice)
    (_, signed, body), (_, plain, _) = hook.taken
    document = json.loads(body)
    assert (document["event"], document["severity"], document["at"]) == (
        "connection_paused", "critical", "2026-11-02T09:00:00+00:00",
    )  # fmt: skip
    at, _, found = signed[webhook.SIGNATURE].partition(",v1=")
    stamp = at.removeprefix("t=")
    assert found == hmac.new(b"shared-key", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert webhook.SIGNATURE not in plain


def test_what_passes_is_tried_again_and_what_is_refused_is_not(hook: Any, notice: Notice) -> None:
    with calls.unhurried():
        hook.statuses = [503, 429]
        _open("slack", hook.url).notify(notice)
        assert len(hook.taken) == 3
        hook.statuses = [404]
        with pytest.raises(errors.PauseConnection) as caught:
            _open("slack", hook.url).notify(notice)
        assert len(hook.taken) == 4
        hook.statuses = [410]
        with pytest.raises(errors.PauseConnection) as gone:
            _open("slack", hook.url).notify(notice)
    for error in (caught.value, gone.value):
        assert "s3cret" not in str(error), "the address is the secret"


@pytest.mark.parametrize("address", ["http://hooks.example.com/x", "ftp://hooks.example.com/x", "nonsense"])
def test_an_address_that_would_show_it_to_others_is_refused(address: str) -> None:
    with pytest.raises(errors.Misconfigured, match="https") as caught:
        _open("slack", address)
    assert address not in str(caught.value)
    with pytest.raises(errors.Misconfigured, match="https"):
        _open("webhook", url=address)
    with pytest.raises(errors.Misconfigured, match="no token"):
        _open("slack")
