"""Before a model is paid: is the answer bought already, does another process buy it, is there money for it?

Questions of a moment go to the database together; so do bills. Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from tierwise import errors
from tierwise.domain.rubric import Assessment
from tierwise.llm import cost
from tierwise.llm.call import Sleep
from tierwise.llm.once import Gathered
from tierwise.ports import money

LEASE = 30.0
"""Seconds after which what a process that died had claimed is free for others."""
LINGER, LONGEST_LINGER = 0.03, 0.5
"""Seconds for which questions and bills gather: long where many come, since a transaction for ten costs as much as one
for three, and short where few do. No model's slot is held meanwhile."""
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 1.0
_LOOK_AGAIN = 600.0
"""Seconds after which a lead that waits for a budget is looked at again: limits may be raised meanwhile."""

Kind = Literal["hold", "offline"]


class Ledger:
    """One process's dealings with `ports.Money`."""

    def __init__(
        self,
        book: money.Money,
        *,
        owner: str,
        budgets: money.Budgets,
        prices: cost.Prices,
        clock: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
        lease: float = LEASE,
        linger: float = LINGER,
        longest_linger: float = LONGEST_LINGER,
    ) -> None:
        """`owner` is this process and no other, ever."""
        self._book = book
        self._owner = owner
        self._budgets = budgets
        self._prices = prices
        self._clock = clock
        self._sleep = sleep
        self._lease = lease
        self._asks: Gathered[money.Ask, money.Permit] = Gathered(self._open, linger=linger, longest=longest_linger)
        self._bills: Gathered[money.Bill, Assessment | None] = Gathered(
            self._settle, linger=linger, longest=longest_linger
        )
        self._under_way = 0
        self._renewing: asyncio.Task[None] | None = None

    def worst(self, model: str, *, text_bytes: int, tokens_out: int, how: cost.How = "chat") -> int | None:
        """Nano-USD that a call of that size may come to; None where the model's price is unknown."""
        price = self._prices.of(model, how)
        if price is None:
            return None
        usd = price.of(tokens_in=cost.estimated_tokens(text_bytes), tokens_out=tokens_out)
        return round(usd * money.NANO)

    def estimate(self, model: str, *, connection: str, text_bytes: int, tokens_out: int, how: cost.How = "chat") -> int:
        """Nano-USD of a call before it is made; 0 where no budget counts it. Raises Unpriced."""
        if not self._budgets.of(connection):
            return 0
        nano = self.worst(model, text_bytes=text_bytes, tokens_out=tokens_out, how=how)
        if nano is None:
            raise Unpriced(
                "its price is unknown, so that no budget can count it",
                place=model,
                after=_LOOK_AGAIN,
                remedy=f'set input and output (USD per million tokens) in [prices."{model}"]',
            )
        return nano

    async def buy(self, key: str, *, connection: str, nano: int) -> Assessment | None:
        """The answer where it is there, also after waiting for another process; None: pay, and `settle` whatever
        comes of it. Raises Held where a budget is spent."""
        pause = _FIRST_LOOK
        while True:
            self._begin()
            try:
                permit = await self._asks.add(money.Ask(key, connection, nano))
            except BaseException:
                self._end()
                raise
            if permit.state == "pay":
                return None
            self._end()
            if permit.answer is not None:
                return permit.answer
            if permit.spent is not None:
                raise _held(permit.spent, now=self._clock())
            await self._sleep(pause)
            pause = min(pause * 2, _LONGEST_LOOK)

    async def more(self, *, connection: str, nano: int) -> None:
        """Money for a second call about the same answer. Raises Held."""
        (permit,) = [await self._asks.add(money.Ask("", connection, nano))] if nano else [money.Permit("pay")]
        if permit.spent is not None:
            raise _held(permit.spent, now=self._clock())

    async def settle(self, bill: money.Bill) -> Assessment | None:
        """The end of what `buy` began. The answer of somebody who was quicker: it stands, and ours is to be dropped.

        Raises what the database raises.
        """
        try:
            return await self._bills.add(bill)
        finally:
            self._end()

    async def close(self) -> None:
        """No more is bought."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing

    def _begin(self) -> None:
        self._under_way += 1
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.get_running_loop().create_task(self._renew())

    def _end(self) -> None:
        self._under_way -= 1

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            if not self._under_way:
                return
            # The next round comes early enough: a lease stands for three of them.
            with contextlib.suppress(errors.RetryLater):
                await asyncio.to_thread(self._book.renew, self._owner, lease=self._lease, now=self._clock())

    async def _open(self, asks: Sequence[money.Ask]) -> Sequence[money.Permit]:
        return await asyncio.to_thread(
            self._book.open, asks, owner=self._owner, lease=self._lease, budgets=self._budgets, now=self._clock()
        )

    async def _settle(self, bills: Sequence[money.Bill]) -> Sequence[Assessment | None]:
        stand = await asyncio.to_thread(self._book.settle, bills, owner=self._owner, now=self._clock())
        return [stand.get(bill.key) for bill in bills]


class Unpriced(errors.Held):
    """A budget is set and nobody knows what the model costs."""

    fault = "unpriced"


def _held(spent: money.Spent, *, now: datetime) -> errors.Held:
    whose = "over all connections" if spent.scope == money.ALL else f"of {spent.scope}"
    word = {"day": "daily", "month": "monthly"}[spent.period]
    seconds = max(1.0, (spent.resumes_at - now).total_seconds())
    return errors.Held(
        f"the {word} budget {whose} ({spent.limit / money.NANO:g} USD) has no room; "
        f"it resumes {spent.resumes_at:%Y-%m-%d %H:%M} UTC",
        after=min(seconds, _LOOK_AGAIN),
        remedy="raise it in [budgets], or wait",
    )
