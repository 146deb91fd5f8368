"""Whether automation may be: precision and recall with bounds that hold, against targets that were agreed before.

Only the audit sample counts, drawn at random inside each stratum; an item of it that nobody answered counts against
us. Every statement is made for cut-offs and looks that were registered before the first label: nothing is picked later.
Pure; what is read from the database and when is `pipeline/validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from tierwise.domain import exact
from tierwise.domain.rubric import Frozen

MOST_CUT_OFFS, MOST_LOOKS = 7, 5
Method = Literal["looks", "anytime"]


class Registration(Frozen):
    """What will be tested, written down before there are labels. Immutable; a change is a new registration."""

    policy: str
    """Digest."""
    chain: str
    """Models and calibration under which decisions count, as one hash."""
    positive_tiers: tuple[str, ...]
    precision: float = Field(gt=0, lt=1)
    """Target of the leads that would be automated."""
    recall: float = Field(gt=0, lt=1)
    """Target over all leads that are positive in truth, those in review included."""
    cut_offs: tuple[float, ...] = Field(min_length=1, max_length=MOST_CUT_OFFS)
    """Confidences (0-1), each a candidate for the least at which a lead is automated."""
    method: Method = "looks"
    looks: tuple[int, ...] = Field(default=(100, 200, 400, 800, 1600), max_length=MOST_LOOKS)
    """Numbers of audit items in the positive tiers at which a verdict is taken; nowhere in between."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Chance, over all looks and cut-offs together, of passing what does not meet a target."""
    smallest: int = Field(default=30, ge=1)
    """Labels inside the automated stratum below which nothing passes, whatever the bounds say."""
    most_age_days: int = Field(default=90, ge=1)
    registered_at: datetime
    by: str

    @model_validator(mode="after")
    def _ordered(self) -> Registration:
        if list(self.cut_offs) != sorted(set(self.cut_offs)):
            raise ValueError("cut_offs: ascending, each once")
        if not all(0 <= cut_off <= 1 for cut_off in self.cut_offs):
            raise ValueError("cut_offs: confidences from 0 to 1")
        if self.method == "looks" and (not self.looks or list(self.looks) != sorted(set(self.looks))):
            raise ValueError("looks: at least one, ascending, each once")
        return self

    @property
    def error(self) -> float:
        """What one look may spend of alpha."""
        return self.alpha / len(self.looks) if self.method == "looks" else self.alpha


class Drawn(NamedTuple):
    """One decision of the audit sample."""

    tier: str | None
    confidence: float | None
    """As the decision carries it, calibrated or not."""
    alone: bool
    """Nothing asked for a person: it would be automated if its confidence were high enough."""
    truth: bool | None
    """Whether people found it in a positive tier; None where nobody answered yet."""
    rate: float
    """Probability with which its tier was sampled then."""
    draw: float
    """Where it fell in [0, 1): below the rate."""
    said_at: datetime | None = None
    """When people said so."""
    gone: bool = False
    """Its lead was erased: nobody can answer any more."""


class Counted(NamedTuple):
    """How many decisions, sampled or not, share these properties."""

    tier: str | None
    alone: bool
    reach: int
    """How many of the registered cut-offs its confidence reaches."""
    n: int


class Cell(NamedTuple):
    """Population and sample of one kind of decision."""

    tier: str | None
    alone: bool
    reach: int
    n: int
    """Decisions."""
    sampled: int
    """Of them in the audit sample, thinned to one rate a tier."""
    positive: int
    """Of the sampled: found in a positive tier."""
    unanswered: int
    """Of the sampled: nobody answered yet. They count as wrong inside the automated stratum, as missed outside."""


class Bound(NamedTuple):
    """A share with what is proved of it."""

    right: int
    n: int
    low: float


class Tested(NamedTuple):
    """One cut-off at one look."""

    cut_off: float
    precision: Bound
    recall: float
    """As the counts have it; for display."""
    recall_low: float
    passed: bool
    why: tuple[str, ...]
    """What failed, in words; empty where it passed."""


class Verdict(NamedTuple):
    """What a look says of every cut-off, and the one that automation may use."""

    look: int | None
    """Number of audit items at which it was taken; None: no look is due yet, nothing is said."""
    tested: tuple[Tested, ...]
    cut_off: float | None
    """The most lenient one that passed in its turn."""

    @property
    def passed(self) -> bool:
        """Whether any cut-off may be automated."""
        return self.cut_off is not None


def due(registration: Registration, *, items: int) -> int | None:
    """The largest registered look that so many audit items in the positive tiers reach; any number for `anytime`."""
    if registration.method == "anytime":
        return items or None
    return max((look for look in registration.looks if look <= items), default=None)


def reach(registration: Registration, confidence: float | None) -> int:
    """How many registered cut-offs a confidence reaches."""
    return sum(confidence is not None and confidence >= cut_off for cut_off in registration.cut_offs)


def cells(registration: Registration, drawn: Sequence[Drawn], counted: Iterable[Counted]) -> list[Cell]:
    """Sample and population side by side. `drawn` is the sample up to a look, `counted` what it was drawn from."""
    found: dict[tuple[str | None, bool, int], list[int]] = {}
    for row in counted:
        found.setdefault((row.tier, row.alone, row.reach), [0, 0, 0, 0])[0] += row.n
    for item in thinned(drawn):
        cell = found.setdefault((item.tier, item.alone, reach(registration, item.confidence)), [0, 0, 0, 0])
        cell[1] += 1
        cell[2] += item.truth is True
        cell[3] += item.truth is None
    return [Cell(*key, *numbers) for key, numbers in found.items()]


def judge(registration: Registration, sample: Sequence[Cell], *, look: int | None) -> Verdict:
    """Test every cut-off, half of the error in a walk from the strictest on, half from the most lenient on.

    Each walk ends at its first failure (fixed-sequence testing, split in two: Angelopoulos and others, Learn then
    Test, 2021), so that neither few labels at one end nor a dip in the middle costs the rest.
    """
    if look is None:
        return Verdict(None, (), None)
    alpha = registration.error / 2
    tested = [_test(registration, sample, index, alpha=alpha) for index in range(len(registration.cut_offs))]
    proved: set[int] = set()
    for order in (range(len(tested) - 1, -1, -1), range(len(tested))):
        for index in order:
            if not tested[index].passed:
                break
            proved.add(index)
    lenient = min(proved, default=None)
    return Verdict(look, tuple(tested), registration.cut_offs[lenient] if lenient is not None else None)


def thinned(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Within a tier, as if the lowest rate of it had held all along: only then is it one simple random sample."""
    least: dict[str | None, float] = {}
    for item in drawn:
        least[item.tier] = min(item.rate, least.get(item.tier, 1.0))
    return [item for item in drawn if item.draw < least[item.tier]]


def _test(registration: Registration, sample: Sequence[Cell], index: int, *, alpha: float) -> Tested:
    cut_off, positive = registration.cut_offs[index], registration.positive_tiers
    low, high = _bounds(registration.method)
    taken = n = right = 0
    # Everybody else, by tier: the rest of a positive tier is a stratum of its own, since its rate is its own.
    rest: dict[str | None, list[int]] = {}
    for cell in sample:
        if cell.tier in positive and cell.alone and cell.reach > index:
            taken, n, right = taken + cell.n, n + cell.sampled, right + cell.positive
        else:
            stratum = rest.setdefault(cell.tier, [0, 0, 0])
            stratum[0] += cell.n
            stratum[1] += cell.sampled
            stratum[2] += cell.positive + cell.unanswered
    precision = Bound(right, n, low(right, n, alpha=alpha))
    strata = [(size, of, missed) for size, of, missed in rest.values() if size]
    share = alpha / (len(strata) + 1)
    found = taken * right / n if n else 0.0
    found_least = taken * low(right, n, alpha=share)
    missed = sum(size * (positives / of if of else 1.0) for size, of, positives in strata)
    missed_most = sum(size * high(positives, of, alpha=share) for size, of, positives in strata)
    recall_low = _ratio(found_least, found_least + missed_most)
    why = []
    if n < registration.smallest:
        why.append(f"{n} audit labels of leads at or above {cut_off:.0%}, {registration.smallest} are needed")
    if precision.low < registration.precision:
        why.append(
            f"precision is proved to be at least {precision.low:.1%}, the target is {registration.precision:.0%}"
        )
    if recall_low < registration.recall:
        why.append(f"recall is proved to be {recall_low:.1%} at least, the target is {registration.recall:.0%}")
    return Tested(cut_off, precision, _ratio(found, found + missed), recall_low, not why, tuple(why))


class _Low(NamedTuple):
    low: Callable[..., float]
    high: Callable[..., float]


def _bounds(method: Method) -> _Low:
    return _Low(exact.lower, exact.upper) if method == "looks" else _Low(exact.anytime_lower, exact.anytime_upper)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def labels_missing(registration: Registration, tested: Tested) -> int | None:
    """About how many more labels of automated leads a verdict on precision needs, if things stay as they look.

    None where what was seen is not above the target: more labels would not help, a better policy would.
    """
    right, n = tested.precision.right, tested.precision.n
    # A perfect record is not a promise; without any record, half of the way to perfect is supposed.
    truth = min(right / n, (right + 1) / (n + 2)) if n else (1 + registration.precision) / 2
    wanted = exact.labels_for(registration.precision, truth=truth, alpha=registration.error / 2)
    return None if wanted is None else max(0, max(wanted, registration.smallest) - n)
