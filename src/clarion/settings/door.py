"""Where Clarion is reached, and for how long somebody is in."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from clarion.settings.addresses import checked_public_url
from clarion.settings.rules import DAY, MINUTE, YEAR, Rule, Truth, Whole, between, checked_host, seconds


class Door(BaseModel):
    """Addresses, links and sessions."""

    host: Annotated[str, AfterValidator(checked_host), Rule("an address or a host name")] = Field(
        default="127.0.0.1",
        description="Address the API listens on. This machine only, so that nothing is exposed before it is"
        " meant to be; 0.0.0.0 is every address.",
    )
    port: Annotated[Whole, between(0, 65535)] = Field(
        default=3000,
        description="Port the API listens on; 0 takes any free one. 3000 is where Novu's API listens, so"
        " addresses that clients know keep working.",
    )
    public_url: Annotated[
        Annotated[str, AfterValidator(checked_public_url)] | None,
        Rule("an address such as https://clarion.example.com", absent="what the browser calls"),
    ] = Field(
        default=None,
        description="Address that browsers reach Clarion at, through whatever stands in front of it: links in"
        " invitations begin with it, calls of other sites are told by it, and where it is https the session"
        " cookie goes over TLS alone. None takes what each request says.",
    )
    tracking_links: Annotated[Truth, Rule("true or false")] = Field(
        default=False,
        description="Whether the pushes of integrations with activity tracking carry a link, `__clarionTrack`"
        " in their data, by which the app tells what became of them without a key. It begins with"
        " CLARION_PUBLIC_URL, which has to be set. No, since each push is longer by it.",
    )
    session_idle: Annotated[Whole, seconds(5 * MINUTE, YEAR)] = Field(
        default=7 * DAY,
        description="Seconds without a call after which a member is signed out. A week, so that a weekend"
        " away is not noticed and a forgotten browser is.",
    )
    session_lifetime: Annotated[Whole, seconds(5 * MINUTE, YEAR)] = Field(
        default=30 * DAY,
        description="Seconds after which a member has to sign in again, however busy they were. 30 days, the"
        " longest that NIST SP 800-63B leaves a session of one factor.",
    )
