"""What an installation is told: environment before `tierwise.toml` before defaults, with the origin of each value.

Read by the people's side only (cli, console, tasks, wiring); everything below gets plain values. What sales ops
change (rules, prompts, switches) is policy and lives elsewhere. Secrets never appear in errors or in `origins`.
"""

from __future__ import annotations

from tierwise.settings.editing import add_connection, render_example
from tierwise.settings.model import ConnectionSettings, EnricherSettings, ModelSettings, Settings
from tierwise.settings.names import token_variable
from tierwise.settings.reading import load
from tierwise.settings.shown import Origin, origins

__all__ = [
    "ConnectionSettings",
    "EnricherSettings",
    "ModelSettings",
    "Origin",
    "Settings",
    "add_connection",
    "load",
    "origins",
    "render_example",
    "token_variable",
]
