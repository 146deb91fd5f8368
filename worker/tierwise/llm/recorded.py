"""A judge that asks nobody: answers that are there, and the lexicon, which costs nothing.

For what must not cost a call: backtests, and shadows of a policy whose answers are not there yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.errors import RejectRecord
from tierwise.llm import offline
from tierwise.llm.cascade import Cache, Cascade
from tierwise.llm.client import Completion


class Recorded:
    """One thread's; close it."""

    def __init__(self, cache: Cache, *, primary: str | None, secondary: str | None, **more: Any) -> None:
        """As the cascade is made where leads are decided; `more` are its `samples` and `decisions`, which are part of
        what is asked."""
        self._cascade = Cascade(self._answer, primary=primary, secondary=secondary, attempts=1, cache=cache, **more)
        self._loop = asyncio.new_event_loop()
        self._missing = False

    def judge(self, runnable: Runnable, lead: Lead) -> Judged | None:
        """What models said; None where one would have to be asked. Raises Misconfigured as the cascade does."""
        self._missing = False
        judged = self._loop.run_until_complete(self._cascade.judge(runnable, lead))
        return None if self._missing else judged

    def close(self) -> None:
        """Let go of the loop and its threads."""
        self._loop.run_until_complete(self._cascade.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _answer(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any],
        cues: str,
        timeout_seconds: float,
    ) -> Completion:
        del schema, timeout_seconds
        if model != offline.MODEL:
            self._missing = True
            raise RejectRecord("no answer of it is stored", place=model)
        return Completion(offline.answer(messages, cues), model, 0, 0, 0.0, 0)
