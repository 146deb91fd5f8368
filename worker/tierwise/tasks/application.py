"""The Celery application and its settings.

Measurements behind the settings: each comment names the fault that a setting prevents.
"""

from __future__ import annotations

import celery

from tierwise import ports
from tierwise import settings as configuration
from tierwise.tasks import liveness, process

QUEUES = ports.QUEUES

# A worker imports the tasks when it starts; beat, which sends a tick by its name, never does.
app = celery.Celery("tierwise", set_as_current=True, include=["tierwise.tasks.tick", "tierwise.tasks.work"])
app.steps["consumer"].add(liveness.SignOfLife)


def configure(settings: configuration.Settings, *, broker_url: str) -> celery.Celery:
    """The application for these settings. Called by `tierwise worker` and `tierwise beat` before anything runs."""
    app.conf.update(
        broker_url=broker_url,
        broker_transport_options={
            # With the defaults a half-open connection hangs a worker for ever: no message is processed again.
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            # Finds a dead connection between commands, before a message is popped into it.
            "health_check_interval": 5,
            # A retried BRPOP could pop a second message and lose the first.
            "retry_on_timeout": False,
            # A pump ends within a minute; an hour is never reached by a living worker.
            "visibility_timeout": 3600,
            # Unacknowledged messages of a killed worker come back in half a minute instead of 100 s.
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 3,
            # Other applications may live in the same Redis.
            "global_keyprefix": "tierwise:",
            "client_name": "tierwise",
            "max_connections": 20,
        },
        # A worker that starts before its broker waits for it instead of dying.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A dead pooled connection must not block a sender for ever.
        broker_pool_acquire_timeout=30,
        # No results are read; a result backend grows without end and can wedge beat.
        task_ignore_result=True,
        result_backend=None,
        # A worker killed in a task gives the message back ...
        task_acks_late=True,
        # ... which acks_late alone does not do for a killed pool child: it acknowledges and loses it.
        task_reject_on_worker_lost=True,
        # Failure is recorded in the database, which decides about retries; Celery must not redeliver.
        task_acks_on_failure=True,
        task_acks_on_timeout=True,
        # A waiting pump must not hoard other connections' wake-ups.
        worker_prefetch_multiplier=1,
        # Bounds slow memory growth of long-lived children (prefork only).
        worker_max_tasks_per_child=200,
        worker_max_memory_per_child=500_000,
        # On SIGQUIT running pumps get this long to drain before they are cancelled.
        worker_soft_shutdown_timeout=20,
        worker_enable_soft_shutdown_on_idle=False,
        # Fenced pumps may finish while the broker is away.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # A child that hangs in native code is killed (prefork only; the pump's own limit is 60 s).
        task_time_limit=120,
        task_soft_time_limit=90,
        # Nothing but JSON is ever unpickled.
        task_serializer="json",
        accept_content=["json"],
        # Our structlog configuration stays in force.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # Nobody listens to events; they cost a publish per task.
        worker_send_task_events=False,
        # Gossip and mingle are off on the command line: they hold pub/sub connections for features unused here.
        worker_enable_remote_control=False,
        task_default_queue="maint",
        task_create_missing_queues=True,
        # A beat that lost its clock's hour still looks every few seconds.
        beat_max_loop_interval=max(1.0, settings.tick_seconds),
        beat_scheduler="tierwise.tasks.schedule:TickScheduler",
        beat_schedule={
            "tick": {
                "task": "tierwise.tick",
                "schedule": settings.tick_seconds,
                # Ticks that pile up while nobody consumes are worthless.
                "options": {"queue": "maint", "expires": max(10.0, settings.tick_seconds * 3)},
            }
        },
        timezone="UTC",
        enable_utc=True,
    )
    process.current.configure(settings, broker_url)
    return app
