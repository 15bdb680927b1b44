"""How triggers are taken, and how pushes and webhooks go out."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from clarion.model.locale import DEFAULT
from clarion.settings.rules import DAY, HOUR, Locale, Rule, Truth, Whole, between, read_rate_limits, seconds


class Delivery(BaseModel):
    """Windows, limits, and what is made of a text."""

    retry_window: Annotated[Whole, seconds(0, 28 * DAY)] = Field(
        default=HOUR,
        description="Seconds a message is tried after it was accepted; 0 tries once. An hour outlasts most"
        " outages of a provider, and few notifications are still wanted later.",
    )
    idempotency_window: Annotated[Whole, seconds(0, 30 * DAY)] = Field(
        default=DAY,
        description="Seconds the answer to a POST or PATCH is kept under its `idempotency-key`, so that a"
        " repetition does nothing twice; 0 keeps none. Novu's SDKs send a key with every call, and each takes"
        " about 350 bytes of the database.",
    )
    truncate: Annotated[Truth, Rule("true or false")] = Field(
        default=True,
        description="Whether a body, and then a title, is cut to what its provider takes, between two"
        " characters as people see them. True, since a shortened push is worth more than a refused one.",
    )
    plain_text: Annotated[Truth, Rule("true or false")] = Field(
        default=True,
        description="Whether HTML tags and control characters are taken out of title and body. True, since"
        " phones show them as they are; false is for apps that read markup themselves.",
    )
    rate_limits: Annotated[
        Mapping[str, int],
        BeforeValidator(read_rate_limits),
        Rule("limits such as trigger=100,configuration=20,global=30", absent="none"),
    ] = Field(
        default={},
        description="Calls a second that an environment may make over the API, by category; over it they are"
        " answered 429. None, since the installation is its owner's: set some where environments are"
        " strangers to each other.",
    )
    default_locale: Annotated[Locale, Rule("a locale such as en_US or de")] = Field(
        default=DEFAULT,
        description="Locale of what is said to people whose own is not known or not translated into. en_US is"
        " the one that Novu's organizations begin with.",
    )
    backlog_limit: Annotated[Whole, between(1, 100_000_000)] = Field(
        default=20_000,
        description="Records of accepted triggers that may wait in an environment before the API answers"
        " 503 instead of accepting more. 20000 is a few seconds of what one API process accepts at most, so a"
        " peak passes and a standstill is told to the callers, who can still keep what is refused.",
    )
    delivery_concurrency: Annotated[Whole, between(1, 10_000)] = Field(
        default=100,
        description="Streams in flight per integration. 100 is about what a provider grants one HTTP/2"
        " connection, and keeps one integration from taking the whole process.",
    )
    webhook_http: Annotated[Truth, Rule("true or false")] = Field(
        default=False,
        description="Whether webhook endpoints may be http:// URLs. No, since what is told there is personal"
        " and anybody on the way could read it; true where the way is a network of your own.",
    )
