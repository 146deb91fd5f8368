"""The database itself refuses a question in two batches."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tierwise.store import engine, schema


def test_a_question_is_in_one_batch_only(opened: Any, store_url: str, desk: Any) -> None:
    database = engine.Database(store_url)
    moments = dict.fromkeys(("created_at", "deadline", "look_at"), desk.now)
    batch = {
        "model": "m",
        "stage": "primary",
        "strong": "",
        "policy": "p",
        "state": "planned",
        "questions": 1,
        "files": [],
    }
    table, question = schema.model_batch, schema.batch_question
    ids = [
        database.write(
            lambda connection, tag=tag: connection.execute(
                sa.insert(table).values(tag=tag, **batch, **moments).returning(table.c.id)
            ).scalar_one()
        )
        for tag in ("one", "two")
    ]
    put = [sa.insert(question).values(content_hash="k" * 64, batch_id=key, connection="crm") for key in ids]
    database.write(lambda connection: connection.execute(put[0]))
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(put[1]))
    again = sa.insert(table).values(tag="one", **batch, **moments)
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(again))
    wrong = sa.insert(table).values(tag="three", **{**batch, "state": "lost"}, **moments)
    with pytest.raises(sa.exc.IntegrityError):
        database.write(lambda connection: connection.execute(wrong))
    database.close()
