"""A stranger's hostile plugin, installed as a distribution: nothing is lost, and the fault shows under its name."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tierwise import errors, plugins, settings, wiring
from tierwise.cli import setup
from tierwise.domain.mapping import FieldMap

HERE = Path(__file__).parent
NAMES = [f"lead-{number}" for number in range(10)]
MAP = FieldMap.model_validate(
    {
        "connector": "hostile", "owner": "ops", "version": "1", "require": ["email"],
        "fields": {"email": "email", "company": "company", "message": "message"},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def site(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("source") / "hostile"
    shutil.copytree(HERE / "hostile", project)
    return installed(project)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its policy and the connection `odd`, to be copied."""
    home = tmp_path_factory.mktemp("prepared")
    parts = wiring.Wiring(settings.Settings(home=home))
    setup.prepare(parts.settings)
    parts.ensure_policy()
    parts.store.connections.ensure("odd", "hostile", now=wiring.clock())
    parts.store.connections.enable("odd", watermark=wiring.clock(), now=wiring.clock())
    parts.close()
    return home / "tierwise.db"


@pytest.fixture
def hostile(
    site: Path, prepared: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """`hostile(fault=..., enrich=...)` opens a wiring over a CRM of ten leads."""
    monkeypatch.syspath_prepend(site)
    shutil.copy(prepared, home / "tierwise.db")
    file = tmp_path / "crm.json"
    leads = {name: {"properties": {"email": f"{name}@acme.com", "company": "Acme", "message": "Hi"}} for name in NAMES}
    file.write_text(json.dumps(leads))
    plugins.installed.cache_clear()
    opened: list[wiring.Wiring] = []

    def make(fault: str = "", *, enrich: str | None = None, **more: Any) -> wiring.Wiring:
        connections = {"odd": {"type": "hostile", "options": {"file": str(file), "fault": fault}}}
        # What hangs is given up soon; nothing else is, however busy the machine.
        patience = {name: 0.5 if name.startswith("hang") else 20.0 for name in (fault, enrich or "")}
        enrichers = {} if enrich is None else {"liar": {"type": "liar", "seconds": patience[enrich], "fault": enrich}}
        parts = wiring.Wiring(
            settings.Settings(home=home, connections=connections, enrichers=enrichers, overlap_seconds=0, **more)
        )
        opened.append(parts)
        parts.call_seconds = patience[fault]
        parts.field_map = lambda *_: MAP  # type: ignore[method-assign]
        return parts

    yield make
    for parts in opened:
        parts.close()
    sys.modules.pop("tierwise_hostile", None)
    plugins.installed.cache_clear()


def _stored(parts: wiring.Wiring) -> set[str]:
    return set(parts.store.leads.known("odd", NAMES))


def _error(parts: wiring.Wiring) -> str:
    (state,) = parts.store.connections.list()
    return state.error


def test_it_comes_as_a_distribution(hostile: Callable[..., Any]) -> None:
    hostile()
    found = {one.kind.name: one for one in plugins.installed().installed()}
    assert (found["hostile"].distribution, found["hostile"].version) == ("tierwise-hostile", "6.6.6")
    assert {"hubspot", "files", "hostile", "liar"} <= found.keys()


@pytest.mark.parametrize("fault", ["", "duplicates", "backwards", "far away", "huge", "odd values"])
def test_odd_records_are_stored_once_each_and_decided(hostile: Callable[..., Any], fault: str) -> None:
    parts = hostile(fault)
    report = parts.poll("odd")
    assert report.complete
    assert _stored(parts) == set(NAMES)
    assert parts.store.leads.counts("odd")["leads"] == len(NAMES)
    assert _error(parts) == ""
    assert parts.pump().decided == len(NAMES)
    assert parts.write_back("odd").sent == len(NAMES)
    for name in NAMES:
        (story,) = parts.store.leads.story("odd", name)
        assert len(json.dumps(story.provenance)) < 100_000, "what is huge is cut"


@pytest.mark.parametrize(
    "fault",
    [f"raise:{where}" for where in ("open", "now", "changes", "page")]
    + [f"{kind}:page" for kind in ("exit", "interrupt", "stop", "generator", "memory", "family")]
    + ["exit:open", "naive", "naive:now", "long id", "no id", "position", "not a page", "ends early"],
)
def test_a_poll_that_breaks_says_so_and_goes_on_when_it_is_repaired(hostile: Callable[..., Any], fault: str) -> None:
    parts = hostile(fault)
    with pytest.raises((errors.RetryLater, errors.PauseConnection)) as caught:
        parts.poll("odd")
    told = f"{caught.value} {_error(parts)}"
    assert "odd" in told
    assert "hostile-secret" not in told
    assert "jane.doe" not in told
    watermark = parts.store.connections.list()[0].watermark
    repaired = hostile("")
    assert repaired.poll("odd").complete
    assert _stored(repaired) == set(NAMES), "nothing is lost"
    assert repaired.store.connections.list()[0].watermark > watermark
    assert _error(repaired) == ""


@pytest.mark.parametrize("where", ["open", "now", "changes", "page"])
def test_a_call_that_hangs_is_given_up(hostile: Callable[..., Any], where: str) -> None:
    parts = hostile(f"hang:{where}")
    with pytest.raises(errors.RetryLater, match="did not come back"):
        parts.poll("odd")
    repaired = hostile("")
    assert repaired.poll("odd").complete
    assert _stored(repaired) == set(NAMES)


@pytest.mark.parametrize("fault", ["too few", "reversed", "nothing", "raise:write", "hang:write", "exit:write"])
def test_advice_is_kept_until_a_write_is_answered(hostile: Callable[..., Any], fault: str) -> None:
    good = hostile("")
    good.poll("odd")
    good.pump()
    bad = hostile(fault)
    if ":" in fault:
        with pytest.raises(errors.RetryLater, match="write"):
            bad.write_back("odd")
    else:
        report = bad.write_back("odd")
        assert (report.sent, report.retried) == (0, len(NAMES))
    assert good.store.leads.counts("odd")["undelivered"] == len(NAMES)


@pytest.mark.parametrize("fault", ["raise:close", "hang:close", "exit:close"])
def test_closing_is_no_place_for_surprises(hostile: Callable[..., Any], fault: str) -> None:
    assert hostile(fault).poll("odd").complete


@pytest.mark.parametrize("fault", ["", "raise:enrich", "exit:enrich", "hang:enrich", "stop:enrich"])
def test_a_hostile_enricher_changes_nothing_but_the_provenance(hostile: Callable[..., Any], fault: str) -> None:
    parts = hostile("", enrich=fault)
    assert parts.poll("odd").complete
    for name in NAMES:
        (story,) = parts.store.leads.story("odd", name)
        assert (story.lead.email, story.lead.industry, story.lead.employee_count) == (f"{name}@acme.com", None, None)
        note = story.provenance["employee_count"]["note"]
        assert note
        assert "hostile-secret" not in note
        assert len(note) < 200


def _prepare(url: str) -> None:
    parts = wiring.Wiring(settings.Settings(database_url=url))
    setup.prepare(parts.settings)
    parts.ensure_policy()
    parts.store.connections.ensure("odd", "hostile", now=wiring.clock())
    parts.store.connections.enable("odd", watermark=wiring.clock(), now=wiring.clock())
    parts.close()


@pytest.fixture
def on_postgresql(hostile: Callable[..., Any], postgres_server: Any) -> Iterator[Callable[..., Any]]:
    """The same over PostgreSQL, which is stricter about what it stores than SQLite."""
    url = postgres_server.create(postgres_server.template("hostile", _prepare))
    opened: list[wiring.Wiring] = []

    def make(fault: str = "") -> wiring.Wiring:
        opened.append(hostile(fault, database_url=url))
        return opened[-1]

    yield make
    for parts in opened:
        parts.close()
    postgres_server.drop(url)


@pytest.mark.parametrize("fault", ["duplicates", "far away", "huge", "odd values"])
def test_odd_records_are_stored_on_postgresql_too(on_postgresql: Callable[..., Any], fault: str) -> None:
    parts = on_postgresql(fault)
    assert parts.poll("odd").complete
    assert _stored(parts) == set(NAMES)
    assert parts.pump().decided == len(NAMES)
    assert parts.write_back("odd").sent == len(NAMES)


@pytest.mark.parametrize(
    "fault", ["raise:page", "exit:page", "naive", "long id", "position", "ends early", "hang:page"]
)
def test_a_poll_that_breaks_goes_on_after_repair_on_postgresql_too(
    on_postgresql: Callable[..., Any], fault: str
) -> None:
    parts = on_postgresql(fault)
    with pytest.raises((errors.RetryLater, errors.PauseConnection)):
        parts.poll("odd")
    (health,) = parts.store.health.list()
    assert (health.step, health.failures) == ("poll", 1)
    assert health.fault in ("broken", "timeout")
    repaired = on_postgresql()
    assert repaired.poll("odd").complete
    assert _stored(repaired) == set(NAMES), "nothing is lost"
    assert repaired.store.health.list()[0].failures == 0


@pytest.mark.parametrize("fault", ["too few", "reversed", "raise:write"])
def test_advice_is_kept_until_a_write_is_answered_on_postgresql_too(
    on_postgresql: Callable[..., Any], fault: str
) -> None:
    good = on_postgresql()
    good.poll("odd")
    good.pump()
    bad = on_postgresql(fault)
    with contextlib.suppress(errors.RetryLater):
        assert bad.write_back("odd").sent == 0
    assert good.store.leads.counts("odd")["undelivered"] == len(NAMES)
    assert {one.step: one.failures for one in good.store.health.list()} == {"poll": 0, "write_back": 1}
