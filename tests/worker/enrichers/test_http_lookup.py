"""A service over real HTTP: what it is shown, what is believed of its answer, and how its faults look."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tierwise import errors, plugins
from tierwise.sdk import Enricher, Enriching, testing

ANSWER = {"firm": {"size": "51-200", "sector": "Financial Services", "seats": [{"land": "Germany"}]}, "odd": {"a": 1}}


class Service(http.server.ThreadingHTTPServer):
    """Answers as a test says, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, answer = self.server.answers.pop(0) if self.server.answers else (200, ANSWER)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


FIELDS = {"employee_count": "firm.size", "industry": "firm.sector", "country": "firm.seats.0.land"}


def _open(url: str, *, token: str = "s3cret-token", **options: Any) -> Enricher:
    given = {"url": url, "fields": FIELDS, **options}
    return plugins.installed().open_enricher("http", Enriching("firms", token, given, testing.FreeLimiter(), 2.0))


def test_it_asks_with_the_fields_that_are_named_and_reads_by_the_map(service: Service) -> None:
    lookup = _open(service.url + "/firms/{company}?site={company_domain}")
    assert (lookup.reads, set(lookup.gives)) == (("company", "company_domain"), set(FIELDS))
    found = lookup.enrich({"company": "Acme & Söhne/Co", "company_domain": "acme.de"})
    assert found == {"employee_count": 126, "industry": "financial_services", "country": "DE"}
    ((method, path, headers, _),) = service.asked
    assert (method, path) == ("GET", "/firms/Acme%20%26%20S%C3%B6hne%2FCo?site=acme.de")
    assert headers["Authorization"] == "Bearer s3cret-token"
    lookup.close()


def test_a_post_sends_the_named_fields_and_a_key_under_its_own_header(service: Service) -> None:
    lookup = _open(service.url, method="POST", send=["company_domain"], header="X-Api-Key", scheme="")
    lookup.enrich({"company_domain": "acme.de"})
    ((method, _, headers, body),) = service.asked
    assert (method, body, headers["X-Api-Key"]) == ("POST", {"company_domain": "acme.de"}, "s3cret-token")
    lookup.close()


@pytest.mark.parametrize(
    "answer", [(404, {}), (204, b""), (200, b""), (200, {"firm": None}), (200, []), (200, {"firm": {"size": "?"}})]
)
def test_a_service_that_knows_nothing(service: Service, answer: Any) -> None:
    service.answers = [answer]
    lookup = _open(service.url + "/{company}")
    assert lookup.enrich({"company": "Acme"}) == {}
    lookup.close()


@pytest.mark.parametrize(
    ("answers", "family"),
    [
        ([(401, {"message": "token s3cret-token is wrong"})], errors.PauseConnection),
        ([(500, {})] * 2, errors.RetryLater),
        ([(200, b"<html>")], errors.RetryLater),
        ([(422, {"message": "jane@acme.com"})], errors.RejectRecord),
    ],
)
def test_its_faults_are_of_our_families_and_tell_no_secret(service: Service, answers: Any, family: type) -> None:
    service.answers = list(answers)
    lookup = _open(service.url + "/{company}")
    with pytest.raises(family) as caught:
        lookup.enrich({"company": "Acme"})
    assert "s3cret" not in str(caught.value)
    assert "jane" not in str(caught.value)
    lookup.close()


def test_a_dropped_answer_is_asked_for_once_more(service: Service) -> None:
    service.answers = [(503, {}), (200, ANSWER)]
    lookup = _open(service.url + "/{company}")
    assert lookup.enrich({"company": "Acme"})["employee_count"] == 126
    lookup.close()


def test_a_rule_may_say_how_a_value_is_read(service: Service) -> None:
    rule = {"from": ["firm.none", "firm.size"], "take": "high"}
    lookup = _open(service.url + "/{company}", fields={"employee_count": rule})
    assert lookup.enrich({"company": "Acme"}) == {"employee_count": 200}
    lookup.close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"url": "ftp://x/{company}"}, "must be an address"),
        ({"url": "https://me:secret@x/{company}"}, "must not hold a login"),
        ({"url": "https://x/{compny}"}, "compny"),
        ({"url": "https://x/{company!r}"}, "company"),
        ({"url": "https://x/{company"}, "brace"),
        ({"url": "https://{company}/"}, "must be an address"),
        ({"url": "https://x/"}, "names no lead field"),
        ({"send": ["company"]}, "a GET has no body"),
        ({"method": "POST", "send": ["nothing"]}, "is not a lead field"),
        ({"fields": {"no_such_field": "a"}}, "no_such_field"),
        ({"fields": {"email_kind": "a"}}, "derived"),
        ({"fields": {}}, "fields"),
    ],
)
def test_what_cannot_work_is_refused_when_it_opens(options: dict[str, Any], told: str) -> None:
    with pytest.raises(errors.Misconfigured) as caught:
        _open(**{"url": "https://x/{company}", **options})
    assert told in caught.value.message
    assert caught.value.place.startswith("enrichers.firms")
