"""All that a plugin may import. What is exported here keeps its meaning within a major version of `VERSION`."""

from tierwise.domain.advice import FIELDS, WRITTEN, Advice, AdviceField, AdviceKind, AdviceValue
from tierwise.domain.lead import CATALOGUE, Lead
from tierwise.errors import (
    Misconfigured,
    PauseConnection,
    RejectRecord,
    RetryLater,
    TierwiseError,
    Unreachable,
)
from tierwise.sdk.connector import (
    Check,
    Connection,
    Connector,
    ConnectorType,
    Flushes,
    Limiter,
    Outcome,
    OutcomePage,
    Page,
    PlanStep,
    Quota,
    Record,
    TellsOutcomes,
    TellsQuota,
    Update,
    Written,
)
from tierwise.sdk.enricher import Enricher, EnricherType, Enriching
from tierwise.sdk.hooks import hookimpl
from tierwise.sdk.listed import Declared, pages
from tierwise.sdk.notifier import Notice, Notifier, NotifierType, Notifying

VERSION = "1.2"
"""Of this contract: the second number rises when something is added, the first when a meaning changes."""

__all__ = [
    "CATALOGUE",
    "FIELDS",
    "VERSION",
    "WRITTEN",
    "Advice",
    "AdviceField",
    "AdviceKind",
    "AdviceValue",
    "Check",
    "Connection",
    "Connector",
    "ConnectorType",
    "Declared",
    "Enricher",
    "EnricherType",
    "Enriching",
    "Flushes",
    "Lead",
    "Limiter",
    "Misconfigured",
    "Notice",
    "Notifier",
    "NotifierType",
    "Notifying",
    "Outcome",
    "OutcomePage",
    "Page",
    "PauseConnection",
    "PlanStep",
    "Quota",
    "Record",
    "RejectRecord",
    "RetryLater",
    "TellsOutcomes",
    "TellsQuota",
    "TierwiseError",
    "Unreachable",
    "Update",
    "Written",
    "hookimpl",
    "pages",
]
