"""`tierwise config show`: every value with its origin, no secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tierwise import settings

Read = Callable[..., settings.Settings]


def test_each_value_has_its_origin(read: Read, file: Path) -> None:
    found = read(
        'tick_seconds = 5\n[connections.hubspot-emea]\ntype = "hubspot"\nobject_type = "contacts"\n',
        TIERWISE_PUMP__CHUNK="9",
        TIERWISE_CONNECTIONS__HUBSPOT_EMEA__TOKEN="t0ken",
    )
    rows = {row.key: (row.value, row.origin) for row in settings.origins(found)}
    assert rows["poll_seconds"] == ("60", "default")
    assert rows["tick_seconds"] == ("5", f"{file}:1")
    assert rows["pump.chunk"] == ("9", "TIERWISE_PUMP__CHUNK")
    assert rows["connections.hubspot-emea.type"] == ("hubspot", f"{file}:3")
    assert rows["connections.hubspot-emea.object_type"] == ("contacts", f"{file}:4")
    assert rows["connections.hubspot-emea.token"] == ("****", "TIERWISE_CONNECTIONS__HUBSPOT_EMEA__TOKEN")


def test_the_file_no_longer_counts_where_the_environment_wins(read: Read) -> None:
    found = read("tick_seconds = 5", TIERWISE_TICK_SECONDS="6")
    assert [row for row in settings.origins(found) if row.key == "tick_seconds"] == [
        ("tick_seconds", "6", "TIERWISE_TICK_SECONDS")
    ]


def test_no_secret_is_shown(read: Read) -> None:
    found = read(
        "[connections.a]\ntype = 'hubspot'\ntoken = 's3cret'\nclient_secret = 's3cret'\n"
        "base_url = 'https://u:s3cret@h/p'\noptions = { deep = { password = 's3cret', list = ['http://s3cret@h'] } }",
        TIERWISE_DATABASE_URL="postgresql://u:s3cret@h:5432/d",
        TIERWISE_BROKER_URL="redis://:s3cret@h/0",
    )
    rows = settings.origins(found)
    assert "s3cret" not in repr(rows)
    shown = {row.key: row.value for row in rows}
    assert shown["database_url"] == "postgresql://****@h:5432/d"
    assert shown["broker_url"] == "redis://****@h/0"
    assert shown["connections.a.client_secret"] == "****"
