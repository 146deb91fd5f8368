"""The sandbox CRM as the demo asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tierwise.cli import crm
from tierwise.errors import Unreachable


def test_every_contact_comes_once_whatever_the_number_of_pages(sandbox: Callable[..., Any]) -> None:
    box = sandbox(leads=crm.PAGE * 2 + 3)
    view = crm.View(box.hubspot_url, box.token)
    found = [record["id"] for record in view.contacts()]
    assert len(found) == len(set(found)) == view.count() == crm.PAGE * 2 + 3
    assert view.count(having="email") < view.count()
    assert view.stats()["writes"] == 0


def test_a_crm_that_is_gone() -> None:
    with pytest.raises(Unreachable) as caught:
        crm.View("http://127.0.0.1:1", "t").count()
    assert caught.value.place == "http://127.0.0.1:1"
