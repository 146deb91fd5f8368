"""Field map x record -> canonical lead with provenance, or why not.

A map belongs to sales ops: a file of the policy, checked on load, with tests of its own. No message and no note here
repeats a value: only `provenance` holds raw values, beside the lead itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from tierwise.domain import identity, transforms
from tierwise.domain.complaints import Complaint, tell
from tierwise.domain.lead import CATALOGUE, MAX_TEXT, Lead, digest
from tierwise.domain.numbers import Mark, Take
from tierwise.domain.rubric import Frozen
from tierwise.domain.transforms import TRANSFORMS, Options, Result
from tierwise.errors import RejectRecord

# The transform of a field whose rule names none.
DEFAULT_TRANSFORMS: Mapping[str, str] = {
    "email": "email", "phone": "phone", "company_domain": "domain", "employee_count": "range", "industry": "industry",
    "annual_revenue": "money", "monthly_volume": "range", "source": "touchpoint", "country": "country",
    "region": "picklist", "submitted_at": "timestamp", "lifecycle": "picklist",
}  # fmt: skip
_LONGEST_RAW = 8 * MAX_TEXT  # characters: longer ones are cut before anything looks at them


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class FieldRule(Frozen):
    """How one canonical field is read. In a file a bare property name, or a list of them, is a rule too."""

    # Files, digests and the database say `from`, which Python cannot.
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    properties: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(alias="from", min_length=1)
    """Properties in order of preference; the first that holds something readable wins."""
    transform: str | None = None
    """Name of the transform; None takes the field's usual one."""
    required: bool = False
    """A record without it does not conform."""
    take: Take | None = None
    """Which number of a range: low, middle (default) or high."""
    values: Mapping[str, str] = Field(default_factory=dict)
    """Option of the property -> canonical value, whatever the case of the option."""
    otherwise: str | None = None
    """Canonical value of options that are not listed; without it they cannot be read."""
    default_region: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """Country in which numbers without a country code are dialled, where the record names none."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """Currency of amounts that name none; without it that of the field."""
    rates: Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    """US dollars for one unit of another currency; amounts in a currency without a rate cannot be read."""
    decimal_mark: Mark | None = None
    """Fixed where a machine writes the property; else both are understood and "1.000" is a thousand."""
    per: Literal["month"] | None = None
    """Convert what names another period ("100 per day")."""

    @property
    def options(self) -> frozenset[str]:
        """Names of the options that are set."""
        return frozenset(name for name in _OPTIONS if getattr(self, name))


_OPTIONS = ("take", "values", "otherwise", "default_region", "currency", "rates", "decimal_mark", "per")


class MapTest(Frozen):
    """A test inside the map: a record, and the canonical fields it must give (null: absent), or that it is rejected."""

    name: str
    record: Mapping[str, Any]
    expect: Mapping[str, Any] = Field(default_factory=dict)
    reject: bool = False

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        tell(self, self._complaints(), info)
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.reject == bool(self.expect):
            yield Complaint(("expect",), f"test '{self.name}': give either `expect` or `reject: true`", key=True)
        yield from _known("expect", self.expect)


def _shorthand(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: {"from": rule} if isinstance(rule, str | list) else rule for name, rule in value.items()}


class FieldMap(Frozen):
    """Canonical fields from one connector type's properties."""

    connector: str
    object: str | None = None
    """Kind of record, where the connector knows several (`contacts`)."""
    owner: str
    version: str
    fields: Annotated[Mapping[str, FieldRule], BeforeValidator(_shorthand)] = Field(min_length=1)
    require: tuple[str, ...] = ()
    """At least one of these must be present after mapping, or the record does not conform."""
    tests: tuple[MapTest, ...] = ()

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        tell(self, self._complaints(), info)
        return self

    def _complaints(self) -> Iterator[Complaint]:
        yield from _known("fields", self.fields)
        yield from _known("require", self.require)
        for name, rule in self.fields.items():
            if name in CATALOGUE:
                yield from _check(name, rule)
        names = [test.name for test in self.tests]
        for n, name in enumerate(names):
            if name in names[:n]:
                yield Complaint(("tests", n, "name"), f"two tests have the same name: '{name}'", "rename one of them")


class Mapped(NamedTuple):
    """What a record became."""

    lead: Lead
    provenance: dict[str, dict[str, Any]]
    """Canonical field -> {"from": property, "raw": value, "transform": name, "note": text}; JSON values."""
    problems: tuple[str, ...]
    """One sentence for every field that held something unreadable; no values."""


def properties(field_map: FieldMap) -> tuple[str, ...]:
    """All source properties, sorted."""
    return tuple(sorted({name for rule in field_map.fields.values() for name in rule.properties}))


def raw_fingerprint(field_map: FieldMap, record: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the mapped properties as they came: for records that do not conform."""
    return digest({name: _plain(record.get(name)) for name in properties(field_map)})


def apply(field_map: FieldMap, record: Mapping[str, Any]) -> Mapped:
    """The lead in a record, with where every field came from. Raises RejectRecord where it does not conform."""
    values: dict[str, Any] = {}
    provenance: dict[str, dict[str, Any]] = {}
    problems: dict[str, str] = {}
    # The country first: a phone number without a country code is dialled there.
    for name in sorted(field_map.fields, key=lambda name: name != "country"):
        rule = field_map.fields[name]
        tried: list[str] = []
        for source in rule.properties:
            raw = record.get(source)
            listed = isinstance(raw, str) and bool(rule.values) and _is_option(raw, rule)
            if transforms.is_empty(raw) and not listed:
                continue
            try:
                found = _read(name, raw, rule=rule, country=values.get("country"))
            except ValueError as error:
                tried.append(f"{source} {error}")
                provenance.setdefault(name, _entry(source, raw, _transform(name, rule), note=""))
                continue
            values[name] = found.value
            note = "; ".join([*tried, *filter(None, [found.note])])
            provenance[name] = _entry(source, raw, _transform(name, rule), note=note)
            break
        else:
            if tried:
                problems[name] = f"{name}: {'; '.join(tried)}"
                provenance[name]["note"] = f"not read: {'; '.join(tried)}"
            if rule.required:
                raise RejectRecord(
                    f"{name} is required: {'; '.join(tried) or 'nothing stands in ' + ', '.join(rule.properties)}"
                )
    _derive(values, provenance)
    if field_map.require and not any(name in values for name in field_map.require):
        unread = [problems[name] for name in field_map.require if name in problems]
        missing = f"the record has none of {', '.join(field_map.require)}"
        raise RejectRecord("; ".join([missing, *unread]))
    return Mapped(
        lead=_lead(values),
        provenance={name: provenance[name] for name in CATALOGUE if name in provenance},
        problems=tuple(problems[name] for name in CATALOGUE if name in problems),
    )


def run_tests(field_map: FieldMap) -> list[str]:
    """The map's own tests; one sentence for every one that fails."""
    return [failure for test in field_map.tests for failure in _failures(field_map, test)]


def _failures(field_map: FieldMap, test: MapTest) -> list[str]:
    try:
        mapped = apply(field_map, test.record)
    except RejectRecord as error:
        return [] if test.reject else [f"test '{test.name}': the record was rejected: {error.message}"]
    if test.reject:
        return [f"test '{test.name}': the record was to be rejected and was not"]
    found = mapped.lead.model_dump(mode="json")
    failures = []
    for name, expected in test.expect.items():
        try:
            wanted = _comparable(name, expected)
        except ValueError as error:
            failures.append(f"test '{test.name}': {name}: {expected!r} {error}")
            continue
        if found[name] != wanted or isinstance(found[name], bool) != isinstance(wanted, bool):
            failures.append(f"test '{test.name}': {name} is {found[name]!r}, expected {wanted!r}")
    return failures


def _comparable(name: str, expected: Any) -> Any:
    """What a test expects as the lead's JSON has it: a time may be written in any zone."""
    if CATALOGUE[name].kind != "timestamp" or expected is None:
        return expected
    return Lead.model_validate({name: transforms.timestamp(expected)}).model_dump(mode="json")[name]


def _read(name: str, raw: Any, *, rule: FieldRule, country: str | None) -> Result:
    info = CATALOGUE[name]
    own = {value: value for value in info.values}
    options = Options(
        take=rule.take or "middle",
        values={**own, **rule.values},
        otherwise=rule.otherwise,
        default_region=country or rule.default_region,
        currency=rule.currency,
        into=info.unit if info.kind == "decimal" and info.unit.isupper() else None,
        rates=rule.rates,
        decimal_mark=rule.decimal_mark,
        per=rule.per,
    )
    short = raw[:_LONGEST_RAW] if isinstance(raw, str) else raw
    found = transforms.fit(TRANSFORMS[_transform(name, rule)].run(short, options), info.kind)
    if isinstance(found.value, str) and len(found.value) > MAX_TEXT:
        cut = found.value[:MAX_TEXT].rstrip()
        return Result(cut, "; ".join(filter(None, [found.note, f"cut to {MAX_TEXT} characters"])))
    return found


def _is_option(raw: str, rule: FieldRule) -> bool:
    """The map itself gives "unknown" or "-" a meaning."""
    folded = transforms.clean(raw).casefold()
    return any(transforms.clean(option).casefold() == folded for option in rule.values)


def _derive(values: dict[str, Any], provenance: dict[str, dict[str, Any]]) -> None:
    """What follows from other fields, with their provenance; nothing that the record itself states is replaced."""

    def derive(name: str, value: str | None, source: str) -> None:
        if value is not None and name not in values:
            values[name] = value
            origin, unread = provenance[source], provenance.get(name, {}).get("note", "")
            note = "; ".join(filter(None, [f"from {source}", unread]))
            provenance[name] = _entry(origin["from"], origin["raw"], "derived", note=note)

    if (email := values.get("email")) is not None:
        kind = identity.email_kind(email)
        derive("email_kind", kind, "email")
        if kind == "business":
            derive("company_domain", identity.company_domain(email), "email")
    if (country := values.get("country")) is not None:
        derive("region", identity.region(country), "country")


def _lead(values: Mapping[str, Any]) -> Lead:
    try:
        return Lead(**values)
    except ValidationError as error:
        # Pydantic's own message would repeat the values.
        names = sorted({str(place) for item in error.errors() for place in item["loc"]})
        raise RejectRecord(f"not a lead: {', '.join(names)} cannot be what the map makes of it") from None


def _entry(source: str, raw: Any, transform: str, *, note: str) -> dict[str, Any]:
    return {"from": source, "raw": _plain(raw), "transform": transform, "note": note}


def _plain(raw: Any) -> Any:
    """The value as JSON and every database take it."""
    if raw is None or isinstance(raw, bool | int) or (isinstance(raw, float) and math.isfinite(raw)):
        return raw
    text = raw if isinstance(raw, str) else str(raw)
    # PostgreSQL stores no NUL, UTF-8 has no lone surrogates.
    return text[:MAX_TEXT].replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _transform(name: str, rule: FieldRule) -> str:
    return rule.transform or DEFAULT_TRANSFORMS.get(name, "text")


def _check(name: str, rule: FieldRule) -> Iterator[Complaint]:
    """What is wrong with the rule of a field of the catalogue."""
    info = CATALOGUE[name]
    chosen, here = _transform(name, rule), ("fields", name)
    if chosen not in TRANSFORMS:
        text = f"fields.{name}: no such transform: '{chosen}'"
        yield Complaint((*here, "transform"), text, word=chosen, choices=tuple(TRANSFORMS))
        return
    transform = TRANSFORMS[chosen]
    if info.kind not in transform.gives:
        fitting = ", ".join(item.name for item in TRANSFORMS.values() if info.kind in item.gives)
        text = f"fields.{name}: '{chosen}' does not make a {info.kind}; these do: {fitting}"
        yield Complaint((*here, "transform"), text)
    for option in sorted(rule.options - transform.options):
        text = f"fields.{name}: '{chosen}' does not take {option}"
        yield Complaint((*here, option), text, "remove it, or name a transform that takes it", key=True)
    if chosen == "picklist" and not rule.values and not info.values:
        text = f"fields.{name}: a picklist needs `values`"
        yield Complaint(here, text, "values: {an option of the property: the value that it means}")
    if info.values:
        meant: list[tuple[tuple[str, ...], str]] = [
            ((*here, "values", option), value) for option, value in rule.values.items()
        ]
        if rule.otherwise:
            meant.append(((*here, "otherwise"), rule.otherwise))
        for path, value in meant:
            if value not in info.values:
                text = f"fields.{name}: '{value}' is not one of {', '.join(info.values)}"
                yield Complaint(path, text, word=value, choices=info.values)


def _known(place: str, names: Iterable[str]) -> Iterator[Complaint]:
    for n, name in enumerate(names):
        path = (place, n if place == "require" else name)
        if name not in CATALOGUE:
            text = f"{place}: '{name}' is not a lead field"
            yield Complaint(path, text, word=name, choices=tuple(CATALOGUE), key=place != "require")
        elif place == "fields" and CATALOGUE[name].derived:
            yield Complaint(path, f"{place}: '{name}' is derived by Tierwise; a map cannot set it", key=True)
