"""Lets callers in: by the API key of an environment, or by the cookie of a member who signed in."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request, cookie_parser

from clarion.api.environments import environment_named
from clarion.api.route import Access, Caller, Route, Services
from clarion.errors import Forbidden, Unauthenticated
from clarion.model.clock import MINUTE, Millis
from clarion.model.member import Role
from clarion.security.keys import fingerprint
from clarion.store import sessions
from clarion.store.catalog import Snapshot
from clarion.store.sessions import SignedIn

COOKIE, SECURE_COOKIE = "clarion-session", "__Host-clarion-session"
ENVIRONMENT, CLIENT = "clarion-environment", "clarion-client"
"""Headers: the environment that a member's call is about, and that a page of our own makes a call."""

_SCHEME = "apikey "
_NOTED_EVERY: Millis = MINUTE
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_READS = frozenset({"GET", "HEAD"})
_OURS = frozenset({None, "same-origin", "none"})


class Visit(NamedTuple):
    """What of a request decides who is let in. `headers` have names in lower case."""

    method: str
    scheme: str
    headers: Mapping[str, str]
    address: str = ""
    environment_id: str = ""

    @classmethod
    def of(cls, request: Request, environment_id: str = "") -> "Visit":
        """A request's; one that can't set headers names its environment in another way."""
        address = request.client.host if request.client else ""
        scheme = request.scope.get("scheme", "http")
        return cls(request.method, scheme, request.headers, address, environment_id)

    def secure(self, public_url: str | None) -> bool:
        """Whether the browser came over TLS."""
        return (public_url or self.scheme).startswith("https")

    @property
    def local(self) -> bool:
        """Whether a browser on this machine calls, under a name of this machine and with nothing between."""
        host = urlsplit(f"//{self.headers.get('host', '')}").hostname if self._plain_host else None
        return _is_loopback(self.address) and (host == "localhost" or _is_loopback(host or ""))

    @property
    def _plain_host(self) -> bool:
        return not any(name in self.headers for name in _FORWARDED)

    def origin(self, public_url: str | None) -> str:
        """Where the browser thinks that it is."""
        return public_url or f"{self.scheme}://{self.headers.get('host', '')}"


async def admitted(route: Route, visit: Visit, services: Services) -> Caller | None:
    """Who calls; None where anybody may. `Unauthenticated`, or `Forbidden` to those who may do less."""
    if route.access is Access.PUBLIC:
        return None
    if route.access is Access.ENTRANCE:
        check_same_site(visit, services.accounts.public_url)
        return None
    authorization = visit.headers.get("authorization")
    if authorization or not visit.headers.get("cookie"):
        caller = await holder_of(authorization, services)
    else:
        caller = await _member(route, visit, services)
    if route.access is Access.MEMBER and caller.member is None:
        raise Forbidden("Only members may do this: sign in, API keys don't reach it")
    if route.role and not caller.role.covers(route.role):
        raise Forbidden(
            f"This takes the role {route.role.value} and yours is {caller.role.value}: ask an owner or admin"
        )
    return caller


def keyless(visit: Visit) -> bool:
    """Whether a call shows neither an API key nor a session."""
    authorization = visit.headers.get("authorization", "")
    return authorization[: len(_SCHEME)].lower() != _SCHEME and not visit.headers.get("cookie")


async def holder_of(authorization: str | None, services: Services) -> Caller:
    """Whom `Authorization: ApiKey <key>` lets in; `Unauthenticated` says what is wrong."""
    if not authorization:
        raise Unauthenticated("Send the header Authorization: ApiKey <secret key>, or sign in")
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise Unauthenticated("The Authorization header must be of the form ApiKey <secret key>")
    mark, catalog = fingerprint(authorization[len(_SCHEME) :].strip()), services.catalog
    holder = catalog.snapshot.holders.get(mark) or (await catalog.current()).holders.get(mark)
    if holder is None or not holder.opens(services.clock()):
        raise Unauthenticated(
            "This API key is not known; see GET /v1/environments or the first start's output"
        )
    return Caller(holder.environment_id, Role.ADMIN, holder.user_id, holder.key_id)


async def _member(route: Route, visit: Visit, services: Services) -> Caller:
    """Whom a session's cookie lets in, in the environment that the call or the session names."""
    found = await signed_in(visit, services, noting=not route.stream)
    if visit.method not in _READS:
        check_same_site(visit, services.accounts.public_url)
    named = "" if route.access is Access.MEMBER else visit.headers.get(ENVIRONMENT) or visit.environment_id
    environment_id = _environment(await services.catalog.current(), named, found)
    return Caller(environment_id, found.member.role, found.member.id, "", found)


async def signed_in(visit: Visit, services: Services, *, noting: bool) -> SignedIn:
    """The session that a cookie names, noted as used: a page that only listens does not keep it alive."""
    accounts, now = services.accounts, services.clock()
    name = SECURE_COOKIE if visit.secure(accounts.public_url) else COOKIE
    token = cookie_parser(visit.headers.get("cookie", "")).get(name)
    if not token:
        raise Unauthenticated("Sign in, or send the header Authorization: ApiKey <secret key>")
    found = await services.database.read(sessions.find, fingerprint(token), now, accounts.session_idle)
    if found is None:
        raise Unauthenticated("This session has ended: sign in again")
    if noting and now - found.session.last_seen_at >= _NOTED_EVERY:
        await services.database.write(sessions.touch, found.session.id, now)
    return found


def check_same_site(visit: Visit, public_url: str | None) -> None:
    """`Forbidden` unless a page of our own makes the call: another site can't set the header without asking,
    and browsers say where a call comes from."""
    headers = visit.headers
    if not headers.get(CLIENT):
        raise Forbidden("Send the header Clarion-Client with every call that a cookie authorises")
    origin = headers.get("origin")
    if origin is not None and not _is_ours(origin, headers.get("host", ""), public_url):
        raise Forbidden(f"Calls of another site are refused: {origin} is not the address of this one")
    if headers.get("sec-fetch-site") not in _OURS:
        raise Forbidden("Calls of another site are refused")


def _is_ours(origin: str, host: str, public_url: str | None) -> bool:
    if public_url:
        return origin.lower() == public_url
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _environment(snapshot: Snapshot, named: str, found: SignedIn) -> str:
    """The environment a member works in: the one named, else the one chosen, else the first."""
    if named:
        return environment_named(snapshot, named).id
    chosen = found.session.environment_id
    return chosen if chosen in snapshot.environments else next(iter(snapshot.environments))
