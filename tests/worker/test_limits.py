from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
import redis
from hypothesis import given
from tierwise_fixtures import valkey

from tierwise import embedded, errors, limits


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


# -- alone -----------------------------------------------------------------------------------------------------------


@given(
    rate=st.floats(0.5, 50),
    burst=st.floats(1, 30),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=120),
)
def test_no_stretch_of_time_ever_has_more_than_burst_and_rate_allow(
    rate: float, burst: float, gaps: list[float]
) -> None:
    now = Time()
    limiter = limits.LocalLimiter(clock=now.clock, sleep=now.sleep)
    taken: list[float] = []
    for gap in gaps:
        now.sleep(gap)
        if limiter.take("b", rate=rate, burst=burst) == 0.0:
            taken.append(now.now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + rate * (taken[last] - taken[first]) + 1e-6


@given(rate=st.floats(0.5, 50), burst=st.floats(1, 10))
def test_the_wait_that_is_named_is_enough(rate: float, burst: float) -> None:
    now = Time()
    limiter = limits.LocalLimiter(clock=now.clock, sleep=now.sleep)
    while (wait := limiter.take("b", rate=rate, burst=burst)) == 0.0:
        pass
    now.sleep(wait + 1e-6)
    assert limiter.take("b", rate=rate, burst=burst) == 0.0


def test_acquire_waits_for_its_token_and_gives_up_at_the_timeout() -> None:
    now = Time()
    limiter = limits.LocalLimiter(clock=now.clock, sleep=now.sleep)
    for _ in range(21):
        limiter.acquire("b", rate=10, burst=1)
    assert now.now - 1000 == pytest.approx(2.0, abs=20 * 0.02 + 0.01)
    with pytest.raises(errors.RetryLater) as caught:
        limiter.acquire("b", rate=0.1, burst=1, timeout=5)
    assert caught.value.after == pytest.approx(10, abs=0.5)
    assert caught.value.place == "b"


def test_a_block_holds_everybody_and_a_shorter_one_does_not_shorten_it() -> None:
    now = Time()
    limiter = limits.LocalLimiter(clock=now.clock, sleep=now.sleep)
    limiter.block("b", seconds=60)
    limiter.block("b", seconds=5)
    assert limiter.take("b", rate=10, burst=10) == pytest.approx(60)
    now.sleep(60)
    assert limiter.take("b", rate=10, burst=10) == pytest.approx(0.1), "no burst right after the block"
    assert limiter.take("other", rate=10, burst=10) == 0.0


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0.5)])
def test_a_budget_that_lets_nothing_through_is_said_to_be_wrong(rate: float, burst: float) -> None:
    with pytest.raises(errors.Misconfigured):
        limits.LocalLimiter().acquire("b", rate=rate, burst=burst)


# -- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broker", "client"),
    [
        ("redis://host:6379/2", "redis://host:6379/2"),
        ("rediss://:pw@host/0", "rediss://:pw@host/0"),
        ("unix:///run/valkey.sock?db=1", "unix:///run/valkey.sock?db=1"),
        ("redis+socket:///run/valkey.sock", "unix:///run/valkey.sock?db=0"),
        ("redis+socket:///run/a%20b.sock?virtual_host=3", "unix:///run/a%20b.sock?db=3"),
    ],
)
def test_brokers_are_spelt_as_celery_does(broker: str, client: str) -> None:
    assert limits.client_url(broker) == client


@pytest.mark.parametrize("broker", ["amqp://guest:pa55@host//", "host:6379", ""])
def test_what_is_no_redis_is_misconfigured_without_its_password(broker: str) -> None:
    with pytest.raises(errors.Misconfigured, match="broker_url") as caught:
        limits.RedisLimiter(broker)
    assert "pa55" not in str(caught.value)


# -- shared, on a real server ----------------------------------------------------------------------------------------


@pytest.fixture
def shared(valkey_url: str) -> Iterator[Callable[[], limits.RedisLimiter]]:
    """Limiters of as many workers as a test wants, on buckets of its own."""
    prefix = f"test:{uuid.uuid4().hex}:"
    made: list[limits.RedisLimiter] = []

    def make() -> limits.RedisLimiter:
        made.append(limits.RedisLimiter(valkey_url, prefix=prefix))
        return made[-1]

    yield make
    for limiter in made:
        limiter.close()


def test_workers_share_one_budget(shared: Callable[[], limits.RedisLimiter]) -> None:
    rate, burst, workers = 200.0, 10.0, 4
    taken: list[float] = []
    limiters = [shared() for _ in range(workers)]
    for limiter in limiters:
        limiter.acquire("other", rate=rate, burst=burst)  # it is connected now

    def work(limiter: limits.RedisLimiter) -> None:
        while (left := deadline - time.monotonic()) > 0:
            try:
                limiter.acquire("b", rate=rate, burst=burst, timeout=left)
            except errors.RetryLater:
                return
            taken.append(time.monotonic())

    started = time.monotonic()
    deadline = started + 0.4
    threads = [threading.Thread(target=work, args=(limiter,)) for limiter in limiters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - started
    assert len(taken) <= burst + rate * elapsed + 1
    assert len(taken) > burst, "and the budget is not held back either"


def test_a_bucket_fills_up_to_its_burst_and_no_further(shared: Callable[[], limits.RedisLimiter]) -> None:
    first, second = shared(), shared()
    for limiter in (first, second, first):
        limiter.acquire("b", rate=0.01, burst=3, timeout=0)
    with pytest.raises(errors.RetryLater) as caught:
        second.acquire("b", rate=0.01, burst=3, timeout=0)
    assert caught.value.after == pytest.approx(100, abs=5)
    second.acquire("other", rate=0.01, burst=1, timeout=0)


def test_an_idle_bucket_does_not_save_up(shared: Callable[[], limits.RedisLimiter]) -> None:
    limiter = shared()
    for _ in range(2):
        limiter.acquire("b", rate=1e9, burst=3, timeout=0)  # at this rate microseconds are a long idle time
    for _ in range(2):
        limiter.acquire("b", rate=0.001, burst=3, timeout=0)
    with pytest.raises(errors.RetryLater):
        limiter.acquire("b", rate=0.001, burst=3, timeout=0)


def test_a_block_reaches_every_worker(shared: Callable[[], limits.RedisLimiter]) -> None:
    first, second = shared(), shared()
    first.block("b", seconds=60)
    second.block("b", seconds=1)
    with pytest.raises(errors.RetryLater) as caught:
        second.acquire("b", rate=100, burst=100, timeout=0.01)
    assert caught.value.after == pytest.approx(60, abs=2)


def test_a_short_block_ends_and_leaves_no_burst(shared: Callable[[], limits.RedisLimiter]) -> None:
    limiter = shared()
    started = time.monotonic()
    limiter.block("b", seconds=0.1)
    for _ in range(3):
        limiter.acquire("b", rate=50, burst=50, timeout=5)
    assert time.monotonic() - started >= 0.1 + 2 / 50


def test_buckets_do_not_stay_for_ever(shared: Callable[[], limits.RedisLimiter], redis_url: str) -> None:
    limiter = shared()
    limiter.acquire("b", rate=10, burst=10)
    limiter.block("c", seconds=5)
    with redis.Redis.from_url(redis_url) as client:
        lifetimes = [client.ttl(key) for key in client.scan_iter("test:*")]
    assert len(lifetimes) == 2
    assert all(0 < lifetime <= 3700 for lifetime in lifetimes)


def test_the_clock_is_the_servers(valkey_url: str) -> None:
    """A worker whose own clock runs wild gets no more than the others."""
    wild = Time()
    limiter = limits.RedisLimiter(valkey_url, prefix=f"test:{uuid.uuid4().hex}:", clock=wild.clock, sleep=wild.sleep)
    limiter.acquire("b", rate=0.001, burst=1, timeout=0)
    wild.now += 1e6
    with pytest.raises(errors.RetryLater):
        limiter.acquire("b", rate=0.001, burst=1, timeout=0)
    limiter.close()


def test_reachable_says_whether_a_server_answers(valkey_url: str, tmp_path: Path) -> None:
    assert limits.reachable(valkey_url) is True
    assert limits.reachable(f"redis+socket://{tmp_path / 'nothing.sock'}") is False


# -- with the server away --------------------------------------------------------------------------------------------


@pytest.fixture
def away() -> Iterator[tuple[limits.RedisLimiter, Time]]:
    now = Time()
    limiter = limits.RedisLimiter("unix:///nonexistent/valkey.sock", clock=now.clock, sleep=now.sleep)
    yield limiter, now
    limiter.close()


def test_without_redis_a_worker_goes_on_at_a_quarter(
    away: tuple[limits.RedisLimiter, Time], caplog: pytest.LogCaptureFixture
) -> None:
    limiter, now = away
    taken = 0
    while now.now < 1100.0:
        limiter.acquire("b", rate=8, burst=4, timeout=1000)
        taken += 1
    assert taken == pytest.approx(8 / 4 * 100, rel=0.1)
    assert limiter.fallbacks >= taken
    told = [record.getMessage() for record in caplog.records if "redis is away" in record.getMessage()]
    assert len(told) == 1, "said once, not for each call"


def test_a_block_holds_without_redis_too(away: tuple[limits.RedisLimiter, Time]) -> None:
    limiter, _ = away
    limiter.block("b", seconds=60)
    with pytest.raises(errors.RetryLater) as caught:
        limiter.acquire("b", rate=8, burst=4, timeout=1)
    assert caught.value.after == pytest.approx(60)


def test_redis_is_asked_again_and_taken_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = Time()
    with embedded.Valkey(tmp_path / "valkey", binary=valkey._binary()) as server:
        limiter = limits.RedisLimiter(server.url, clock=now.clock, sleep=now.sleep)
        with embedded.Supervisor([server.child()]):
            limiter.acquire("b", rate=100, burst=40)
            assert limiter.fallbacks == 0
        for expected in (1, 2):
            limiter.acquire("b", rate=100, burst=40)
            assert limiter.fallbacks == expected
        with embedded.Supervisor([server.child()]):
            limiter.acquire("b", rate=100, burst=40)
            assert limiter.fallbacks == 3, "not asked again at once"
            now.sleep(6)
            limiter.acquire("b", rate=100, burst=40)
            assert limiter.fallbacks == 3
    assert [record.getMessage().split(" (")[0].split(":")[0] for record in caplog.records][-2:] == [
        "redis is away",
        "redis is back",
    ]
    limiter.close()


def test_a_server_that_hangs_holds_up_one_call_for_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "hung.sock"
    now = Time()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        limiter = limits.RedisLimiter(f"redis+socket://{path}", clock=now.clock, sleep=now.sleep)
        started = time.monotonic()
        for _ in range(20):
            limiter.acquire("b", rate=1000, burst=100)
        assert time.monotonic() - started < 3
        assert limiter.fallbacks == 20
        limiter.close()
