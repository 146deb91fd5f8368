"""Celery: one tick, thin tasks, and the table of what an error means for Celery.

Messages are wake-ups. They carry a connection's name at most, may be lost or doubled, and everything they would
have caused is found again in the database by the next tick.
"""

from tierwise.tasks.application import QUEUES, app, configure
from tierwise.tasks.serving import run_beat, run_worker

__all__ = ["QUEUES", "app", "configure", "run_beat", "run_worker"]
