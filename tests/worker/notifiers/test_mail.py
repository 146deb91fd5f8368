"""Notices to a mail server that speaks SMTP: what arrives, and how its refusals look."""

from __future__ import annotations

import email
import email.policy
import socket
from typing import Any

import pytest

from tierwise import errors, plugins
from tierwise.sdk import Notice, Notifier, Notifying


def _open(server: Any, token: str = "", **options: Any) -> Notifier:
    given = {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "tierwise@firm.example",
             "to": ["ops@firm.example", "lead@firm.example"], "timeout_seconds": 2, **options}  # fmt: skip
    return plugins.installed().open_notifier("email", Notifying("ops", token, given))


def test_one_mail_to_all_and_a_repeat_is_known_by_its_id(mail_server: Any, notice: Notice) -> None:
    notifier = _open(mail_server)
    notifier.notify(notice)
    notifier.notify(notice)
    first, second = (email.message_from_string(text, policy=email.policy.default) for _, text in mail_server.mails)
    assert mail_server.mails[0][0] == ["ops@firm.example", "lead@firm.example"]
    assert first["Subject"] == "[Tierwise] The connection <emea> is paused"
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_content().replace("\r\n", "\n") == "See to it & enable it.\n\nhttps://console.example.org/\n"


def test_a_title_cannot_add_headers(mail_server: Any, notice: Notice) -> None:
    _open(mail_server).notify(notice._replace(title="a\r\nBcc: everybody@firm.example"))
    ((_, text),) = mail_server.mails
    found = email.message_from_string(text, policy=email.policy.default)
    assert (found["Bcc"], found["Subject"]) == (None, "[Tierwise] a Bcc: everybody@firm.example")


@pytest.mark.parametrize(
    ("verb", "answer", "family"),
    [
        ("RCPT", "550 no such lead@firm.example", errors.RejectRecord),
        ("MAIL", "451 later", errors.RetryLater),
        ("DATA", "554 spam from tierwise@firm.example", errors.RetryLater),
    ],
)
def test_a_refusal_has_its_family_and_shows_no_address(
    mail_server: Any, notice: Notice, verb: str, answer: str, family: type[errors.TierwiseError]
) -> None:
    mail_server.refuse = {verb: answer}
    with pytest.raises(family) as caught:
        _open(mail_server).notify(notice)
    assert "@firm.example" not in str(caught.value)
    assert mail_server.mails == []


def test_a_server_that_is_not_there_or_cannot_keep_a_secret(mail_server: Any, notice: Notice) -> None:
    with pytest.raises(errors.Misconfigured, match="STARTTLS"):
        _open(mail_server, security="starttls").notify(notice)
    with pytest.raises(errors.Misconfigured, match="username"):
        _open(mail_server, "pw", username="me")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(errors.Unreachable):
        _open(mail_server, port=port).notify(notice)
