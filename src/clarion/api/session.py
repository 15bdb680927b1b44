"""What members do with their own sessions: choose an environment, change the password, sign out."""

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.entrance import (
    SessionOut,
    SignedInOut,
    checked_name,
    checked_password,
    cookie,
    count_tries,
    session_out,
    signed_in_out,
)
from clarion.api.environments import environment_named
from clarion.api.route import Access, Answer, Call, Group, NoQuery
from clarion.errors import NotFound, Unprocessable
from clarion.model.member import Role
from clarion.security.passwords import LONGEST
from clarion.store import members, sessions
from clarion.store.sessions import SignedIn


class SessionPatch(msgspec.Struct, rename="camel"):
    """What changes: the environment that calls are about, one's own name; absent keeps."""

    environment_id: str | None = None
    name: str | None = None


class PasswordIn(msgspec.Struct, rename="camel"):
    """The password in use, and the one that takes its place."""

    current_password: str
    new_password: str


class EndQuery(msgspec.Struct, rename="camel", frozen=True):
    """Which sessions end."""

    keep_current: bool = False


async def get_session(call: Call[None, NoQuery]) -> SignedInOut:
    """Who is signed in, and where."""
    return signed_in_out(call, call.signed_in, call.environment_id)


async def update_session(call: Call[SessionPatch, NoQuery]) -> SignedInOut:
    """Choose the environment that this session's calls are about, or change one's own name."""
    member, session = call.signed_in
    chosen = environment_named(call.snapshot, call.body.environment_id or call.environment_id).id
    if call.body.name is not None:
        member = msgspec.structs.replace(member, name=checked_name(call.body.name))

    def write(connection: Connection) -> None:
        sessions.choose(connection, session.id, chosen)
        members.rename(connection, member.id, member.name)

    await call.services.database.write(write)
    return signed_in_out(call, SignedIn(member, session), chosen)


async def sign_out(call: Call[None, NoQuery]) -> Answer:
    """End this session."""
    member, session = call.signed_in
    await call.services.database.write(sessions.end, member.id, session.id)
    return Answer(None, 204, [cookie(call, "", 0)])


async def list_sessions(call: Call[None, NoQuery]) -> list[SessionOut]:
    """Where the member is signed in, newest first."""
    member, session = call.signed_in
    now, idle = call.services.clock(), call.services.accounts.session_idle
    found = await call.services.database.read(sessions.of_member, member.id, now, idle)
    return [session_out(item, session.id) for item in found]


async def end_session(call: Call[None, NoQuery]) -> None:
    """Sign out in another browser."""
    identity = call.path["sessionId"]
    if not await call.services.database.write(sessions.end, call.signed_in.member.id, identity):
        raise NotFound(f"Session {identity} was not found: GET /v1/sessions lists yours")


async def end_sessions(call: Call[None, EndQuery]) -> Answer:
    """Sign out everywhere, with `keepCurrent` everywhere else."""
    member, session = call.signed_in
    spared = session.id if call.query.keep_current else ""
    await call.services.database.write(sessions.end_all, member.id, but=spared)
    return Answer(None, 204, [] if spared else [cookie(call, "", 0)])


async def change_password(call: Call[PasswordIn, NoQuery]) -> None:
    """Change one's own password; every other session ends."""
    member, session = call.signed_in
    given, hasher = call.body, call.services.accounts.passwords
    await count_tries(call, f"password {member.id}")
    kept = await call.services.database.read(members.password_of, member.id)
    if not await hasher.fits(given.current_password[: LONGEST + 1], kept):
        raise Unprocessable.field("currentPassword", "is not your password")
    fresh = await hasher.hashed(checked_password(given.new_password, "newPassword"))

    def write(connection: Connection) -> None:
        members.set_password(connection, member.id, fresh)
        members.forgive(connection, [f"password {member.id}"])
        sessions.end_all(connection, member.id, but=session.id)

    await call.services.database.write(write)


_ONE = "/v1/session"
_ALL = "/v1/sessions"
_GROUP = Group("Members", access=Access.MEMBER)

ROUTES = (
    _GROUP.route(
        "GET",
        _ONE,
        get_session,
        "Who is signed in",
        Role.VIEWER,
        answer=SignedInOut,
    ),
    _GROUP.route(
        "PATCH",
        _ONE,
        update_session,
        "Choose an environment",
        Role.VIEWER,
        body=SessionPatch,
        answer=SignedInOut,
    ),
    _GROUP.route(
        "DELETE",
        _ONE,
        sign_out,
        "Sign out",
        Role.VIEWER,
        status=204,
    ),
    _GROUP.route(
        "PUT",
        _ONE + "/password",
        change_password,
        "Change the own password",
        Role.VIEWER,
        body=PasswordIn,
        status=204,
    ),
    _GROUP.route(
        "GET",
        _ALL,
        list_sessions,
        "Where one is signed in",
        Role.VIEWER,
        answer=list[SessionOut],
    ),
    _GROUP.route(
        "DELETE",
        _ALL,
        end_sessions,
        "Sign out everywhere",
        Role.VIEWER,
        query=EndQuery,
        status=204,
    ),
    _GROUP.route(
        "DELETE",
        _ALL + "/{sessionId}",
        end_session,
        "Sign out in another browser",
        Role.VIEWER,
        status=204,
    ),
)
