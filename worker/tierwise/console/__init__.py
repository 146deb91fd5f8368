"""What Tierwise shows over HTTP: whether it is alive and ready, its metrics, and one page of status.

It reads and never writes. No page shows a lead: there is no sign-in yet, so only counts and states are here.
"""

from __future__ import annotations

from tierwise.console.app import create_app, serve

__all__ = ["create_app", "serve"]
