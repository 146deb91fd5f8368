"""Telling people: `notify` is the one function that anybody calls; the rest goes by itself."""

from __future__ import annotations

import contextlib
import random
from datetime import timedelta

from tierwise import plugins, telemetry
from tierwise.errors import Misconfigured, PauseConnection, TierwiseError
from tierwise.pipeline import notify as telling
from tierwise.sdk import Notice, Notifier, Notifying
from tierwise.wiring.accounts import Accounts

QUIET = timedelta(hours=1)
"""The same matter, as severe as before, is told no more often."""
log = telemetry.log(__name__)


class Notices(Accounts):
    """Parts that tell people."""

    def notify(self, notice: Notice) -> int:
        """Have every notifier that wants such events tell it; how many will. Raises nothing: the work goes on."""
        wanting = [
            name
            for name, settings in self.settings.notifiers.items()
            if not settings.events or notice.event in settings.events
        ]
        if not wanting:
            return 0
        try:
            return self.store.notifications.put(wanting, notice, quiet=QUIET, now=self.clock())
        except TierwiseError as error:
            log.error("a notice is lost", event_kind=notice.event, error=str(error))
            return 0

    def tell(self) -> telling.Told:
        """Send the notices that are due."""
        return telling.deliver(
            self.store.notifications, self.notifier, clock=self.clock, random=random.random, pace=telling.Pace()
        )

    def notifier(self, name: str) -> Notifier:
        """One of the settings, open. Misconfigured where there is none of that name any more."""
        settings = self.settings.notifiers.get(name)
        if settings is None:
            raise Misconfigured(f"there is no notifier '{name}' in the settings", remedy=f"add [notifiers.{name}]")
        notifying = Notifying(name, settings.secret(name), settings.options)
        return plugins.installed().open_notifier(settings.type, notifying)

    def pause(self, name: str, error: PauseConnection) -> None:
        """No call to this account until a person acts, who is told first: a crash between the two loses nothing."""
        remedy = f"tierwise connections enable {name}"
        self.notify(
            Notice(
                f"connection_paused:{name}", "critical", f"The connection {name} is paused",
                f"{error}\nNothing is lost: leads wait. See to it, then: {remedy}", self.clock(),
                event="connection_paused",
            )
        )  # fmt: skip
        self.store.connections.pause(name, f"{error}; then: {remedy}", now=self.clock())

    def resumed(self, name: str) -> None:
        """A person has seen to a paused connection."""
        title = f"The connection {name} works again"
        notice = Notice(
            f"connection_paused:{name}", "resolved", title, "Somebody has enabled it.", self.clock(),
            event="connection_paused",
        )  # fmt: skip
        with contextlib.suppress(TierwiseError):
            self.notify(notice)

    def quarantined(self, number: int) -> None:
        """Leads could not be decided and wait for a person."""
        self.notify(
            Notice(
                "work_quarantined", "warning", f"{number} leads could not be decided",
                "They were tried several times and wait in the queue: tierwise review list --kind schema",
                self.clock(), event="work_quarantined",
            )
        )  # fmt: skip

    def write_refused(self, name: str, number: int) -> None:
        """The CRM refused records."""
        self.notify(
            Notice(
                f"write_refused:{name}", "warning", f"{name} refuses {number} records",
                "Why stands with each: tierwise review list --kind write_failed. Once it is mended they go out again "
                f"by: tierwise connections enable {name}", self.clock(), event="write_refused",
            )
        )  # fmt: skip
