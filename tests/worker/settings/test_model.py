"""Types, defaults and what belongs together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import errors, settings

Read = Callable[..., settings.Settings]


def test_defaults_are_a_complete_installation_in_one_directory(read: Read) -> None:
    found = read()
    assert found.home == Path.cwd() / ".tierwise"
    assert found.database_url == f"sqlite:///{Path.cwd()}/.tierwise/tierwise.db"
    assert found.broker_url is None
    assert (found.tick_seconds, found.poll_seconds, found.overlap_seconds) == (2, 60, 300)
    assert (found.console.host, found.console.port) == ("127.0.0.1", 8400)
    assert found.connections == {}


def test_the_database_follows_home(read: Read, tmp_path: Path) -> None:
    assert read(TIERWISE_HOME=str(tmp_path)).database_url == f"sqlite:///{tmp_path}/tierwise.db"


def test_unknown_keys_of_a_connection_are_its_connectors_options(read: Read) -> None:
    found = read('[connections.a]\ntype = "hubspot"\nobject_type = "contacts"\noptions = { base_url = "http://x" }')
    assert found.connections["a"].options == {"object_type": "contacts", "base_url": "http://x"}


def test_settings_cannot_be_changed(read: Read) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().tick_seconds = 1  # type: ignore[misc]


def test_a_token_comes_from_the_settings_or_from_its_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    found = read(
        '[connections.a-b]\ntype = "hubspot"\n[connections.c]\ntype = "hubspot"\ntoken_file = "secret"\n',
        TIERWISE_CONNECTIONS__A_B__TOKEN="from-environment",
    )
    assert found.connections["a-b"].secret("a-b") == "from-environment"
    assert found.connections["c"].secret("c") == "from-file"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("", "has no token"),
        ('token_file = "none"', "cannot be read"),
        ('token_file = "empty"', "is empty"),
        ('token_file = "binary"', "is not text"),
    ],
)
def test_a_missing_token_says_where_it_is_looked_for(read: Read, tmp_path: Path, keys: str, message: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    found = read(f'[connections.hubspot-emea]\ntype = "hubspot"\n{keys}')
    with pytest.raises(errors.Misconfigured, match=message) as caught:
        found.connections["hubspot-emea"].secret("hubspot-emea")
    assert "TIERWISE_CONNECTIONS__HUBSPOT_EMEA__TOKEN" in caught.value.remedy


def test_all_secrets_are_known_to_whoever_masks_them(read: Read, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    found = read(
        "[connections.a]\ntype = 'hubspot'\ntoken = 'token-a'\nclient_secret = 'option-a'\nbase_url = 'http://x'\n"
        "[connections.b]\ntype = 'hubspot'\ntoken_file = 'token'\n[connections.c]\ntype = 'hubspot'\n",
        TIERWISE_DATABASE_URL="postgresql://u:pass%2Ddb@h/d",
        TIERWISE_BROKER_URL="redis://[h/0",
    )
    assert found.secrets() == {"token-a", "option-a", "from-file", "pass%2Ddb", "pass-db"}


def test_neither_repr_nor_text_shows_a_secret(read: Read) -> None:
    found = read(
        '[connections.a]\ntype = "hubspot"\ntoken = "s3cret-a"',
        TIERWISE_DATABASE_URL="postgresql://u:s3cret-b@h/d",
        TIERWISE_BROKER_URL="redis://:s3cret-c@h/0",
    )
    assert "s3cret" not in f"{found!r} {found!s} {found.connections!r}"


def test_reading_settings_costs_little() -> None:
    """Every command pays it: under 400 ms, and none of the heavy libraries."""
    program = (
        "import sys, time; begin = time.process_time(); from tierwise import settings; settings.load(environ={});"
        "taken = time.process_time() - begin;"
        "heavy = {'celery', 'litellm', 'sqlalchemy', 'fastapi', 'alembic', 'redis'} & set(sys.modules);"
        "print(taken, *sorted(heavy))"
    )
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    taken, *heavy = output.stdout.split()
    assert heavy == []
    assert float(taken) < 0.4


def test_enrichers_are_named_tables_with_options_of_their_own(read: Read, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    found = read(
        '[enrichers.country]\ntype = "phone_country"\n'
        '[enrichers.firm-data]\ntype = "http"\nseconds = 1\nurl = "https://x"\nfields = { industry = "a.b" }\n'
        '[enrichers.other]\ntype = "http"\ntoken_file = "secret"\n',
        TIERWISE_ENRICHERS__FIRM_DATA__TOKEN="from-environment",
        TIERWISE_ENRICH_SECONDS="4",
    )
    assert list(found.enrichers) == ["country", "firm-data", "other"], "in the order of the file: later sees earlier"
    assert found.enrichers["firm-data"].options == {"url": "https://x", "fields": {"industry": "a.b"}}
    assert [one.secret(name) for name, one in found.enrichers.items()] == ["", "from-environment", "from-file"]
    assert (found.enrich_seconds, found.enrichers["firm-data"].seconds) == (4, 1)
    assert found.secrets() == {"from-environment", "from-file"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[enrichers.a]\nseconds = 1", "enrichers.a.type"),
        ('[enrichers.a]\ntype = "http"\nsecond = 1', "enrichers.a.second"),
        ('[enrichers.a-b]\ntype = "http"\n[enrichers.a_b]\ntype = "http"', "cannot be told apart"),
        ("enrich_seconds = 600", "enrich_seconds"),
    ],
)
def test_a_wrong_enricher_is_told_with_its_place(read: Read, text: str, message: str) -> None:
    with pytest.raises(errors.Misconfigured) as caught:
        read(text)
    assert message in str(caught.value)
