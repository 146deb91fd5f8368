"""Our clock ahead of the CRM's or behind it: what the CRM sees, what is delivered and what is a person's stay the same.

The same story is played with clocks that agree and with clocks that do not, over the real connectors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import hypothesis
import hypothesis.strategies as st
from tierwise_fixtures import environment

from tierwise import sdk

LEADS = 2
ASK = "tierwise_request_review"
OPS = (
    "change", "undo", "empty", "overrule", "ask", "poll", "read before it is written", "decide again", "write",
    "write in vain",
)  # fmt: skip
HUBSPOT = {
    "message": "message", "tier": "tierwise_tier", "score": "tierwise_score", "route": "tierwise_route", "ask": ASK,
}  # fmt: skip
SALESFORCE = {
    "message": "Description", "tier": "Tierwise_Tier__c", "score": "Tierwise_Score__c", "route": "Tierwise_Route__c",
    "ask": "Tierwise_Request_Review__c",
}  # fmt: skip


class Step(NamedTuple):
    """One thing that happens, to which lead, and how long it takes; seconds."""

    what: str
    lead: int
    pause: float


_STEPS = st.lists(
    st.builds(Step, st.sampled_from(OPS), st.integers(0, LEADS - 1), st.sampled_from([3.0, 8.0, 61.0, 400.0])),
    min_size=6,
    max_size=18,
)
_AHEAD = st.one_of(st.sampled_from([-600.0, 600.0]), st.floats(-600, 600))


class Story:
    """The steps over one CRM, with our clock so far before the CRM's."""

    def __init__(self, line: Any, names: dict[str, str], *, ahead: float) -> None:
        self.line, self.names = line, names
        line.ahead = ahead
        self.told: list[Any] = []
        self.keys = line.create(*(f"lead{number}@firm{number}.example" for number in range(LEADS)))
        line.wait(3)
        line.round()

    def play(self, steps: list[Step]) -> list[Any]:
        """What could be seen of it, step by step."""
        for number, step in enumerate(steps):
            before = self._delivered()
            self._do(step, number)
            after = self._delivered()
            if step.what not in ("poll", "read before it is written"):
                assert not [key for key in self.keys if after[key] and not before[key]], "nothing was read back"
            self.told.append((step.what, after, [self._shown(key) for key in self.keys]))
            self.line.wait(step.pause)
        for _ in range(3):
            self.line.wait(700)
            self.line.round()
        stories = [self.line.story(key) for key in self.keys]
        self.told += [(one.kept, one.own, len(one.decisions), [item.state for item in one.reviews]) for one in stories]
        self.told += [sorted(label.value for label in one.labels) for one in stories]
        for key, one in zip(self.keys, stories, strict=True):
            wanted = self.line.fingerprint(key)
            assert (one.fingerprint, one.own["tierwise_fingerprint"]) == (wanted, wanted)
            assert one.delivered_at is not None, "its echo was not recognised"
        return self.told

    def _do(self, step: Step, number: int) -> None:
        line, key = self.line, self.keys[step.lead]
        match step.what:
            case "change":
                self._edit(key, message=f"note {number}")
            case "undo":
                self._edit(key, tier="A")  # a value of ours, of earlier or of now
            case "empty":
                self._edit(key, score="")
            case "overrule":
                self._edit(key, route=f"person {number}")
            case "ask":
                self._edit(key, ask="true")
            case "poll":
                line.poll()
            case "read before it is written":
                self._overtaken()
            case "decide again":
                line.decide(tier="ABC"[number % 3])
                for item in line.store.reviews.list():
                    values = {name: value for name, value in line.story(item.record_id).own.items() if name != ASK}
                    line.store.reviews.answer(item.id, by="eva", answer={}, advice=values, now=line.now())
            case "write":
                line.write()
            case _:
                self._in_vain()

    def _edit(self, key: str, **values: str) -> None:
        self.line.edit(key, **{self.names[name]: value for name, value in values.items()})

    def _shown(self, key: str) -> tuple[Any, ...]:
        shown = self.line.shown(key)
        return tuple(str(shown.get(f"tierwise_{name}") or "") for name in ("tier", "score", "route", "request_review"))

    def _delivered(self) -> dict[str, bool]:
        return {key: self.line.story(key).delivered_at is not None for key in self.keys}

    def _overtaken(self) -> None:
        """A page that was read before our write, and stored after it."""
        line = self.line
        changes = line.connector.changes

        def slow(*window: Any, **more: Any) -> Any:
            pages = list(changes(*window, **more))
            line.wait(3)
            line.write()
            line.wait(3)
            return iter(pages)

        line.connector.changes = slow
        try:
            line.poll()
        finally:
            line.connector.changes = changes

    def _in_vain(self) -> None:
        """The CRM does not answer."""
        line = self.line
        write, line.connector.write = line.connector.write, self._busy
        try:
            line.write()
        except sdk.RetryLater:
            pass
        finally:
            line.connector.write = write

    @staticmethod
    def _busy(updates: Any) -> Any:
        raise sdk.RetryLater("busy")


def _alike(lines: Any, names: dict[str, str], ahead: float, steps: list[Step]) -> None:
    told = []
    for clock in (0.0, ahead):
        with lines(page_size=10) as line:
            told.append(Story(line, names, ahead=clock).play(steps))
    assert told[0] == told[1]


def _steps(*what: str) -> list[Step]:
    return [Step(one, 0, 3.0) for one in what]


_EXAMPLES = hypothesis.settings(max_examples=100 if environment.DEEP else 4)
# What goes wrong by ten minutes where our own clock is believed: a value of ours that is gone is not put back, or a
# page that is older than our write is taken for what came of it.
_GONE = hypothesis.example(ahead=600.0, steps=_steps("poll", "empty", "poll", "write"))
_OLDER = hypothesis.example(
    ahead=-600.0, steps=_steps("change", "poll", "decide again", "change", "read before it is written", "write")
)


@_EXAMPLES
@_GONE
@_OLDER
@hypothesis.given(ahead=_AHEAD, steps=_STEPS)
def test_hubspot(portal_lines: Any, ahead: float, steps: list[Step]) -> None:
    _alike(portal_lines, HUBSPOT, ahead, steps)


@_EXAMPLES
@_GONE
@_OLDER
@hypothesis.given(ahead=_AHEAD, steps=_STEPS)
def test_salesforce(org_lines: Any, ahead: float, steps: list[Step]) -> None:
    _alike(org_lines, SALESFORCE, ahead, steps)
