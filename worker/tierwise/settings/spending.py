"""Settings about money: what models may cost, what they do cost, and when half of it is enough."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tierwise.settings.section import Count, Money, Seconds
from tierwise.settings.section import Section as _Section


class BudgetSettings(_Section):
    """What models may cost in all. Days and months are UTC's; a connection may have limits of its own."""

    daily_usd: Money | None = Field(None, description="The most in one day, US dollars; empty: no limit.")
    monthly_usd: Money | None = Field(None, description="The most in one month, US dollars; empty: no limit.")
    when_spent: Literal["hold", "offline"] = Field(
        "hold",
        description="hold: leads wait until it resumes. offline: rules and lexicon decide, and a person reviews.",
    )


class PriceSettings(_Section):
    """What a model costs, US dollars per million tokens; wins over the price list that comes with LiteLLM."""

    input: Money = Field(description="Tokens of the prompt.")
    output: Money = Field(description="Tokens of the answer.")
    cached: Money | None = Field(
        None, description="Tokens of the prompt that the provider had cached; empty: as input."
    )
    batch: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="Share of these prices in a batch.")


class BatchSettings(_Section):
    """Leads of backfills and replays may wait up to a day for their answers, at half the price; others never do."""

    mode: Literal["auto", "never"] = Field(
        "auto", description="auto: in batches where the model's provider takes them. never: every call is live."
    )
    fewest: Count = Field(50, description="Questions to one model that are worth a batch; fewer are asked live.")
    most: Annotated[int, Field(ge=1, le=10_000)] = Field(
        2000, description="Questions in one batch, at most; providers limit what waits in all."
    )
    gather_seconds: Annotated[float, Field(ge=0, le=1200)] = Field(
        60, description="How long a lead waits for others to go with it."
    )
    look_seconds: Seconds = Field(60, description="First time between two looks at a batch; longer later.")
    hours: Annotated[float, Field(gt=0, le=168)] = Field(
        25, description="After which what a batch has not answered is asked live."
    )
    lease_seconds: Seconds = Field(300, description="How long a worker that looks after a batch may be silent.")
