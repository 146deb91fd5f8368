from __future__ import annotations

import contextlib
import email.utils
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from opentelemetry import trace
from requests import adapters
from urllib3.util import retry

from tierwise import errors
from tierwise.sdk import breaker, calls, http, testing

URL = "https://api.example.test/things"
TOKEN = "pat-eu1-very-secret-token"


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Bench:
    """A session with everything around it visible."""

    def __init__(self, *, idempotent: bool = True, failures: int = 1000, **options: Any) -> None:
        self.time = Time()
        self.limiter = testing.FreeLimiter()
        self.breaker = breaker.Breaker(failures=failures, rest=30.0, clock=self.time.clock)
        self.session = http.Session(
            "connections.emea",
            limiter=self.limiter,
            route=lambda method, url: http.Route(f"crm {method}", "crm:emea", 10.0, 20.0, idempotent),
            secrets=(TOKEN,),
            breaker=self.breaker,
            clock=self.time.clock,
            sleep=self.time.sleep,
            **{"jitter": lambda low, high: high, **options},
        )

    def send(self, method: str = "POST", url: str = URL) -> requests.Response:
        return self.session.request(method, url, headers={"Authorization": f"Bearer {TOKEN}"}, json={"a": 1})


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Bench:
            made = Bench(**options)
            stack.enter_context(made.session)
            return made

        yield make


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def _answers(web: responses.RequestsMock, *statuses: int, method: str = "POST", **options: Any) -> None:
    for status in statuses:
        web.add(method, URL, status=status, json={}, **options)


# -- what a status means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "family", "attempts"),
    [
        (301, errors.Misconfigured, 1),
        (400, http.HttpRefused, 1),
        (401, errors.PauseConnection, 1),
        (403, errors.PauseConnection, 1),
        (404, http.HttpRefused, 1),
        (409, http.HttpRefused, 1),
        (418, http.HttpRefused, 1),
        (423, errors.RetryLater, 4),
        (429, errors.RetryLater, 4),
        (477, errors.RetryLater, 4),
        (500, errors.RetryLater, 4),
        (502, errors.RetryLater, 4),
        (599, errors.RetryLater, 4),
    ],
)
def test_every_status_has_its_family_and_number_of_attempts(
    bench: Callable[..., Bench], web: responses.RequestsMock, status: int, family: type[Exception], attempts: int
) -> None:
    _answers(web, *[status] * 6)
    with pytest.raises(family) as caught:
        bench().send()
    assert type(caught.value) is family
    assert len(web.calls) == attempts
    assert f"HTTP {status}" in str(caught.value)
    assert str(caught.value).startswith("connections.emea: crm POST")


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_a_429_is_retried_whatever_the_method(
    bench: Callable[..., Bench], web: responses.RequestsMock, method: str
) -> None:
    _answers(web, 429, 429, 200, method=method)
    assert bench().send(method).status_code == 200
    assert len(web.calls) == 3


def test_the_retry_that_clients_recommend_does_not_do_that(web: responses.RequestsMock) -> None:
    """Why this module exists: urllib3's Retry as READMEs show it leaves POST and PATCH out, silently."""
    _answers(web, 429, 200)
    with requests.Session() as plain:
        plain.mount("https://", adapters.HTTPAdapter(max_retries=retry.Retry(total=5, status_forcelist=(429,))))
        assert plain.post(URL, timeout=1).status_code == 429


def test_a_connector_may_know_better_than_the_table(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    def judge(refusal: http.Refusal) -> http.Verdict | None:
        if refusal.category == "REQUEST_LIMIT_EXCEEDED":
            return http.Verdict(errors.RetryLater, "has no calls left", after=900.0)
        return None

    web.post(URL, status=403, json=[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}])
    made = bench(judge=judge)
    with pytest.raises(errors.RetryLater) as caught:
        made.send()
    assert caught.value.after == 900.0
    assert made.limiter.blocked == [("crm:emea", 900.0)]


def test_a_refusal_is_handed_over_for_the_caller_to_judge(
    bench: Callable[..., Bench], web: responses.RequestsMock
) -> None:
    body = {"category": "CONFLICT", "message": "Contact jane@acme.com exists", "context": {"id": ["17"]}}
    web.post(URL, status=409, json=body)
    with pytest.raises(http.HttpRefused) as caught:
        bench().send()
    assert (caught.value.status, caught.value.category) == (409, "CONFLICT")
    assert caught.value.document == body
    assert "[e-mail] exists" in str(caught.value)


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_backoff_is_jittered_over_its_whole_range(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    _answers(web, *[503] * 8)
    ranges: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        ranges.append((low, high))
        return low

    made = bench(jitter=jitter, attempts=8, patience=1000)
    with pytest.raises(errors.RetryLater):
        made.send()
    assert [low for low, _ in ranges] == [0.0] * len(ranges)
    assert [high for _, high in ranges][:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0]


def test_retry_after_is_honoured_and_told_to_all_workers(
    bench: Callable[..., Bench], web: responses.RequestsMock
) -> None:
    _answers(web, 429, headers={"Retry-After": "7"})
    _answers(web, 200)
    made = bench()
    made.send()
    assert made.limiter.blocked == [("crm:emea", 7.0)]
    assert made.time.slept == [7.0]


def test_retry_after_may_be_a_date(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    _answers(web, 503, headers={"Retry-After": email.utils.formatdate(time.time() + 9, usegmt=True)})
    _answers(web, 200)
    made = bench()
    made.send()
    assert made.time.slept == [pytest.approx(9, abs=2)]


@pytest.mark.parametrize("header", ["999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wrong_date_does_not_stop_an_account_for_ever(
    bench: Callable[..., Bench], web: responses.RequestsMock, header: str
) -> None:
    _answers(web, 503, headers={"Retry-After": header})
    made = bench()
    with pytest.raises(errors.RetryLater) as caught:
        made.send()
    assert caught.value.after == 86_400.0
    assert made.limiter.blocked == [("crm:emea", 86_400.0)]


@pytest.mark.parametrize("header", ["soon", "-3", "", "Wed, 99 Nov 2026 99:00:00 GMT"])
def test_an_unreadable_retry_after_is_ignored(
    bench: Callable[..., Bench], web: responses.RequestsMock, header: str
) -> None:
    _answers(web, 429, headers={"Retry-After": header})
    _answers(web, 200)
    made = bench()
    made.send()
    assert made.time.slept == [0.5]


def test_a_wait_beyond_patience_is_left_to_the_caller(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    _answers(web, 429, headers={"Retry-After": "3600"})
    made = bench(patience=60.0)
    with pytest.raises(errors.RetryLater) as caught:
        made.send()
    assert caught.value.after == 3600.0
    assert made.time.slept == []
    assert made.limiter.blocked == [("crm:emea", 3600.0)]


def test_every_attempt_takes_a_token(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    _answers(web, 500, 500, 200)
    made = bench()
    made.send()
    assert made.limiter.taken == ["crm:emea"] * 3


def test_without_a_token_nothing_is_sent(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    made = bench()

    class Empty(testing.FreeLimiter):
        def acquire(self, bucket: str, *, rate: float, burst: float, timeout: float = 30.0) -> None:
            raise errors.RetryLater("used up", after=3.0)

    with (
        http.Session("a", limiter=Empty(), route=lambda m, u: http.Route("x", "b", 1, 1)) as session,
        pytest.raises(errors.RetryLater, match="used up"),
    ):
        session.get(URL)
    assert len(web.calls) == 0
    assert made.time.slept == []


# -- sent twice or not -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "attempts"), [(500, 1), (503, 1), (423, 1), (429, 4)])
def test_what_must_not_be_sent_twice_is_not_unless_it_surely_had_no_effect(
    bench: Callable[..., Bench], web: responses.RequestsMock, status: int, attempts: int
) -> None:
    _answers(web, *[status] * 6)
    with pytest.raises(errors.RetryLater):
        bench(idempotent=False).send()
    assert len(web.calls) == attempts


@contextlib.contextmanager
def _listening(handle: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """A server that does with each connection what `handle` does; counts connections."""
    accepted: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    peer, _ = server.accept()
                    accepted.append(1)
                    with peer:
                        handle(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", accepted
        stop.set()
        thread.join()


def test_a_dropped_connection_is_tried_again_only_where_that_is_safe(bench: Callable[..., Bench]) -> None:
    with _listening(lambda peer: peer.recv(65536) and None) as (url, accepted):
        with pytest.raises(errors.Unreachable):
            bench(idempotent=False).send(url=url)
        assert len(accepted) == 1
        with pytest.raises(errors.Unreachable):
            bench(idempotent=True).send(url=url)
        assert len(accepted) == 5


def test_a_closed_port_is_unreachable_with_a_remedy(bench: Callable[..., Bench]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    made = bench(idempotent=False)
    with pytest.raises(errors.Unreachable, match="cannot be reached") as caught:
        made.send(url=url)
    assert "network" in caught.value.remedy
    assert len(made.limiter.taken) == 4, "nothing was sent, so even this is tried again"


def test_silence_ends_after_the_read_timeout(bench: Callable[..., Bench]) -> None:
    done = threading.Event()
    with _listening(lambda peer: done.wait(10) and None) as (url, _):
        started = time.monotonic()
        with pytest.raises(errors.RetryLater, match=r"no answer from 127.0.0.1:\d+ within 0.2 s"):
            bench(read_timeout=0.2, attempts=1).send(url=url)
        assert time.monotonic() - started < 5
        done.set()


def test_an_answer_cut_in_half_is_tried_again(bench: Callable[..., Bench]) -> None:
    def half(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')

    with _listening(half) as (url, accepted):
        with pytest.raises(errors.RetryLater):
            bench().send(url=url)
        assert len(accepted) == 4


# -- breaker ---------------------------------------------------------------------------------------------------------


def test_an_account_that_only_fails_is_left_in_peace(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    _answers(web, *[500] * 50)
    made = bench(failures=6)
    for _ in range(5):
        with pytest.raises(errors.RetryLater):
            made.send()
    assert len(web.calls) == 6
    made.time.now += 31
    web.replace("POST", URL, status=200, json={})
    web.reset()
    _answers(web, 200)
    assert made.send().status_code == 200


@pytest.mark.parametrize("status", [400, 401, 409, 429])
def test_an_answer_that_blames_us_does_not_open_it(
    bench: Callable[..., Bench], web: responses.RequestsMock, status: int
) -> None:
    _answers(web, *[status] * 40)
    made = bench(failures=2)
    for _ in range(4):
        with pytest.raises(errors.TierwiseError):
            made.send()
    assert not made.breaker.is_open


# -- what must not leak ----------------------------------------------------------------------------------------------


def _whole(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_neither_token_nor_person_is_in_an_error(
    bench: Callable[..., Bench], web: responses.RequestsMock, status: int
) -> None:
    quoted = f"Bearer {TOKEN} of jane.doe@acme.com, +49 170 1234567 is bad"
    for _ in range(4):
        web.post(URL, status=status, json={"message": quoted, "category": TOKEN})
    with pytest.raises(errors.TierwiseError) as caught:
        bench().send()
    text = _whole(caught.value)
    assert not [part for part in (TOKEN, "jane.doe", "1234567") if part in text]


def test_neither_is_in_the_traceback_of_a_broken_connection(bench: Callable[..., Bench]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/?email=jane.doe%40acme.com&key={TOKEN}"
    with pytest.raises(errors.Unreachable) as caught:
        bench().send(url=url)
    text = _whole(caught.value)
    assert not [part for part in (TOKEN, "jane.doe") if part in text]


def test_a_token_that_cannot_be_sent_is_not_shown(bench: Callable[..., Bench]) -> None:
    made = bench()
    for token in ("secret\nline", "secret\u2026cut"):
        with pytest.raises(errors.Misconfigured) as caught:
            made.session.get("http://127.0.0.1:1/", headers={"Authorization": f"Bearer {token}"})
        assert "secret" not in _whole(caught.value)


@pytest.mark.parametrize("url", ["api.example.test/x", "ftp://api.example.test/x", "http://[::1/x"])
def test_an_address_with_a_typo_is_misconfigured(bench: Callable[..., Bench], url: str) -> None:
    with pytest.raises(errors.Misconfigured):
        bench().send(url=url)


def test_a_redirect_is_not_followed_with_the_token(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    web.post(URL, status=302, headers={"Location": "https://elsewhere.example.test/"})
    elsewhere = web.get("https://elsewhere.example.test/", json={})
    with pytest.raises(errors.Misconfigured, match="redirect"):
        bench().send()
    assert elsewhere.call_count == 0


def test_netrc_does_not_replace_the_token(
    bench: Callable[..., Bench], web: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example.test login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    _answers(web, 200)
    bench().send()
    assert web.calls[0].request.headers["Authorization"] == f"Bearer {TOKEN}"
    with requests.Session() as plain:  # what would happen otherwise
        _answers(web, 200)
        plain.post(URL, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=1)
    assert web.calls[1].request.headers["Authorization"].startswith("Basic")


def test_no_cookie_is_kept(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    _answers(web, 200, 200, headers={"Set-Cookie": "session=1; Path=/"})
    made = bench()
    made.send()
    made.send()
    assert "Cookie" not in web.calls[1].request.headers


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", '{"results": [', ""])
def test_an_answer_that_is_no_json_is_worth_another_try(
    bench: Callable[..., Bench], web: responses.RequestsMock, body: str
) -> None:
    web.post(URL, status=200, body=body)
    with pytest.raises(errors.RetryLater, match="not JSON"):
        http.document(bench().send())


# -- one pool, many threads ------------------------------------------------------------------------------------------


class _Counting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        type(self).connections += 1
        super().setup()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


def test_connections_are_kept_and_threads_get_their_own_answers(bench: Callable[..., Bench]) -> None:
    handler = type("Handler", (_Counting,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        made = bench()
        url = f"http://127.0.0.1:{server.server_port}"
        for number in range(10):
            assert made.send(url=f"{url}/{number}").text == f"/{number}"
        assert handler.connections == 1, "one connection for all calls of a thread"
        wrong: list[str] = []

        def work(worker: int) -> None:
            for number in range(20):
                path = f"/{worker}-{number}"
                if made.send(url=url + path).text != path:
                    wrong.append(path)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert handler.connections <= 9
        made.session.close()
        server.shutdown()
        serving.join()


# -- spans -----------------------------------------------------------------------------------------------------------


class _Tracer(trace.Tracer):
    """Remembers what the spans were given."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        raise NotImplementedError

    @contextlib.contextmanager  # type: ignore[override]  # as the API's own decorator does, which is not typed
    def start_as_current_span(self, name: str, **options: Any) -> Iterator[trace.Span]:
        noted: dict[str, Any] = {"name": name, **options, "attributes": dict(options["attributes"])}
        self.spans.append(noted)

        class Span(trace.NonRecordingSpan):
            def set_attribute(self, key: str, value: Any) -> None:
                noted["attributes"][key] = value

            def set_status(self, status: Any, description: str | None = None) -> None:
                noted["status"] = (status, description)

        yield Span(trace.INVALID_SPAN_CONTEXT)


def test_each_attempt_is_a_span_without_address_or_headers(
    bench: Callable[..., Bench], web: responses.RequestsMock
) -> None:
    tracer = _Tracer()
    url = f"{URL}?email=jane%40acme.com"
    for status in (500, 200):
        web.post(URL, status=status, json={})
    bench(tracer=tracer).send(url=url)
    assert [span["name"] for span in tracer.spans] == ["crm POST", "crm POST"]
    assert [span["attributes"]["http.response.status_code"] for span in tracer.spans] == [500, 200]
    assert [span["attributes"]["http.request.resend_count"] for span in tracer.spans] == [0, 1]
    assert tracer.spans[0]["status"][0] is trace.StatusCode.ERROR
    text = repr(tracer.spans)
    assert not [part for part in (TOKEN, "jane", "Bearer") if part in text]
    assert all(span["record_exception"] is False for span in tracer.spans)


def test_statuses_is_one_table(bench: Callable[..., Bench]) -> None:
    families: Sequence[type] = [http.verdict(status).family for status in range(300, 600)]
    assert set(families) == {errors.Misconfigured, http.HttpRefused, errors.PauseConnection, errors.RetryLater}
    assert all(http.verdict(status) == found for status, found in http.STATUSES.items())
    assert not [found for found in http.STATUSES.values() if not found.sentence]


def test_a_token_that_is_made_later_is_concealed_too(bench: Callable[..., Bench], web: responses.RequestsMock) -> None:
    """A login's answer is a secret that nobody knew when the session was made; of many only the last are kept."""
    made = bench()
    later = [f"00D!AQ-session-{number}" for number in range(20)]
    for token in later:
        made.session.conceal(token)
        made.session.conceal(token)
    web.add("POST", URL, status=400, json={"message": f"about {TOKEN}, {later[-1]} and {later[-2]}"})
    with pytest.raises(http.HttpRefused) as caught:
        made.send()
    assert not [token for token in (TOKEN, *later[-2:]) if token in _whole(caught.value)]
    assert len(made.session._secrets) == 1 + 8


@pytest.fixture
def told() -> Iterator[list[tuple[str, str, str]]]:
    heard: list[tuple[str, str, str]] = []

    def listener(call: calls.Call) -> None:
        heard.append((call.account, call.operation, call.outcome))

    calls.listen(listener)
    yield heard
    calls._listeners.remove(listener)


def test_every_attempt_is_told_with_how_it_ended(
    bench: Callable[..., Bench], web: responses.RequestsMock, told: list[tuple[str, str, str]]
) -> None:
    _answers(web, 200, 503, 429, 200)
    session = bench()
    session.send()
    session.send()
    assert [outcome for *_, outcome in told] == ["ok", "unavailable", "rate_limited", "retried"]
    assert {(account, operation) for account, operation, _ in told} == {("connections.emea", "crm POST")}


def test_silence_a_closed_port_and_half_an_answer_are_told_apart(
    bench: Callable[..., Bench], told: list[tuple[str, str, str]]
) -> None:
    def half(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        connection.close()

    def stalls(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        connection.close()

    with _listening(half) as (url, _), pytest.raises(errors.RetryLater) as caught:
        bench(attempts=1).send(url=url)
    assert caught.value.fault == "bad_answer"
    with _listening(stalls) as (url, _), pytest.raises(errors.RetryLater, match="stopped coming") as caught:
        bench(attempts=1, read_timeout=0.1).send(url=url)
    assert caught.value.fault == "timeout"
    with _listening(half) as (url, _):
        closed = url
    with pytest.raises(errors.Unreachable) as unreachable:
        bench(attempts=1).send(url=closed)
    assert unreachable.value.fault == "unreachable"
    assert [outcome for *_, outcome in told] == ["bad_answer", "timeout", "unreachable"]
