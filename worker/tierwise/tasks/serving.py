"""The loops of `tierwise worker` and `tierwise beat`."""

from __future__ import annotations

import logging
import os

from tierwise.tasks import application


def run_worker(*, queues: tuple[str, ...] = application.QUEUES, concurrency: int, pool: str) -> None:
    """Serve the queues until SIGTERM (finish what runs) or SIGQUIT (drain for 20 s, then leave)."""
    logging.captureWarnings(True)
    application.app.worker_main(
        [
            "--quiet", "worker", f"--pool={pool}", f"--concurrency={concurrency}", f"--queues={','.join(queues)}",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO",
            f"--hostname=tierwise-{os.getpid()}@%h",
        ]
    )  # fmt: skip


def run_beat() -> None:
    """Send a tick every few seconds until SIGTERM."""
    logging.captureWarnings(True)
    application.app.Beat(loglevel="INFO", quiet=True).run()
