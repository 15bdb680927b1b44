"""Lets callers in by their API key."""

from clarion.errors import Unauthenticated
from clarion.security.keys import fingerprint
from clarion.store.catalog import Catalog, KeyHolder

_SCHEME = "apikey "


async def holder_of(authorization: str | None, catalog: Catalog) -> KeyHolder:
    """Whom `Authorization: ApiKey <key>` lets in; `Unauthenticated` says what is wrong."""
    if not authorization:
        raise Unauthenticated("Send the header Authorization: ApiKey <secret key>")
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise Unauthenticated("The Authorization header must be of the form ApiKey <secret key>")
    mark = fingerprint(authorization[len(_SCHEME) :].strip())
    holder = catalog.snapshot.holders.get(mark) or (await catalog.current()).holders.get(mark)
    if holder is None:
        raise Unauthenticated(
            "This API key is not known; see GET /v1/environments or the first start's output"
        )
    return holder
