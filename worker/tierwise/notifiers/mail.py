"""Notices by mail, through any SMTP server. A login is never sent in the clear."""

from __future__ import annotations

import contextlib
import email.message
import email.utils
import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from typing import Literal

import pydantic

from tierwise import errors
from tierwise.sdk import Notice, Notifying


class Settings(pydantic.BaseModel):
    """Options of a mail notifier. Its token is the password."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    host: str = pydantic.Field(min_length=1, description="The mail server.")
    port: int = pydantic.Field(587, ge=1, le=65535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = pydantic.Field(
        "starttls", description="starttls (587), tls (465), or none for a relay on this machine."
    )
    sender: str = pydantic.Field(pattern=r"^[^@\s]+@[^@\s]+$", description="From.")
    to: list[str] = pydantic.Field(min_length=1, description="Who gets the mails.")
    username: str = pydantic.Field("", description="Login, where the server wants one.")
    timeout_seconds: float = pydantic.Field(15, gt=0, le=60, description="Longest wait for each answer.")

    @pydantic.model_validator(mode="after")
    def _no_login_in_the_clear(self) -> Settings:
        if self.username and self.security == "none":
            raise ValueError("username: a login is sent with starttls or tls only")
        return self


class Mail:
    """One list of people."""

    def __init__(self, notifying: Notifying) -> None:
        self._settings = Settings.model_validate(dict(notifying.options))
        self._password = notifying.token
        self._place = f"notifiers.{notifying.name}"

    def notify(self, notice: Notice) -> None:
        """One mail to all. Unreachable, RetryLater, PauseConnection (login), RejectRecord (all refused)."""
        settings = self._settings
        message = email.message.EmailMessage()
        message["Subject"] = f"[Tierwise] {' '.join(notice.title.split())}"
        message["From"], message["To"] = settings.sender, ", ".join(settings.to)
        message["Date"] = email.utils.format_datetime(notice.at)
        # The same notice has the same id, so that a repeat is one mail to whoever looks at ids.
        mark = hashlib.sha256(f"{notice.key} {notice.at.isoformat()}".encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{mark}@{settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n\n".join(filter(None, [notice.text, notice.link])) + "\n")
        with self._families(), self._server() as server:
            server.send_message(message)

    def close(self) -> None:
        """Nothing is held open between mails."""

    @contextlib.contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        settings, context = self._settings, ssl.create_default_context()
        if settings.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_seconds, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
        with server:
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.username:
                server.login(settings.username, self._password)
            yield server

    @contextlib.contextmanager
    def _families(self) -> Iterator[None]:
        """What the server says may repeat addresses: its number is enough."""
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            raise errors.PauseConnection(
                f"the mail server refuses the login ({error.smtp_code})", place=self._place,
                remedy="correct username and token (the password)",
            ) from None  # fmt: skip
        except smtplib.SMTPRecipientsRefused:
            raise errors.RejectRecord(
                "the mail server refuses every recipient", place=self._place, remedy="correct `to`"
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise errors.Misconfigured(
                "the mail server offers no STARTTLS or no login", place=self._place, remedy="correct `security`"
            ) from None
        except smtplib.SMTPResponseException as error:
            raise errors.RetryLater(f"the mail server answers {error.smtp_code}", place=self._place) from None
        except (smtplib.SMTPException, OSError) as error:
            raise errors.Unreachable(
                f"the mail server cannot be reached ({type(error).__name__})", place=self._place,
                remedy="check host, port and security",
            ) from None  # fmt: skip
