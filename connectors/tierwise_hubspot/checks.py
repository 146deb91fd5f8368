"""What `tierwise connections check` says of a portal: each line proves one thing, or names the remedy.

Reads only. A line that cannot be proved says so; it never guesses that all is well.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tierwise import sdk
from tierwise.sdk import http
from tierwise_hubspot import associations, outcomes, properties, quota
from tierwise_hubspot.client import Client, server_time

_QUOTA_LEFT = 0.1  # below this part of the day's calls the line fails
_SKEW = 60.0  # seconds between the clocks that are worth a word
_ANYTHING = {"filterGroups": [], "sorts": [], "properties": [], "limit": 1, "after": "0"}
_TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105  (a path)


def run(client: Client, *, name: str, wanted: Sequence[str], fields: Sequence[sdk.AdviceField]) -> list[sdk.Check]:
    """All lines; without a valid token only that one. RetryLater where HubSpot cannot be asked at all."""
    try:
        headers = client.headers(client.account("details"))
        granted = _granted(client)
    except http.HttpRefused as refused:
        return [sdk.Check("address", False, refused.message, refused.remedy)]
    except sdk.PauseConnection as refused:
        return [sdk.Check("token", False, refused.message, refused.remedy)]
    lines = [sdk.Check("token", True, "accepted")]
    asked = associations.split(wanted, place=client.place)
    lines += _scopes(client, granted, [associations.PREFIXES[prefix] for prefix in asked.others])
    try:
        held = properties.definitions(client)
        theirs = {prefix: properties.definitions(client, associations.PREFIXES[prefix]) for prefix in asked.others}
    except (sdk.PauseConnection, http.HttpRefused) as refused:
        lines.append(sdk.Check("properties", False, refused.message, refused.remedy))
    else:
        known = {f"{prefix}.{one}": text for prefix, some in theirs.items() for one, text in some.items()}
        lines += _mapped(held | known, wanted, name=name)
        lines += _own(held, fields, name=name)
    lines += [_quota(client), _clock(headers)]
    return lines


def _granted(client: Client) -> frozenset[str] | None:
    """Scopes of the token; None where HubSpot does not tell (service keys)."""
    try:
        answer = client.call("POST", _TOKEN_INFO, {"tokenKey": client.token})
    except http.HttpRefused:
        return None
    return frozenset(str(scope) for scope in answer.get("scopes") or ())


def _scopes(client: Client, granted: frozenset[str] | None, others: Sequence[str]) -> Iterator[sdk.Check]:
    kind = client.settings.kind
    needed = [f"crm.objects.{kind}.read", f"crm.objects.{kind}.write", f"crm.schemas.{kind}.read"]
    for other in others:
        needed += [f"crm.objects.{other}.read", f"crm.schemas.{other}.read"]
    needed = list(dict.fromkeys(needed))
    if granted is None:
        yield _readable(client, needed)
        return
    missing = [scope for scope in needed if scope not in granted]
    if missing:
        remedy = f"grant {', '.join(missing)} to the app, then put its new token into the settings"
        yield sdk.Check("scopes", False, f"missing: {', '.join(missing)}", remedy)
    else:
        yield sdk.Check("scopes", True, ", ".join(needed))
    schemas = f"crm.schemas.{kind}.write"
    detail = "granted" if schemas in granted else "not granted: provision cannot create fields, all else works"
    yield sdk.Check(schemas, True, detail)
    if outcomes.DEALS_SCOPE not in granted:
        yield sdk.Check(outcomes.DEALS_SCOPE, True, "not granted: what becomes of deals is not told, all else works")


def _readable(client: Client, needed: Sequence[str]) -> sdk.Check:
    """Scopes that are not listed: reading is tried, writing cannot be without writing."""
    try:
        client.call("POST", client.objects("search"), _ANYTHING)
    except sdk.PauseConnection as refused:
        remedy = refused.remedy or f"grant {', '.join(needed)}"
        return sdk.Check("scopes", False, refused.message, remedy)
    return sdk.Check("scopes", True, f"reading works; not listed for this kind of token, needed: {', '.join(needed)}")


def _mapped(held: Mapping[str, Any], wanted: Sequence[str], *, name: str) -> Iterator[sdk.Check]:
    missing = [one for one in dict.fromkeys(wanted) if one not in held]
    if not missing:
        yield sdk.Check("mapped properties", True, f"all {len(set(wanted))} exist")
    for one in missing:
        close = difflib.get_close_matches(one, held, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        remedy = f"{hint}Correct the map of {name}, or create the property in HubSpot"
        yield sdk.Check(f"property {one}", False, "the portal has no such property", remedy)


def _own(held: Mapping[str, Any], fields: Sequence[sdk.AdviceField], *, name: str) -> Iterator[sdk.Check]:
    found = [properties.compare(field, held.get(field.name)).step for field in fields]
    wrong = [step for step in found if step.action != "keep"]
    if not wrong:
        yield sdk.Check("own fields", True, f"all {len(found)} exist with their options")
    for step in wrong:
        if step.action == "conflict":
            yield sdk.Check(f"field {step.name}", False, step.detail, "then run check again")
        else:
            detail = "is missing" if step.action == "create" else f"lacks something: {step.detail}"
            yield sdk.Check(f"field {step.name}", False, detail, f"tierwise connections provision {name}")


def _quota(client: Client) -> sdk.Check:
    try:
        answer = client.call("GET", client.account("api-usage/daily/private-apps"))
    except sdk.PauseConnection:
        return sdk.Check("daily quota", True, "HubSpot does not tell it for this kind of token")
    usage = quota.entry(answer)
    if usage is None:
        return sdk.Check("daily quota", True, "HubSpot names no limit")
    client.daily.learn(usage)
    limit, used = int(usage["usageLimit"]), int(usage.get("currentUsage") or 0)
    detail = f"{limit - used:,} of {limit:,} calls left until {usage.get('resetsAt') or 'midnight'}"
    reserve = client.settings.reserve_percent
    if client.daily.spent():
        remedy = "find the app that uses them up, buy more calls from HubSpot, or set reserve_percent to keep less"
        return sdk.Check("daily quota", False, f"{detail}; {reserve} % are kept for people: Tierwise waits", remedy)
    detail = f"{detail}; {reserve} % are kept for people"
    if limit - used >= limit * _QUOTA_LEFT:
        return sdk.Check("daily quota", True, detail)
    return sdk.Check("daily quota", False, detail, "find the app that uses them up, or buy more calls from HubSpot")


def _clock(headers: Mapping[str, str]) -> sdk.Check:
    there = server_time(headers)
    if there is None:
        remedy = "keep this machine's clock right (NTP): windows of change are cut by it"
        return sdk.Check("clock", False, "HubSpot's answers carry no time", remedy)
    skew = (datetime.now(UTC) - there).total_seconds()
    if abs(skew) > _SKEW:
        remedy = "set this machine's clock (NTP); reading goes by HubSpot's clock meanwhile"
        return sdk.Check("clock", False, f"this machine's clock is {skew:+.0f} s off HubSpot's", remedy)
    return sdk.Check("clock", True, "agrees with HubSpot's")
