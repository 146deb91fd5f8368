"""All that a connector may import. What is exported here keeps its meaning within a major version."""

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
from tierwise.sdk.hooks import hookimpl

__all__ = [
    "CATALOGUE",
    "FIELDS",
    "WRITTEN",
    "Advice",
    "AdviceField",
    "AdviceKind",
    "AdviceValue",
    "Check",
    "Connection",
    "Connector",
    "ConnectorType",
    "Lead",
    "Limiter",
    "Misconfigured",
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
]
