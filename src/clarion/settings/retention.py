"""How long things are kept."""

from typing import Annotated

from pydantic import BaseModel, Field

from clarion.settings.rules import DAY, HOUR, YEAR, Whole, seconds, seconds_or_none


class Retention(BaseModel):
    """Seconds, by kind."""

    webhook_retention: Annotated[Whole, seconds(HOUR, YEAR)] = Field(
        default=7 * DAY,
        description="Seconds that a delivery to a webhook endpoint is kept, with what was sent and answered,"
        " after it came to its end. A week is enough to see a weekend's failures on Monday and replay them.",
    )
    activity_retention: Annotated[Whole, seconds_or_none(DAY, 10 * YEAR, "0 for ever")] = Field(
        default=90 * DAY,
        description="Seconds that triggers, notifications and messages are kept, with their outcomes and what"
        " phones reported of them, once they came to their end; 0 keeps them for ever. Of four"
        " weeks or more PostgreSQL keeps up to one longer, to drop it whole. A quarter of a year answers what"
        " people ask, and a database that only grows fills its disk.",
    )
    message_retention: Annotated[Whole, seconds_or_none(DAY, 10 * YEAR)] = Field(
        default=0,
        description="Seconds that titles and bodies of messages are kept, where that is shorter than"
        " CLARION_ACTIVITY_RETENTION: after it a message is gone from the log as if somebody had deleted it,"
        " and its notification still tells what became of it. 0 keeps them as long as that, so that questions"
        " about last month can be answered.",
    )
    detail_retention: Annotated[Whole, seconds_or_none(DAY, 10 * YEAR)] = Field(
        default=0,
        description="Seconds that the details of activity are kept, where that is shorter than"
        " CLARION_ACTIVITY_RETENTION: what was decided step by step, providers' answers and earlier tries."
        " After it outcome, code and explanation are left. 0 keeps them as long as that, since they are what"
        " people ask for first.",
    )
    audit_retention: Annotated[Whole, seconds(DAY, 10 * YEAR)] = Field(
        default=400 * DAY,
        description="Seconds that the audit log is kept. 400 days, so that a year can be looked back on when"
        " it is over.",
    )
