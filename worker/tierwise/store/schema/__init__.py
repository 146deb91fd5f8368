"""The tables. What they may hold is said here and enforced by the database; alembic brings it about.

One module a topic: `accounts`, then the record's path in `records`: `lead` (what it is), `work` (what is to be
decided), `decision` (what was), `outbox` (what the CRM is to show), `write_attempt` (what was sent); `people`:
`review_item` (what a person is to look at), `label` (what people and sales said of it later); `policies`; `processes`;
`seen` (how accounts are doing, and what people are told).
"""

from __future__ import annotations

from tierwise.store.schema.accounts import CURSORS, chain, connection, cursor
from tierwise.store.schema.batches import (
    BATCH_STATES,
    backfill,
    backtest_wait,
    batch_question,
    batch_wait,
    model_batch,
    trial_answer,
)
from tierwise.store.schema.calibration import calibration, calibration_activation
from tierwise.store.schema.gate import (
    AUTOMATED,
    alert_state,
    audit_draw,
    automation,
    flag_version,
    kill_switch,
    registration,
    validation_report,
)
from tierwise.store.schema.money import answer_claim, model_reservation, model_spend
from tierwise.store.schema.parts import GENESIS, HASH, NAME, RECORD_ID, metadata
from tierwise.store.schema.people import REVIEW_STATES, label, review_item
from tierwise.store.schema.policies import (
    admin_event,
    person,
    policy_activation,
    policy_approval,
    policy_shadow,
    policy_trial,
    policy_version,
    shadow_decision,
)
from tierwise.store.schema.processes import fence, heartbeat, schedule_slot
from tierwise.store.schema.records import (
    OUTBOX_STATES,
    OUTCOMES,
    WORK_STATES,
    assessment,
    decision,
    lead,
    outbox,
    work,
    write_attempt,
)
from tierwise.store.schema.seen import NOTIFICATION_STATES, account_health, notification

__all__ = [
    "AUTOMATED",
    "BATCH_STATES",
    "CURSORS",
    "GENESIS",
    "HASH",
    "HEAD",
    "NAME",
    "NOTIFICATION_STATES",
    "OUTBOX_STATES",
    "OUTCOMES",
    "RECORD_ID",
    "REVIEW_STATES",
    "WORK_STATES",
    "account_health",
    "admin_event",
    "alert_state",
    "answer_claim",
    "assessment",
    "audit_draw",
    "automation",
    "backfill",
    "backtest_wait",
    "batch_question",
    "batch_wait",
    "calibration",
    "calibration_activation",
    "chain",
    "connection",
    "cursor",
    "decision",
    "fence",
    "flag_version",
    "heartbeat",
    "kill_switch",
    "label",
    "lead",
    "metadata",
    "model_batch",
    "model_reservation",
    "model_spend",
    "notification",
    "outbox",
    "person",
    "policy_activation",
    "policy_approval",
    "policy_shadow",
    "policy_trial",
    "policy_version",
    "registration",
    "review_item",
    "schedule_slot",
    "shadow_decision",
    "trial_answer",
    "validation_report",
    "work",
    "write_attempt",
]

HEAD = "0012"
"""The newest migration: what the code below stands on (tested against alembic)."""
