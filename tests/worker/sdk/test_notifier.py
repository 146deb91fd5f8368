"""A notifier as a plugin brings one: registered, checked, opened, told."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tierwise import errors, plugins, sdk

NOTICE = sdk.Notice("backlog", "warning", "Leads wait", "300 leads wait.", datetime(2026, 11, 21, tzinfo=UTC))


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    channel: str = Field(description="Where to.")


class Pad:
    def __init__(self, notifying: sdk.Notifying) -> None:
        self.notifying = notifying
        self.told: list[sdk.Notice] = []

    def notify(self, notice: sdk.Notice) -> None:
        self.told.append(notice)

    def close(self) -> None:
        return


@sdk.hookimpl
def tierwise_notifiers() -> list[sdk.NotifierType]:
    return [sdk.NotifierType("pad", "A list in memory", Pad, Options)]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> plugins.Plugins:
    import sys

    entry = metadata.EntryPoint("pad", "a_notifier_plugin", plugins.GROUP)
    monkeypatch.setitem(sys.modules, "a_notifier_plugin", sys.modules[__name__])
    return plugins.Plugins([entry])


def test_it_is_found_opened_with_checked_options_and_told(found: plugins.Plugins) -> None:
    assert list(found.notifier_types()) == ["pad"]
    opened: Any = found.open_notifier("pad", sdk.Notifying("ops", "", {"channel": "#leads"}))
    opened.notify(NOTICE)
    assert (opened.notifying.options, opened.told) == ({"channel": "#leads"}, [NOTICE])


def test_what_is_wrong_is_told_with_its_place(found: plugins.Plugins) -> None:
    with pytest.raises(errors.Misconfigured, match="Field required") as caught:
        found.open_notifier("pad", sdk.Notifying("ops", "", {}))
    assert caught.value.place == "notifiers.ops.channel"
    with pytest.raises(errors.Misconfigured, match="no notifier type") as caught:
        found.open_notifier("pat", sdk.Notifying("ops", "", {}))
    assert caught.value.remedy == "did you mean 'pad'?"
