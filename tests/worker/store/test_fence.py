"""Tokens only ever grow, whoever draws them."""

from __future__ import annotations

from concurrent import futures

from tierwise.store import engine, fence


def test_tokens_strictly_increase_and_survive_a_restart(store_url: str) -> None:
    drawn: list[int] = []
    for _ in range(3):
        database = engine.Database(store_url)
        drawn += [database.write(fence.draw) for _ in range(3)]
        database.close()
    assert drawn == sorted(set(drawn))


def test_no_two_threads_draw_the_same(store_url: str) -> None:
    database = engine.Database(store_url)
    with futures.ThreadPoolExecutor(4) as pool:
        lists = list(pool.map(lambda _: [database.write(fence.draw) for _ in range(25)], range(4)))
    database.close()
    assert all(drawn == sorted(drawn) for drawn in lists)
    assert len({token for drawn in lists for token in drawn}) == 100
