"""Calibrations are immutable, and the newest row of the list says which applies."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from tierwise_fixtures import answers

from tierwise import errors
from tierwise.domain import fitting
from tierwise.domain.calibration import Calibration
from tierwise.store import engine, schema


@pytest.fixture(scope="module")
def made() -> Calibration:
    """A small one."""
    return fitting.fit(answers.policy(), answers.CHAIN, answers.labelled(55), source="test")


def test_it_comes_back_as_it_was_learnt(desk: Any, made: Calibration) -> None:
    kept = desk.store.calibrations
    digest = kept.keep(made, by="ann", note="first", now=desk.now)
    assert kept.keep(made, by="bob", note="again", now=desk.now) == digest == made.digest()
    found = kept.get(digest[:10])
    assert found is not None
    assert (found.calibration, found.by, found.note) == (made, "ann", "first")
    assert [item.digest for item in kept.list()] == [digest]
    assert kept.get("0" * 64) is kept.get("") is kept.get("%") is None


def test_what_applies_is_appended(desk: Any, made: Calibration) -> None:
    kept = desk.store.calibrations
    assert kept.active() is None
    with pytest.raises(errors.RejectRecord, match="no such calibration"):
        kept.activate("0" * 64, by="ann", note="", now=desk.now)
    digest = kept.keep(made, by="ann", note="", now=desk.now)
    kept.activate(digest, by="ann", note="on", now=desk.now)
    assert kept.active().digest == digest
    kept.activate(None, by="bob", note="off", now=desk.wait(1))
    assert (kept.active().digest, kept.active().note) == (None, "off")
    assert [row.note for row in kept.history()] == ["off", "on"]


def test_one_that_was_changed_is_not_used(desk: Any, made: Calibration, store_url: str) -> None:
    digest = desk.store.calibrations.keep(made, by="ann", note="", now=desk.now)
    database = engine.Database(store_url)
    body = sa.func.replace(schema.calibration.c.body, '"labels":55', '"labels":5500')
    database.write(lambda connection: connection.execute(sa.update(schema.calibration).values(body=body)))
    database.close()
    with pytest.raises(errors.Misconfigured, match="changed since it was learnt"):
        desk.store.calibrations.get(digest)


def test_nothing_was_said_of_a_new_decision(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    assert desk.store.calibrations.told() == []
