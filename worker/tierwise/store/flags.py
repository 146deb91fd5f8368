"""The flag, the kill switch and open alerts; and, in one transaction, everything that automation stands on."""

from __future__ import annotations

import builtins
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import datetime

import sqlalchemy as sa

from tierwise import errors
from tierwise.domain import ageing, gate, rollout
from tierwise.ports.automation import Alert, FlagVersion, KillChange, Running, Standing
from tierwise.sdk import Notice
from tierwise.store import activation, admin_events, columns, engine, people, schema, telling

VERSION = schema.flag_version
KILL = schema.kill_switch
ALERT = schema.alert_state
DEPENDS_ON = (
    *("kill_switch", "flag_version", "validation_report", "alert_state"),
    *("policy_activation", "calibration_activation"),
)
"""Tables that must not change between the check and the intent that follows from it."""
PAGE = 100


class Flags:
    """ports.automation.Flags over the database."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database

    def standing(self, running: Running, *, now: datetime) -> Standing:
        """What automation stands on."""
        return self._database.write(lambda connection: standing(self._database, connection, running, now=now))

    def put(
        self,
        flag: rollout.Flag,
        *,
        by: str,
        machine: bool,
        reason: str,
        now: datetime,
        notice: Notice | None = None,
    ) -> FlagVersion:
        """Lower it, and tell people. Refused where that would switch anything on, or where a person has no right to."""

        def why_not(connection: sa.Connection, held: FlagVersion | None) -> list[str]:
            if not rollout.lowers(held.flag if held else None, flag):
                return [
                    "a machine may only lower automation" if machine else "this raises it: gate and stage are asked"
                ]
            why = None if machine else people.why_not(connection, by, ("admin", "ops"))
            return [why] if why is not None else []

        made = self._add(flag, why_not, by=by, machine=machine, reason=reason, now=now, notice=notice)
        if isinstance(made, list):
            raise errors.Refused("; ".join(made), place=f"flag {rollout.FLAG}", remedy="an admin raises it")
        return made

    def change(
        self, flag: rollout.Flag, *, by: str, reason: str, running: Running, now: datetime, base: int | None = None
    ) -> FlagVersion | builtins.list[str]:
        """Raise or lower it for a person, or why not, in words. Gate, stage and version are read in the transaction."""

        def why_not(connection: sa.Connection, held: FlagVersion | None) -> list[str]:
            before = held.flag if held else None
            if base is not None and held is not None and base != held.id:
                return [
                    f"{held.by} has changed it since you looked: it is at {held.flag.percentage} % (version {held.id})"
                ]
            no = people.why_not(connection, by, ("admin", "ops") if rollout.lowers(before, flag) else ("admin",))
            if no is not None:
                return [no]
            ran = rollout.stage((version.flag, version.at) for version in _versions(connection))
            return rollout.refuses(
                before,
                flag,
                ran=ran,
                automated=_automated(connection, ran.since) if ran is not None else 0,
                gate=standing(self._database, connection, running, now=now).gate,
                now=now,
            )

        return self._add(flag, why_not, by=by, machine=False, reason=reason, now=now)

    def _add(
        self,
        flag: rollout.Flag,
        why_not: Callable[[sa.Connection, FlagVersion | None], builtins.list[str]],
        *,
        by: str,
        machine: bool,
        reason: str,
        now: datetime,
        notice: Notice | None = None,
    ) -> FlagVersion | builtins.list[str]:
        """The version, or why there is none; either is recorded."""

        def work(connection: sa.Connection) -> FlagVersion | builtins.list[str]:
            _hold(self._database, connection, VERSION.name)
            held = current(connection)
            why = why_not(connection, held)
            admin_events.note(
                connection, by, "flags.set", subject=f"flag {rollout.FLAG}", reason=reason, now=now,
                refused="; ".join(why) or None, before=held.flag.model_dump(mode="json") if held else None,
                after=flag.model_dump(mode="json"),
            )  # fmt: skip
            if why:
                return why
            row = {
                "key": rollout.FLAG, "body": flag.model_dump(mode="json"),
                "by": by, "machine": machine, "reason": reason, "at": now,
            }  # fmt: skip
            new = connection.execute(sa.insert(VERSION).values(row).returning(VERSION.c.id)).scalar_one()
            if notice is not None:
                telling.tell(self._database, connection, notice, now=now)
            return FlagVersion(new, flag, by, machine, reason, now)

        return self._database.write(work)

    def history(self, *, limit: int = 50) -> builtins.list[FlagVersion]:
        """The newest first."""
        with self._database.read() as reader:
            return list(itertools.islice(_versions(reader), limit))

    def kill(self, *, on: bool, by: str, reason: str, now: datetime) -> KillChange:
        """Throw the switch, or take it back."""

        def work(connection: sa.Connection) -> KillChange | str:
            # Whoever reaches the database may stop it; only an admin lets it go on.
            why = None if on else people.why_not(connection, by, ("admin",))
            action = "flags.kill" if on else "flags.unkill"
            admin_events.note(connection, by, action, subject="kill switch", reason=reason, now=now, refused=why)
            if why is not None:
                return why
            row = {"on": on, "by": by, "reason": reason, "at": now}
            new = connection.execute(sa.insert(KILL).values(row).returning(KILL.c.id)).scalar_one()
            return KillChange(new, on, by, reason, now)

        made = self._database.write(work)
        if isinstance(made, str):
            raise errors.Refused(made, place="kill switch", remedy="an admin takes it back")
        return made

    def kills(self, *, limit: int = 50) -> builtins.list[KillChange]:
        """The newest first."""
        query = sa.select(KILL.c.id, KILL.c.on, KILL.c.by, KILL.c.reason, KILL.c.at).order_by(KILL.c.id.desc())
        with self._database.read() as reader:
            return [KillChange._make(row) for row in reader.execute(query.limit(limit))]

    def alert(self, kind: str, scope: str, detail: str, *, now: datetime) -> bool:
        """Open it; False where it is open already."""
        row = {"kind": kind, "scope": scope, "detail": detail, "opened_at": now}
        statement = self._database.insert(ALERT).values(row).on_conflict_do_nothing().returning(ALERT.c.id)
        return self._database.write(lambda connection: connection.execute(statement).first() is not None)

    def close_alert(self, alert_id: int, *, by: str, now: datetime) -> bool:
        """False where it is not open."""
        statement = sa.update(ALERT).where(ALERT.c.id == alert_id, ALERT.c.closed_at.is_(None))
        closed = statement.values(closed_at=now, closed_by=by)
        return self._database.write(lambda connection: connection.execute(closed).rowcount == 1)

    def alerts(self, *, everything: bool = False) -> builtins.list[Alert]:
        """Open ones, or all; the oldest first."""
        with self._database.read() as reader:
            return _alerts(reader, everything=everything)


def standing(database: engine.Database, connection: sa.Connection, running: Running, *, now: datetime) -> Standing:
    """Read under a lock that whoever changes any of it waits for: it holds until the transaction ends."""
    _hold(database, connection, *DEPENDS_ON)
    query = sa.select(KILL.c.on, KILL.c.by, KILL.c.reason).order_by(KILL.c.id.desc()).limit(1)
    switch = connection.execute(query).one_or_none()
    held = current(connection)
    open_alerts = [f"{item.kind} ({item.scope}): {item.detail}" for item in _alerts(connection, everything=False)]
    chain, policy = gate.chain(running.models, _calibration(connection)), _active(connection)
    found = gate.gate(
        _report(connection, policy=policy, chain=chain),
        policy=policy,
        chain=chain,
        offline=running.offline,
        staging=running.staging,
        alerts=open_alerts,
        now=now,
    )
    return Standing(
        gate=found,
        chain=chain,
        policy=policy,
        kill=rollout.Kill(switch.by, switch.reason) if switch is not None and switch.on else None,
        flag=held.flag if held else None,
        version=held.id if held else 0,
    )


def current(connection: sa.Connection) -> FlagVersion | None:
    """The flag as it is."""
    return next(_versions(connection), None)


def _versions(connection: sa.Connection) -> Iterator[FlagVersion]:
    """The newest first, read as far as they are asked for."""
    query = sa.select(VERSION).where(VERSION.c.key == rollout.FLAG).order_by(VERSION.c.id.desc())
    last: int | None = None
    while True:
        page = query.where(VERSION.c.id < last) if last is not None else query
        rows = connection.execute(page.limit(1 if last is None else PAGE)).all()
        yield from (_version(row) for row in rows)
        if not rows:
            return
        last = rows[-1].id


def _automated(connection: sa.Connection, since: datetime) -> int:
    table = schema.automation
    query = sa.select(sa.func.count()).where(table.c.state == columns.literal("written"), table.c.at >= since)
    return int(connection.execute(query).scalar_one())


def _hold(database: engine.Database, connection: sa.Connection, *tables: str) -> None:
    """SQLite has one writer at a time already. On PostgreSQL, SHARE waits for who is writing and keeps others out."""
    if not database.is_sqlite:
        mode = "SHARE" if len(tables) > 1 else "SHARE ROW EXCLUSIVE"
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")


def _active(connection: sa.Connection) -> str | None:
    row = activation.running(connection, "production")
    return row.digest if row is not None else None


def _calibration(connection: sa.Connection) -> str | None:
    table = schema.calibration_activation
    return connection.execute(sa.select(table.c.digest).order_by(table.c.id.desc()).limit(1)).scalar_one_or_none()


def _report(connection: sa.Connection, *, policy: str | None, chain: str) -> gate.Report | None:
    """The newest one of what runs; where there is none, the newest of all tells what it is of instead."""
    report, registered = schema.validation_report, schema.registration
    query = (
        sa.select(report.c.digest, report.c.passed, report.c.body, registered.c.policy, registered.c.chain)
        .join(registered, registered.c.digest == report.c.registration)
        .order_by(sa.case((sa.and_(registered.c.policy == policy, registered.c.chain == chain), 0), else_=1))
        .order_by(report.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    body = json.loads(row.body)
    newest = body.get("newest_label_at")
    return gate.Report(
        digest=row.digest,
        policy=row.policy,
        chain=row.chain,
        passed=row.passed,
        cut_off=body.get("cut_off"),
        positive_tiers=tuple(body["registration"]["positive_tiers"]),
        newest_label_at=datetime.fromisoformat(newest) if newest else None,
        most_age_days=int(body["registration"]["most_age_days"]),
        why=tuple(body.get("reasons", ())),
        measured=ageing.read(body),
    )


def _alerts(connection: sa.Connection, *, everything: bool) -> builtins.list[Alert]:
    query = sa.select(*(ALERT.c[name] for name in Alert._fields)).order_by(ALERT.c.id)
    if not everything:
        query = query.where(ALERT.c.closed_at.is_(None))
    return [Alert._make(row) for row in connection.execute(query)]


def _version(row: sa.Row[tuple[object, ...]]) -> FlagVersion:
    held = row._mapping
    flag = rollout.Flag.model_validate(held["body"])
    return FlagVersion(held["id"], flag, held["by"], held["machine"], held["reason"], held["at"])
