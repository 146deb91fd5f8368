"""Token buckets: one budget for each account, shared by all workers through Redis (the door to redis).

Never unbounded: with Redis away a worker goes on alone at a quarter of the rate, and counts that it does.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from opentelemetry import metrics

from tierwise import errors

_LOG = logging.getLogger(__name__)
_FALLBACKS = metrics.get_meter(__name__).create_counter(
    "tierwise.limiter.fallbacks", description="Tokens taken from the local bucket because Redis was away"
)

ALONE = 4  # with Redis away each worker takes this part of the rate: right for four workers, timid for fewer
_SOCKET_TIMEOUT = 1.0  # seconds
_TRY_AGAIN = 5.0  # seconds without asking Redis after it failed
_JITTER = 0.02  # seconds: waiters of one bucket do not all come back at the same moment

# KEYS: bucket · ARGV: rate, burst. Returns seconds to wait as text ("0" = a token was taken).
# The server's clock: workers on several machines need not agree on the time.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'until')
local blocked = tonumber(held[3]) or 0
if now < blocked then return tostring(blocked - now) end
local tokens, at = tonumber(held[1]) or burst, tonumber(held[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = (1 - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst / rate + 60) * 1000))
return string.format('%.6f', wait)
"""
# KEYS: bucket · ARGV: seconds. A longer block stands; the bucket is empty when the block ends.
_BLOCK = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local blocked = tonumber(redis.call('HGET', KEYS[1], 'until')) or 0
local wanted = now + tonumber(ARGV[1])
if wanted <= blocked then return 0 end
local text = string.format('%.6f', wanted)
redis.call('HSET', KEYS[1], 'tokens', '0', 'at', text, 'until', text)
redis.call('PEXPIRE', KEYS[1], math.ceil((tonumber(ARGV[1]) + 3600) * 1000))
return 1
"""


class LocalLimiter:
    """Buckets of this process alone: for commands without a broker, for tests, and while Redis is away."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        """Bucket -> tokens, and the moment they were counted at (ahead of now while blocked)."""

    def acquire(self, bucket: str, *, rate: float, burst: float, timeout: float = 30.0) -> None:
        """One token, or RetryLater after `timeout` seconds."""
        _wait(
            lambda: self.take(bucket, rate=rate, burst=burst),
            bucket,
            timeout=timeout,
            clock=self._clock,
            sleep=self._sleep,
        )

    def take(self, bucket: str, *, rate: float, burst: float) -> float:
        """Seconds until there may be a token; 0.0 when one was taken."""
        _check(bucket, rate=rate, burst=burst)
        with self._lock:
            now = self._clock()
            tokens, at = self._buckets.get(bucket, (burst, now))
            if now < at:
                return at - now
            tokens = min(burst, tokens + (now - at) * rate)
            taken = tokens >= 1
            self._buckets[bucket] = (tokens - 1 if taken else tokens, now)
            return 0.0 if taken else (1 - tokens) / rate

    def block(self, bucket: str, *, seconds: float) -> None:
        """No token for that long; then the bucket is empty."""
        with self._lock:
            until = self._clock() + seconds
            if until > self._buckets.get(bucket, (0.0, 0.0))[1]:
                self._buckets[bucket] = (0.0, until)


class RedisLimiter:
    """Buckets that all workers share. Safe to use from several threads."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "tierwise:limit:",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`url` as for Celery: redis://, rediss://, unix:// or redis+socket://. Misconfigured for any other."""
        import redis  # here and below: a tenth of what a command that needs none would take to start
        from redis import backoff, retry

        self._redis = redis.Redis.from_url(
            client_url(url),
            socket_timeout=_SOCKET_TIMEOUT,
            socket_connect_timeout=_SOCKET_TIMEOUT,
            # Once more at once: a server that was restarted leaves dead connections in the pool. Not after a
            # timeout: a server that hangs would hold up each call twice.
            retry=retry.Retry(backoff.NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        self._take = self._redis.register_script(_TAKE)
        self._block = self._redis.register_script(_BLOCK)
        self._prefix = prefix
        self._clock = clock
        self._sleep = sleep
        self._local = LocalLimiter(clock=clock, sleep=sleep)
        self._lock = threading.Lock()
        self._away_until: float | None = None
        self._fallbacks = 0

    @property
    def fallbacks(self) -> int:
        """How often a token was asked of the local bucket because Redis was away."""
        return self._fallbacks

    def acquire(self, bucket: str, *, rate: float, burst: float, timeout: float = 30.0) -> None:
        """One token, or RetryLater after `timeout` seconds."""
        _check(bucket, rate=rate, burst=burst)
        _wait(
            lambda: self._ask(bucket, rate=rate, burst=burst),
            bucket,
            timeout=timeout,
            clock=self._clock,
            sleep=self._sleep,
        )

    def block(self, bucket: str, *, seconds: float) -> None:
        """No token for anybody for that long; kept here too, should Redis go away meanwhile."""
        self._local.block(bucket, seconds=seconds)
        self._call(self._block, bucket, [repr(float(seconds))])

    def close(self) -> None:
        """Release sockets."""
        self._redis.close()

    def _ask(self, bucket: str, *, rate: float, burst: float) -> float:
        answer = self._call(self._take, bucket, [repr(float(rate)), repr(float(burst))])
        if answer is not None:
            return float(answer)
        with self._lock:
            self._fallbacks += 1
        _FALLBACKS.add(1, {"bucket": bucket})
        return self._local.take(bucket, rate=rate / ALONE, burst=max(1.0, burst / ALONE))

    def _call(self, script: Any, bucket: str, arguments: list[str]) -> Any:
        """What the script returns; None while Redis is away."""
        import redis

        with self._lock:
            if self._away_until is not None and self._clock() < self._away_until:
                return None
        try:
            answer = script(keys=[self._prefix + bucket], args=arguments)
        except redis.RedisError as error:
            with self._lock:
                news = self._away_until is None
                self._away_until = self._clock() + _TRY_AGAIN
            if news:
                _LOG.warning("redis is away (%s): calls go on at 1/%d of their rate", type(error).__name__, ALONE)
            return None
        with self._lock:
            back = self._away_until is not None
            self._away_until = None
        if back:
            _LOG.warning("redis is back: workers share their budgets again")
        return answer


def reachable(url: str) -> bool:
    """Whether the server answers a PING within a second."""
    import redis

    client = redis.Redis.from_url(
        client_url(url), socket_timeout=_SOCKET_TIMEOUT, socket_connect_timeout=_SOCKET_TIMEOUT
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def client_url(url: str) -> str:
    """A broker's address as Celery spells it -> as redis-py does. Misconfigured for what is no Redis."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme in {"redis", "rediss", "unix"}:
        return url
    if parts.scheme == "redis+socket":
        number = urllib.parse.parse_qs(parts.query).get("virtual_host", ["0"])[0].strip("/")
        return f"unix://{parts.path}?db={number or 0}"
    raise errors.Misconfigured(
        f"{parts.scheme or 'no scheme'} is no address of a Redis or Valkey server",
        place="broker_url",
        remedy="use redis://HOST:6379/0, rediss:// or redis+socket:///PATH",
    )


def _check(bucket: str, *, rate: float, burst: float) -> None:
    if rate <= 0 or burst < 1:
        raise errors.Misconfigured(
            f"a rate of {rate:g} a second and a burst of {burst:g} let nothing through",
            place=f"limit {bucket}",
            remedy="a rate above 0 and a burst of at least 1",
        )


def _wait(
    take: Callable[[], float],
    bucket: str,
    *,
    timeout: float,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
) -> None:
    deadline = clock() + timeout
    while wait := take():
        left = deadline - clock()
        if wait > left:
            told = errors.RetryLater("the account's budget of calls is used up for now", after=wait, place=bucket)
            told.fault = "rate_limited"
            raise told
        sleep(min(left, wait + random.uniform(0.0, _JITTER)))  # noqa: S311
