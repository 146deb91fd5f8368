"""Every setting with its type, default and meaning. The example file and the errors are made from this."""

from __future__ import annotations

import contextlib
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from tierwise import errors
from tierwise.settings import names
from tierwise.settings.section import Count, Money, Seconds
from tierwise.settings.section import Section as _Section
from tierwise.settings.spending import BatchSettings, BudgetSettings, PriceSettings

Directory = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


def _one_of(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        # The address may hold a password: the error names the allowed forms, not what was given.
        if not url.startswith(tuple(f"{scheme}:" for scheme in schemes)):
            raise ValueError(f"the address must start with {', '.join(schemes)}")
        return url

    return AfterValidator(check)


DatabaseURL = Annotated[str, _one_of("sqlite", "postgresql", "postgresql+psycopg")]
BrokerURL = Annotated[str, _one_of("redis", "rediss", "redis+socket")]


class ModelSettings(_Section):
    """Which models decide, and how they are called."""

    primary: str | None = Field(None, description="First model, as LiteLLM spells it; empty: the rubric's.")
    secondary: str | None = Field(None, description="Second model, of another provider; empty: the rubric's.")
    timeout_seconds: Seconds = Field(30, description="Longest wait for one answer.")
    in_flight: Count = Field(50, description="Calls of one worker process under way at once, per model.")
    attempts: Count = Field(3, description="Tries per call before the next model is asked.")
    samples: int = Field(
        0, ge=0, le=9, description="Further answers of the first model, in other orders, where its first is doubtful."
    )
    decisions: tuple[str, ...] = Field(
        (), description="Models asked through the decisions endpoint (beta): probabilities, but no quotes."
    )

    @field_validator("decisions", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        # The environment knows no lists.
        return (
            [part.strip() for part in value.strip("()[]").split(",") if part.strip()]
            if isinstance(value, str)
            else value
        )


class PumpSettings(_Section):
    """The task that decides leads."""

    seconds: Seconds = Field(50, description="How long one task takes new leads; Celery ends it at 90.")
    chunk: Count = Field(50, description="Leads claimed at once.")
    batch: Count = Field(100, description="Finished leads committed together, at most.")
    flush_ms: Count = Field(1000, description="How long a finished lead waits for others of its batch, milliseconds.")
    lease_seconds: Seconds = Field(60, description="How long a claim stands without being renewed.")
    max_attempts: Count = Field(5, description="Claims of one lead before it goes to a person.")


class WriteSettings(_Section):
    """The task that writes advice to the CRM."""

    lease_seconds: Seconds = Field(180, description="How long a claim stands; longer than a batch with its retries.")
    max_attempts: Count = Field(8, description="Tries of one record before it goes to a person.")


class TrailSettings(_Section):
    """The passes that follow a poll: late records, and what became of leads."""

    lag_seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(
        3600, description="How far they stay behind: as long as the CRM's search may take to show a change."
    )
    window_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        3600, description="The most they read at once, unless far behind."
    )
    every_seconds: Seconds = Field(900, description="Time between two passes.")
    reconcile: bool = Field(True, description="Read again what the search may have shown too late.")
    outcomes: bool = Field(True, description="Keep lifecycle stages, statuses and deals of leads as labels.")


class PolicySettings(_Section):
    """What a new policy may do before somebody has to agree, and what an activation decides anew."""

    redecide_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        30, description="New weights and cut-offs apply to open leads decided in so many days; 0: to none."
    )
    sample: Count = Field(1000, description="Stored decisions that a staging run replays.")
    max_flips: Annotated[float, Field(ge=0, le=1)] = Field(
        0.2, description="Largest share of leads whose tier or outcome may change without an approval."
    )
    max_review: Annotated[float, Field(ge=0, le=1)] = Field(
        0.3, description="Largest share of leads that may go to people without an approval."
    )
    max_asked: Annotated[float, Field(ge=0, le=1)] = Field(
        1, description="Largest share of leads for which models would have to be asked anew without an approval."
    )


class AuditSettings(_Section):
    """How many decisions people look at although nothing is doubtful about them."""

    top: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Share of decisions in the positive tiers, until the gate has its count."
    )
    others: Annotated[float, Field(gt=0, le=1)] = Field(0.05, description="Share of the others, and then of all.")
    double: Annotated[float, Field(ge=0, le=1)] = Field(0.1, description="Share of these that two people label.")


Minutes = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ReviewSettings(_Section):
    """The queue for people. Who owns each kind of item says the policy's rules/owners.yaml."""

    undo_seconds: Annotated[float, Field(ge=0, le=300)] = Field(
        10, description="As long an answer can be undone; nothing of it is written before."
    )
    reserve_seconds: Seconds = Field(600, description="How long an item that somebody took is theirs alone.")
    hand_over_seconds: Seconds = Field(14_400, description="And how long one that was handed over to somebody.")


class ReviewSlaSettings(_Section):
    """Minutes within which an item of each kind is to be answered."""

    fast_track: Minutes = Field(30, description="A rep asked for it.")
    write_failed: Minutes = Field(240, description="The CRM refused the advice.")
    guardrail: Minutes = Field(480, description="A rule asks for a person.")
    contradiction: Minutes = Field(480, description="Facts or models contradict each other.")
    low_confidence: Minutes = Field(480, description="The tier is not certain enough.")
    nonconforming: Minutes = Field(1440, description="The record does not conform (kind `schema`).")
    audit_sample: Minutes = Field(4320, description="Drawn for the audit.")


class FlagSettings(_Section):
    """For whom automation may be on."""

    provider: str | None = Field(
        None, description="Another OpenFeature provider for the targeting, as package.module:factory; empty: our own."
    )
    every_seconds: Seconds = Field(30, description="Time between two passes over a connection's decided leads.")
    look_seconds: Seconds = Field(900, description="Time between two looks at what people changed of what was written.")
    window: Count = Field(200, description="Newest automated leads by which automation ends itself.")
    overrides: Annotated[float, Field(ge=0, le=1)] = Field(
        0.2, description="Largest share of them that people may change or dispute before it does."
    )
    fewest: Count = Field(20, description="Automated leads before that share says anything.")


class ConsoleSettings(_Section):
    """The console's address."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 only behind a proxy that checks who asks."
    )
    port: int = Field(8400, ge=0, le=65535, description="Port; 0 takes any.")


class MetricsSettings(_Section):
    """Where a worker that no console shares a machine with shows its counters."""

    host: str = Field("127.0.0.1", description="Address to listen on; a container listens on 0.0.0.0.")
    port: int | None = Field(
        None, ge=0, le=65535, description="Port of a worker's own /metrics; empty: the console shows them with `run`."
    )


class _Pluggable(_Section):
    """A named table whose other keys are options of a plugin."""

    type: str = Field(min_length=1, description="Name of a type that a plugin brings.")
    token: SecretStr | None = Field(None, description="Access token; better in the environment than here.")
    token_file: Directory | None = Field(None, description="File that holds the token (a mounted secret).")
    options: dict[str, Any] = Field(default_factory=dict, description="What the plugin itself understands.")

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        own = {key: value for key, value in data.items() if key in cls.model_fields}
        given = own.get("options", {})
        for key in data.keys() - own.keys():
            # `tokn` must not end as an option that nobody reads: left here, it is refused as unknown.
            if names.closest(key, cls.model_fields, cutoff=0.85) or not isinstance(given, Mapping):
                own[key] = data[key]
            else:
                own["options"] = given = {**given, key: data[key]}
        return own

    def secret(self, name: str) -> str:
        """The access token, "" where none is set; `name` is for the error. Raises Misconfigured."""
        if self.token is not None:
            return self.token.get_secret_value()
        if self.token_file is None:
            return ""
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not text"
            raise errors.Misconfigured(
                f"the token of `{name}` cannot be read: {reason}", place=str(self.token_file)
            ) from None


class ConnectionSettings(_Pluggable):
    """One account of one CRM. Keys that are not among these are options of its connector."""

    type: str = Field(min_length=1, description="Kind of system: the name of a connector (hubspot).")
    poll_seconds: Seconds | None = Field(None, description="Time between two polls; empty: the common one.")
    tier_field: str | None = Field(
        None, description="The organisation's own tier field, written once automation is on; empty: none."
    )
    tier_values: dict[str, str] = Field(
        default_factory=dict, description="Its value for each of our tiers; a tier without one is never written."
    )
    sales_accepted: list[str] = Field(
        default_factory=list, description="Stages and statuses by which sales take a lead; empty: the usual words."
    )
    daily_budget_usd: Money | None = Field(None, description="The most that its leads' models may cost in a day.")
    monthly_budget_usd: Money | None = Field(None, description="The most that its leads' models may cost in a month.")

    def secret(self, name: str) -> str:
        """The access token, from the settings or its file; `name` is for the error. Raises Misconfigured."""
        if self.token is not None:
            return self.token.get_secret_value()
        remedy = f"set {names.token_variable(name)}, or token_file to the path of a file that holds it"
        if self.token_file is None:
            raise errors.Misconfigured(f"connection `{name}` has no token", remedy=remedy)
        try:
            token = self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not text"
            raise errors.Misconfigured(
                f"the token of connection `{name}` cannot be read: {reason}", place=str(self.token_file), remedy=remedy
            ) from None
        if not token:
            raise errors.Misconfigured(
                f"the token file of connection `{name}` is empty", place=str(self.token_file), remedy=remedy
            )
        return token


class EnricherSettings(_Pluggable):
    """Something that knows more about a lead. Keys that are not among these are options of the enricher."""

    type: str = Field(min_length=1, description="Kind of enricher: mailbox, phone_country, company_name, http.")
    seconds: Seconds = Field(2, description="The most that one page of leads waits for this enricher.")


class NotifierSettings(_Pluggable):
    """Somebody who is told. Keys that are not among these are options of the notifier."""

    type: str = Field(min_length=1, description="Kind of notifier: slack, webhook, email.")
    events: list[str] = Field(
        default_factory=list,
        description="What to tell: connection_paused, work_quarantined, write_refused, automation_ended; empty: all.",
    )


NAMED: dict[str, type[_Section]] = {
    "connections": ConnectionSettings, "enrichers": EnricherSettings, "notifiers": NotifierSettings,
    "prices": PriceSettings,
}  # fmt: skip
"""Tables of tables, whose names are a person's own."""


class Settings(_Section):
    """All settings, checked. Frozen; a change takes effect at the next start."""

    home: Directory = Field(Path(".tierwise"), description="Where this installation keeps its own files.")
    database_url: DatabaseURL = Field(
        default_factory=lambda given: f"sqlite:///{given['home'] / 'tierwise.db'}" if "home" in given else "sqlite:",
        repr=False,
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; empty: a file in `home`.",
    )
    broker_url: BrokerURL | None = Field(
        None, repr=False, description="redis://HOST:6379/0 of a Redis or Valkey; empty: the bundled Valkey."
    )
    policy_dir: Directory | None = Field(
        None, description="Directory with rules/ and prompts/ for an empty database; empty: the packaged ones."
    )
    environment: Literal["production", "staging"] = Field(
        "production", description="staging: this installation runs what `tierwise policy stage` put there."
    )
    token: SecretStr | None = Field(
        None, description="Your token of `tierwise users add`, for commands that change things; in the environment."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "json", "pretty"] = Field("auto", description="auto: pretty on a terminal, else JSON.")
    tick_seconds: Seconds = Field(2, description="How often the database is asked what is due.")
    poll_seconds: Seconds = Field(60, description="Time between two polls of a connection.")
    overlap_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        300, description="How far a poll looks back before its watermark: CRM searches show changes late."
    )
    enrich_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        10, description="The most that one page of leads waits for all enrichers together."
    )
    model: ModelSettings = Field(default_factory=ModelSettings, description="Models.")
    budgets: BudgetSettings = Field(default_factory=BudgetSettings, description="Money.")
    batch: BatchSettings = Field(default_factory=BatchSettings, description="Batches of backfills and replays.")
    pump: PumpSettings = Field(default_factory=PumpSettings, description="Deciding.")
    write: WriteSettings = Field(default_factory=WriteSettings, description="Writing back.")
    trail: TrailSettings = Field(default_factory=TrailSettings, description="Passes that follow the poll.")
    policy: PolicySettings = Field(default_factory=PolicySettings, description="Policies.")
    audit: AuditSettings = Field(default_factory=AuditSettings, description="Audit sample.")
    review: ReviewSettings = Field(default_factory=ReviewSettings, description="Review queue.")
    review_sla: ReviewSlaSettings = Field(default_factory=ReviewSlaSettings, description="Review queue: how soon.")
    flags: FlagSettings = Field(default_factory=FlagSettings, description="Automation.")
    kill_file: Path | None = Field(
        None, description="While this file exists, nothing is automated, whatever flag and database say."
    )
    console: ConsoleSettings = Field(default_factory=ConsoleSettings, description="Console.")
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="Counters of `tierwise worker`.")
    connections: dict[str, ConnectionSettings] = Field(default_factory=dict, description="CRM accounts by name.")
    enrichers: dict[str, EnricherSettings] = Field(default_factory=dict, description="Enrichers by name, in order.")
    notifiers: dict[str, NotifierSettings] = Field(default_factory=dict, description="Notifiers by name.")

    prices: dict[str, PriceSettings] = Field(default_factory=dict, description="Prices by model.")

    _origins: dict[names.Path, str] = PrivateAttr(default_factory=dict)
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The settings file that was read, None where there is none."""
        return self._file

    def secrets(self) -> frozenset[str]:
        """Every secret text among the settings, for whoever must mask it: tokens, passwords in addresses."""
        found: set[str] = set()
        for url in filter(None, (self.database_url, self.broker_url)):
            with contextlib.suppress(ValueError):  # a malformed address is refused where it is used
                password = urllib.parse.urlsplit(url).password or ""
                found |= {password, urllib.parse.unquote(password)}
        for name, plugged in (*self.connections.items(), *self.enrichers.items(), *self.notifiers.items()):
            with contextlib.suppress(errors.Misconfigured):
                found.add(plugged.secret(name))
            found |= {str(value) for key, value in plugged.options.items() if names.secret(key)}
        found.add(self.token.get_secret_value() if self.token is not None else "")
        return frozenset(secret for secret in found if secret)

    @model_validator(mode="after")
    def _distinct(self) -> Settings:
        for word, table in (
            ("connections", self.connections),
            ("enrichers", self.enrichers),
            ("notifiers", self.notifiers),
        ):
            flat: dict[str, str] = {}
            for name in table:
                twin = flat.setdefault(names.variable((name,)), name)
                if twin != name:
                    raise ValueError(f"{word} `{twin}` and `{name}` cannot be told apart in the environment")
        return self
