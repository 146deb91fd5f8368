"""What of a lead leaves the house, looked for in every byte that a provider's server is sent."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tierwise import policies
from tierwise.domain.decision import Judged
from tierwise.domain.lead import CATALOGUE, Lead
from tierwise.domain.policy import Runnable
from tierwise.llm.cascade import Cascade
from tierwise.llm.loop import LoopThread

LEAD = Lead(
    email="zdenka.quillfeather@brightgate-osmium.example",
    email_kind="business",
    phone="+4930209645001",
    first_name="Zdenka",
    last_name="Quillfeather",
    job_title="Head of Logistics (Zdenka Quillfeather)",
    company="Brightgate Osmium",
    company_key="brightgate osmium",
    company_domain="brightgate-osmium.example",
    employee_count=24077,
    industry="osmium_refining",
    annual_revenue=98_765_432.0,
    monthly_volume=31_313.0,
    country="DE",
    owner="owner-8675309",
    message="ZDENKA here from our yard, Hauptstraße 12a, 10827 Berlin. The budget was approved by Quillfeather.\n"
    "We ship by hand, printing labels one by one, and start this month. My colleague is Tobias Reinhold.\n"
    "Best regards,\nZdenka Quillfeather\nzdenka.quillfeather@brightgate-osmium.example, 030 2096 45001,\n"
    "https://www.linkedin.com/in/zdenka-quillfeather",
)
OWN = ("zdenka", "quillfeather", "2096", "45001", "reinhold", "hauptstra", "10827", "linkedin.com/in/")
UNNAMED = ("brightgate", "osmium", "24077", "98765432", "31313", "8675309", "business")


class _Relay(ThreadingHTTPServer):
    """Hands requests on to the model-shaped server and keeps what they said."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Hand)
        self.target = target
        self.seen: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Hand(BaseHTTPRequestHandler):
    server: _Relay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(f"{self.path}\n{self.headers}\n".encode() + body)
        headers = {"Content-Type": "application/json", "Authorization": self.headers.get("Authorization", "")}
        headers |= {name: value for name in ("x-api-key", "anthropic-version") if (value := self.headers.get(name))}
        request = urllib.request.Request(self.server.target + self.path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test reads what was kept."""


@pytest.fixture
def relay(sandbox: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[_Relay]:
    made = _Relay(sandbox().model_url)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("OPENAI_API_BASE", f"{made.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    monkeypatch.setenv("ANTHROPIC_API_BASE", made.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-two")
    yield made
    made.shutdown()
    thread.join(10)
    made.server_close()


def _judged(runnable: Runnable) -> Judged:
    async def main() -> Judged:
        cascade = Cascade(primary="openai/gpt-6-luna", secondary="anthropic/claude-haiku-4-5", samples=1)
        try:
            return await cascade.judge(runnable, LEAD)
        finally:
            await cascade.close()

    loop = LoopThread()
    try:
        return loop.submit(main()).result(60)
    finally:
        loop.stop()


def test_no_request_holds_who_the_lead_is_or_a_field_that_no_criterion_names(relay: _Relay) -> None:
    bundle = policies.compile(policies.read(Path(__file__).parents[2]))
    # Never satisfied with one answer, so that the samples and the second model are asked, too.
    thresholds = bundle.policy.rubric.thresholds.model_copy(update={"escalate_below": 1.0})
    policy = bundle.policy.model_copy(
        update={"rubric": bundle.policy.rubric.model_copy(update={"thresholds": thresholds})}
    )
    named = {name for criterion in policy.rubric.asked for name in criterion.fields}
    assert named == {"message", "job_title"}, "the values below are of fields that nobody names"
    judged = _judged(bundle._replace(policy=policy, digest=policy.digest()))
    assert judged.errors == ()
    assert len(relay.seen) >= 3, "the first answer, its sample, and the second model's"
    assert {body.split(b"\n", 1)[0].split(b"/")[-1] for body in relay.seen} == {b"completions", b"messages"}
    for body in relay.seen:
        sent = body.decode().casefold()
        assert "[person_1]" in sent
        assert "printing" in sent, "what criteria are about is there"
        assert [word for word in (*OWN, *UNNAMED) if word in sent] == []
        assert [name for name in CATALOGUE.keys() - named if f'"{name}\\"' in sent or f'\\"{name}\\":' in sent] == []
    quotes = [verdict.quote for verdict in judged.verdicts if verdict.quote and verdict.field == "message"]
    assert quotes
    assert LEAD.message is not None
    assert all(quote in " ".join(LEAD.message.split()) for quote in quotes), "in the lead's own words"
    for assessment in judged.assessments:
        kept = assessment.model_dump_json().casefold()
        assert "zdenka" not in kept, "an answer is kept by its content, and served to whoever wrote the same"
