"""One task's run: the table of what an error's family means for it, and wake-ups sent to others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import celery
import kombu.exceptions

from tierwise import telemetry, wiring
from tierwise.errors import LeaseLost, Misconfigured, PauseConnection, RetryLater, TierwiseError
from tierwise.tasks import liveness, process

T = TypeVar("T")
log = telemetry.log(__name__)


def send(task: celery.Task, *args: str, queue: str, expires: float = 60.0) -> None:
    """A wake-up, void after `expires` seconds. It may be lost: a later tick finds the same work again."""
    try:
        task.apply_async(args=args, queue=queue, expires=expires, retry=False)
    except kombu.exceptions.OperationalError as error:
        log.warning("wake-up not sent: the broker is away", error=type(error).__name__)


def run(name: str, connection: str | None, work: Callable[[wiring.Wiring], T]) -> T | None:
    """Run one task's work and turn an error's family into what happens next. Nothing leaves but a log line."""
    with telemetry.bind(task=name, connection=connection, trace=telemetry.new_trace()):
        try:
            parts = process.current.get()
            liveness.during_task()
            return work(parts)
        except LeaseLost as error:
            log.info("lease lost", error=str(error))
        except RetryLater as error:
            log.warning("will be tried again", fault=error.fault, error=str(error))
        except PauseConnection as error:
            log.error("the connection rests until a person acts", fault=error.fault, error=str(error))
            if connection is not None:
                _pause(connection, error)
        except Misconfigured as error:
            # No call was made, so nothing is gained by resting: the next poll finds the setting mended.
            log.error("a setting or policy is wrong", fault=error.fault, error=str(error))
        except TierwiseError as error:
            log.error("task failed", fault=error.fault, error=str(error))
        except Exception:
            # The one place that catches everything: a bug in one task must not end the worker's loop.
            log.exception("task failed unexpectedly")
        return None


def _pause(connection: str, why: PauseConnection) -> None:
    try:
        process.current.get().pause(connection, why)
    except TierwiseError as error:
        log.error("could not pause the connection", error=str(error))
