"""What Tierwise does not do, to compare with: one Celery task per lead, prefork, a synchronous model call each."""

from __future__ import annotations

import functools
import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import celery
import load
import redis

app = celery.Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1)


@app.task(name="bench.decide")
def decide(number: int) -> None:
    """Ask the model about one lead and count it."""
    import litellm

    litellm.suppress_debug_info = True
    litellm.completion(model=os.environ["BENCH_MODEL"], timeout=30, **_asked().call(number))
    redis.Redis.from_url(os.environ["BENCH_REDIS"]).incr("bench:done")


@functools.cache
def _asked() -> load.Asked:
    return load.Asked()
