"""How somebody becomes a signed-in member: first set-up, sign-in, an invitation's link."""

import hmac
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.admission import COOKIE, SECURE_COOKIE
from clarion.api.route import Access, Answer, Audit, Call, Group, NoQuery, Route
from clarion.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unauthenticated, Unprocessable
from clarion.model.clock import SECOND, iso
from clarion.model.ids import new_id
from clarion.model.member import MOST_NAME, Invitation, Member, Role, Session, normal_email
from clarion.security import passwords
from clarion.security.keys import fingerprint, new_token
from clarion.store import members, sessions
from clarion.store.audit import Actor, acting
from clarion.store.sessions import SignedIn

MOST_TRIES_HERE = 10
"""Of one account from one address in a quarter of an hour."""
MOST_TRIES_ANYWHERE = 50
"""Of one account from everywhere, so that many addresses don't guess together."""
MOST_TRIES_OF_ADDRESS = 100
"""Of all accounts from one address."""


class SetupOut(msgspec.Struct, rename="camel"):
    """Whether the first account is still to be made, and whether that takes the code which the server prints
    when it starts: not for a browser on the same machine."""

    needed: bool
    code_required: bool


class SetupIn(msgspec.Struct):
    """The first account, which becomes the owner."""

    email: str
    password: str
    name: str = ""
    code: str = ""


class SignInIn(msgspec.Struct):
    """Who signs in."""

    email: str
    password: str


class TokenIn(msgspec.Struct):
    """What an invitation's link ends with."""

    token: str


class AcceptIn(msgspec.Struct):
    """Somebody who takes up an invitation."""

    token: str
    password: str
    name: str = ""


class OfferOut(msgspec.Struct, rename="camel"):
    """What an invitation's link offers."""

    email: str
    role: Role
    invited_by: str
    expires_at: str


class MemberOut(msgspec.Struct, rename="camel"):
    """A member. `lastSeenAt` is null for one who is signed in nowhere."""

    id: str = msgspec.field(name="_id")
    email: str
    name: str
    role: Role
    created_at: str
    last_seen_at: str | None


class SessionOut(msgspec.Struct, rename="camel"):
    """A browser that a member is signed in with."""

    id: str = msgspec.field(name="_id")
    created_at: str
    last_seen_at: str
    expires_at: str
    user_agent: str
    address: str
    current: bool


class SignedInOut(msgspec.Struct, rename="camel"):
    """Who is signed in, in which session, and the environment that their calls are about."""

    member: MemberOut
    environment_id: str
    session: SessionOut


async def get_setup(call: Call[None, NoQuery]) -> SetupOut:
    """Whether the first account is still to be made."""
    needed = not await call.services.database.read(members.any_member)
    return SetupOut(needed, needed and not call.client.local)


async def set_up(call: Call[SetupIn, NoQuery]) -> Answer:
    """Make the first account, which owns the installation, and sign it in. Only while there is none."""
    given, now = call.body, call.services.clock()
    if await call.services.database.read(members.any_member):
        raise _set_up_already()
    if not call.client.local:
        await _count(call, ((f"setup {call.client.address}", MOST_TRIES_HERE),))
        if not hmac.compare_digest(given.code.strip().upper().encode(), _code(call).encode()):
            raise Forbidden(
                "The set-up code is another one: it is in what the server printed when it started"
            )
    member = Member(new_id(now), checked_email(given.email), checked_name(given.name), Role.OWNER, now)
    kept = await call.services.accounts.passwords.hashed(checked_password(given.password))

    def write(connection: Connection) -> None:
        members.lock(connection)
        if members.any_member(connection):
            raise _set_up_already()
        members.add(connection, member, kept)

    await call.services.database.write(write)
    return await _let_in(call, member)


async def sign_in(call: Call[SignInIn, NoQuery]) -> Answer:
    """Sign in. A wrong password and an unknown address are answered alike."""
    known = normal_email(call.body.email)
    acting(Actor("nobody", "", known or ""))
    email = known or call.body.email[:100]
    here = f"{email} {call.client.address}"
    counted = (
        (call.client.address, MOST_TRIES_OF_ADDRESS),
        (here, MOST_TRIES_HERE),
        (email, MOST_TRIES_ANYWHERE),
    )
    await _count(call, counted)
    database, hasher = call.services.database, call.services.accounts.passwords
    found = await database.read(members.by_email, email)
    password = call.body.password[: passwords.LONGEST + 1]
    if not await hasher.fits(password, found[1] if found else None) or found is None:
        raise Unauthenticated("E-mail address or password is wrong")
    member, kept = found
    fresh = await hasher.hashed(password) if hasher.outdated(kept) else None

    def write(connection: Connection) -> None:
        members.forgive(connection, [here, email])
        if fresh:
            members.set_password(connection, member.id, fresh)

    await database.write(write)
    return await _let_in(call, member)


async def look_up_invitation(call: Call[TokenIn, NoQuery]) -> OfferOut:
    """What an invitation's link offers."""
    found = await _offered(call, call.body.token)
    return OfferOut(found.email, found.role, found.invited_by, iso(found.expires_at))


async def accept_invitation(call: Call[AcceptIn, NoQuery]) -> Answer:
    """Take up an invitation and sign in. Its link works once."""
    given, now = call.body, call.services.clock()
    offer = await _offered(call, given.token)
    member = Member(new_id(now), offer.email, checked_name(given.name), offer.role, now)
    kept = await call.services.accounts.passwords.hashed(checked_password(given.password))

    def write(connection: Connection) -> None:
        if not members.withdraw(connection, offer.id):
            raise _no_offer()
        members.add(connection, member, kept)

    await call.services.database.write(write)
    return await _let_in(call, member)


def checked_email(text: str) -> str:
    """An e-mail address in the form that is compared; `Unprocessable` for what is none."""
    found = normal_email(text)
    if found is None:
        raise Unprocessable.field("email", "must be an e-mail address")
    return found


def checked_name(text: str) -> str:
    """A member's name."""
    if len(text) > MOST_NAME:
        raise Unprocessable.field("name", f"must not be longer than {MOST_NAME} characters")
    return text.strip()


def checked_password(text: str, field: str = "password") -> str:
    """A password that may be one."""
    if fault := passwords.fault(text):
        raise Unprocessable.field(field, fault)
    return text


async def count_tries(call: Call[Any, Any], who: str) -> None:
    """Count a try to prove oneself; `TooManyRequests` after too many."""
    await _count(call, ((who, MOST_TRIES_HERE),))


def signed_in_out(call: Call[Any, Any], found: SignedIn, environment_id: str) -> SignedInOut:
    """Who is signed in, on the wire."""
    return SignedInOut(
        member_out(found.member, found.session.last_seen_at),
        environment_id,
        session_out(found.session, found.session.id),
    )


def member_out(member: Member, last_seen_at: int | None) -> MemberOut:
    """A member on the wire."""
    seen = None if last_seen_at is None else iso(last_seen_at)
    return MemberOut(member.id, member.email, member.name, member.role, iso(member.created_at), seen)


def session_out(session: Session, current: str) -> SessionOut:
    """A session on the wire."""
    return SessionOut(
        session.id,
        iso(session.created_at),
        iso(session.last_seen_at),
        iso(session.expires_at),
        session.user_agent,
        session.address,
        session.id == current,
    )


def cookie(call: Call[Any, Any], token: str, seconds: int) -> tuple[bytes, bytes]:
    """The header that gives a browser a session, or takes it away with 0 seconds."""
    name, more = (SECURE_COOKIE, "; Secure") if call.client.secure else (COOKIE, "")
    value = f"{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{more}"
    return b"set-cookie", value.encode()


async def _let_in(call: Call[Any, Any], member: Member) -> Answer:
    """Begin a session in the browser that called."""
    acting(Actor("member", member.id, member.email))
    now, lifetime, token = call.services.clock(), call.services.accounts.session_lifetime, new_token()
    client = call.client
    session = Session(new_id(now), member.id, "", now, now, now + lifetime, client.user_agent, client.address)
    await call.services.database.write(sessions.begin, session, fingerprint(token))
    first = next(iter((await call.services.catalog.current()).environments))
    shown = signed_in_out(call, SignedIn(member, session), first)
    return Answer(shown, 201, [cookie(call, token, lifetime // SECOND)])


async def _offered(call: Call[Any, Any], token: str) -> Invitation:
    now = call.services.clock()
    found = await call.services.database.read(members.invitation_for, fingerprint(token), now)
    if found is None:
        raise _no_offer()
    return found


async def _count(call: Call[Any, Any], counted: tuple[tuple[str, int], ...]) -> None:
    """One after the other: what is refused for its address doesn't count for the account it is after."""
    for who, most in counted:
        now = call.services.clock()
        tries, until = await call.services.database.write(members.attempts, who, now)
        if tries > most:
            pause = str(-(-(until - now) // SECOND))
            raise TooManyRequests(
                f"Tried too often: try again in {pause} seconds", headers={"Retry-After": pause}
            )


def _code(call: Call[Any, Any]) -> str:
    return call.services.accounts.setup_code


def _set_up_already() -> Conflict:
    return Conflict("There is an account already: sign in, or have an owner invite you")


def _no_offer() -> NotFound:
    return NotFound("This invitation was used, taken back or is too old: ask for another one")


_SESSION = "/v1/session"
_SETUP = "/v1/setup"
_INVITATIONS = "/v1/invitations"
_TAG = "Members"
_GROUP = Group(_TAG, access=Access.ENTRANCE)

ROUTES = (
    Route(
        "GET",
        _SETUP,
        get_setup,
        "Whether the first account is to be made",
        _TAG,
        None,
        answer=SetupOut,
        access=Access.PUBLIC,
    ),
    _GROUP.route(
        "POST",
        _SETUP,
        set_up,
        "Make the first account",
        None,
        body=SetupIn,
        answer=SignedInOut,
        status=201,
        secret=True,
    ),
    _GROUP.route(
        "POST",
        _SESSION,
        sign_in,
        "Sign in",
        None,
        body=SignInIn,
        answer=SignedInOut,
        status=201,
        secret=True,
    ),
    _GROUP.route(
        "POST",
        _INVITATIONS + "/look-up",
        look_up_invitation,
        "What an invitation offers",
        None,
        body=TokenIn,
        answer=OfferOut,
        secret=True,
        audit=Audit.NOTHING,
    ),
    _GROUP.route(
        "POST",
        _INVITATIONS + "/accept",
        accept_invitation,
        "Take up an invitation",
        None,
        body=AcceptIn,
        answer=SignedInOut,
        status=201,
        secret=True,
    ),
)
