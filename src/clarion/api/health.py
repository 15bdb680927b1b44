"""Whether this process can do its work."""

import msgspec

import clarion
from clarion.api.route import Access, Call, NoQuery, Route


class Health(msgspec.Struct):
    """`status` is ok when the database answers."""

    status: str
    version: str


async def health_check(call: Call[None, NoQuery]) -> Health:
    """The catalog was read for this call, so the database answers."""
    return Health("ok", clarion.__version__)


ROUTES = (
    Route(
        "GET",
        "/v1/health-check",
        health_check,
        "Whether this process can work",
        "Health",
        answer=Health,
        access=Access.PUBLIC,
    ),
)
