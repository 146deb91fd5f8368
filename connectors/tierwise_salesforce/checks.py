"""What `tierwise connections check` says of an org: each line proves one thing, or names the remedy.

Reads only. A line that cannot be proved says so; it never guesses that all is well.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from tierwise import sdk
from tierwise.sdk import http
from tierwise_salesforce import schema, values
from tierwise_salesforce.client import Client

_SKEW = 60.0  # seconds between the clocks that are worth a word


def run(
    client: Client,
    *,
    name: str,
    wanted: Sequence[str],
    fields: Sequence[sdk.AdviceField],
    hidden: Callable[[], Sequence[str]] = tuple,
) -> list[sdk.Check]:
    """All lines; without a login only that one. RetryLater where Salesforce cannot be asked at all.

    `hidden` names objects that would tell outcomes and that the user does not see.
    """
    try:
        held = schema.fields(client, fresh=True)
    except http.HttpRefused as refused:
        return [sdk.Check("address", False, refused.message, refused.remedy or "check my_domain and api_version")]
    except sdk.PauseConnection as refused:
        return [sdk.Check("login", False, refused.message, refused.remedy or "check client_id and token_file")]
    return [
        sdk.Check("login", True, f"{client.settings.auth}, API {client.settings.api_version}"),
        *_mapped(held, wanted, name=name, object_type=client.settings.object_type),
        *_own(held, fields),
        _outcomes(hidden()),
        _quota(client),
        _clock(client),
    ]


def _mapped(held: schema.Fields, wanted: Sequence[str], *, name: str, object_type: str) -> Iterator[sdk.Check]:
    names = list(dict.fromkeys(wanted))
    missing = [one for one in names if one not in held]
    formulas = schema.calculated(held, names)
    if not missing and not formulas:
        yield sdk.Check("mapped fields", True, f"all {len(names)} exist and are no formulas")
    for one in missing:
        close = difflib.get_close_matches(one, held, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        remedy = f"{hint}Correct the map of {name}, or grant the field by a permission set"
        yield sdk.Check(f"field {one}", False, f"{object_type} has no such field, or hides it from the user", remedy)
    for one in formulas:
        detail = "is a formula: its changes move no time stamp and would never be seen"
        yield sdk.Check(f"field {one}", False, detail, schema.formula_remedy([one]))


def _own(held: schema.Fields, fields: Sequence[sdk.AdviceField]) -> Iterator[sdk.Check]:
    steps = [schema.compare(field, held.get(values.field_name(field.name))) for field in fields]
    wrong = [step for step in steps if step.action in {"create", "conflict"}]
    if not wrong:
        yield sdk.Check("own fields", True, f"all {len(steps)} exist and the user may write them")
    for step in wrong:
        yield sdk.Check(f"field {step.name}", False, step.detail, f"{schema.DEPLOY}; {schema.GRANT}")


def _outcomes(hidden: Sequence[str]) -> sdk.Check:
    """No failure: who does not want them known keeps them hidden."""
    if not hidden:
        return sdk.Check("outcomes", True, "opportunities, tasks and events are seen")
    return sdk.Check("outcomes", True, f"without {', '.join(hidden)}, which the user does not see")


def _quota(client: Client) -> sdk.Check:
    usage = client.usage()
    if usage is None:
        return sdk.Check("API calls", True, "Salesforce does not tell how many are left")
    detail = f"{usage.allowed - usage.used:,} of {usage.allowed:,} calls of the last 24 hours left"
    if usage.used < usage.allowed * (100.0 - client.settings.reserve_percent) / 100.0:
        return sdk.Check("API calls", True, detail)
    remedy = "find the app that uses them up (Setup, System Overview), or lower reserve_percent"
    return sdk.Check("API calls", False, detail, remedy)


def _clock(client: Client) -> sdk.Check:
    there = client.server_time()
    if there is None:
        remedy = "keep this machine's clock right (NTP): windows of change are cut by it"
        return sdk.Check("clock", False, "Salesforce's answers carry no time", remedy)
    skew = (datetime.now(UTC) - there).total_seconds()
    if abs(skew) > _SKEW:
        remedy = "set this machine's clock (NTP): logins are signed with it"
        return sdk.Check("clock", False, f"this machine's clock is {skew:+.0f} s off Salesforce's", remedy)
    return sdk.Check("clock", True, "agrees with Salesforce's")
