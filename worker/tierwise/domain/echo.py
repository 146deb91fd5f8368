"""What the CRM shows in our fields, against what we want there: delivered, to be repaired, or a person's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from tierwise.domain.advice import VOLATILE, Advice, AdviceValue
from tierwise.domain.lead import digest

Written = Mapping[str, Collection[str]]
"""Short digests of every value we ever wrote, by field."""


class Echo(NamedTuple):
    """Comparison of one record's own fields with the desired ones."""

    delivered: bool
    """Every field holds what we want, or is a person's."""
    repair: tuple[str, ...]
    """Fields that hold an earlier value of ours, or nothing though we wrote there."""
    kept: tuple[str, ...]
    """Fields in which a person put something of their own: never overwritten."""


def mark(value: AdviceValue) -> str:
    """Short digest of a value, equal for equal values whatever the order of a multi-choice."""
    plain: object = sorted(value) if isinstance(value, tuple | list) else value
    if isinstance(plain, str):
        # CRMs trim texts and have line ends of their own; neither is a person's edit.
        plain = "\n".join(line.rstrip() for line in plain.strip().splitlines())
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    return digest(plain or None if plain in ("", []) else plain)[:16]


def same(left: AdviceValue, right: AdviceValue) -> bool:
    """Equal as far as a CRM can tell: "" and no option are None, 82.0 is 82, options have no order, ends no blanks."""
    return mark(left) == mark(right)


def compare(*, desired: Advice, seen: Advice, written: Written) -> Echo:
    """Field by field. `seen` holds the fields that the CRM returned; a field it lacks reads as empty."""
    repair, kept = [], []
    for name, value in desired.items():
        shown = seen.get(name)
        if same(shown, value):
            continue
        if same(shown, None) or mark(shown) in written.get(name, ()):
            repair.append(name)
        else:
            kept.append(name)
    delivered = all(name in VOLATILE for name in repair)
    return Echo(delivered=delivered, repair=() if delivered else tuple(repair), kept=tuple(kept))


def changes(*, desired: Advice, known: Advice, kept: Collection[str] = ()) -> dict[str, AdviceValue]:
    """The fields to send: those that differ from what the CRM holds. Empty when only volatile ones do."""
    differing = {
        name: value for name, value in desired.items() if name not in kept and not same(known.get(name), value)
    }
    return {} if all(name in VOLATILE for name in differing) else differing
