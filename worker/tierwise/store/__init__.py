"""Everything that is stored. The pipeline sees `ports.Store`; what is behind it is SQLite or PostgreSQL."""

from __future__ import annotations

from tierwise import errors
from tierwise.store import engine, migrations, schema
from tierwise.store.admin_events import AdminEvents
from tierwise.store.assessments import Assessments
from tierwise.store.automations import Automations
from tierwise.store.backtests import Backtests
from tierwise.store.batches import Batches
from tierwise.store.calibrations import Calibrations
from tierwise.store.connections import Connections
from tierwise.store.cursors import Cursors
from tierwise.store.decisions import Decisions
from tierwise.store.erasure import Persons
from tierwise.store.flags import Flags
from tierwise.store.gates import Gates
from tierwise.store.health import AccountHealth
from tierwise.store.heartbeats import Heartbeats
from tierwise.store.kept import Kept
from tierwise.store.labels import Labels
from tierwise.store.leads import Leads
from tierwise.store.migrations import current, upgrade
from tierwise.store.money import Money
from tierwise.store.notifications import Notifications
from tierwise.store.outbox import Outbox
from tierwise.store.people import People
from tierwise.store.pilots import Pilots
from tierwise.store.policies import Policies
from tierwise.store.reviews import Reviews
from tierwise.store.shadows import Shadows
from tierwise.store.slots import Slots
from tierwise.store.works import Works

__all__ = ["Kept", "SqlStore", "current", "open_store", "upgrade"]


class SqlStore:
    """ports.Store over one database. One object per process; safe to use from several threads."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database
        self.connections = Connections(database)
        self.cursors = Cursors(database)
        self.leads = Leads(database)
        self.works = Works(database)
        self.decisions = Decisions(database)
        self.assessments = Assessments(database)
        self.batches = Batches(database)
        self.backtests = Backtests(database)
        self.outbox = Outbox(database)
        self.reviews = Reviews(database)
        self.labels = Labels(database)
        self.money = Money(database)
        self.policies = Policies(database)
        self.shadows = Shadows(database)
        self.people = People(database)
        self.admin_events = AdminEvents(database)
        self.calibrations = Calibrations(database)
        self.slots = Slots(database)
        self.heartbeats = Heartbeats(database)
        self.gates = Gates(database)
        self.flags = Flags(database)
        self.automations = Automations(database)
        self.persons = Persons(database)
        self.pilots = Pilots(database)
        self.health = AccountHealth(database)
        self.notifications = Notifications(database)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def open_store(url: str, *, migrate: bool = False) -> SqlStore:
    """The store at `url` (sqlite:///FILE or postgresql://…), its tables brought up to date first where `migrate`.

    Raises Unreachable, or Misconfigured where the address is wrong or the tables are of another version.
    """
    database = engine.Database(url)
    try:
        revision = migrations.revision_of(database)
        if revision != schema.HEAD and migrate:
            migrations.upgrade(url)
            revision = migrations.revision_of(database)
        if revision != schema.HEAD:
            raise errors.Misconfigured(
                f"the tables are at {revision or 'nothing'}, this version needs {schema.HEAD}",
                place=database.place,
                remedy=engine.UPGRADE,
            )
    except errors.TierwiseError:
        database.close()
        raise
    return SqlStore(database)
