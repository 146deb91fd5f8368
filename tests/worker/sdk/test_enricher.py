"""An enricher is what has these members; ours have."""

from __future__ import annotations

import inspect

from tierwise import plugins
from tierwise.sdk import Enricher, EnricherType, Enriching, testing


def test_the_enrichers_that_ship_are_enrichers() -> None:
    types = plugins.installed().enricher_types()
    assert list(types) == ["company_name", "http", "mailbox", "phone_country"]
    for kind in types.values():
        assert isinstance(kind, EnricherType)
        given = {"url": "https://x/{company}", "fields": {"industry": "a"}} if kind.name == "http" else {}
        enriching = Enriching("mine", "", given, testing.FreeLimiter(), 2.0)
        opened = plugins.installed().open_enricher(kind.name, enriching)
        assert opened.reads
        assert opened.gives
        for name in ("enrich", "close"):
            promised = list(inspect.signature(getattr(Enricher, name)).parameters)[1:]
            assert list(inspect.signature(getattr(opened, name)).parameters) == promised
        opened.close()


def test_every_option_of_every_enricher_is_described() -> None:
    for kind in plugins.installed().enricher_types().values():
        silent = [name for name, field in kind.settings.model_fields.items() if not field.description]
        assert silent == [], f"{kind.name}: {silent}"
