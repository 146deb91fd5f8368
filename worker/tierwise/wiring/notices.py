"""Telling people: what happens is stored with what is told of it, and goes out from there by itself."""

from __future__ import annotations

import random

from tierwise import plugins
from tierwise.errors import Misconfigured, PauseConnection
from tierwise.pipeline import notify as telling
from tierwise.sdk import Notifier, Notifying
from tierwise.wiring.accounts import Accounts


class Notices(Accounts):
    """Parts that tell people."""

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
        """No call to this account until a person acts, who is told."""
        remedy = f"tierwise connections enable {name}"
        self.store.connections.pause(name, f"{error}; then: {remedy}", now=self.clock())
