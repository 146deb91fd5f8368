"""What a run on one machine brings with it: a bundled Valkey, and the keeping alive of child processes.

Production names its own broker and its own process manager and needs nothing of this package. It knows
nothing of leads, settings or Celery: it gets paths and argument lists, and gives back addresses and process ids.
"""

from __future__ import annotations

from tierwise.embedded.supervisor import Child, Restart, Supervisor
from tierwise.embedded.valkey import Valkey, locate

__all__ = ["Child", "Restart", "Supervisor", "Valkey", "locate"]
