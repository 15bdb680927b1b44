"""What phones tell of a push by the link that came in it, without any key."""

from typing import Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.engagement import note
from clarion.api.route import Access, Audit, Call, Route
from clarion.errors import NotFound
from clarion.security.links import PATH, read


class LinkQuery(msgspec.Struct, frozen=True):
    """What became of the push. In the query, so that a page or a service worker can tell it with a request
    that needs no permission of this site."""

    event: Literal["delivered", "opened", "clicked", "dismissed"]


async def track(call: Call[None, LinkQuery]) -> None:
    """Note what became of the push that a link came in, each kind of it once."""
    services, now = call.services, call.services.clock()
    services.reporters.admit(call.client.address, now)
    pushed = read(services.vault, call.path["token"])
    if pushed is None:
        raise NotFound("This is no link of a push")

    def write(connection: Connection) -> None:
        note(connection, services, pushed, call.query.event, now)

    await services.database.write(write)
    services.webhooks.outbox.ring()


ROUTES = (
    Route(
        "POST",
        PATH + "{token}",
        track,
        "Report what became of a push by its link",
        "Messages",
        None,
        query=LinkQuery,
        status=204,
        access=Access.PUBLIC,
        audit=Audit.NOTHING,
        by_address=True,
    ),
)
