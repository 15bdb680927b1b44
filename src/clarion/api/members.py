"""Who looks after the installation: members, their roles, and invitations to become one."""

from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.entrance import MemberOut, checked_email, checked_name, member_out
from clarion.api.route import Access, Call, NoQuery, Route
from clarion.errors import Forbidden, LimitExceeded, NotFound
from clarion.model.clock import DAY, Millis, iso
from clarion.model.ids import new_id
from clarion.model.member import Invitation, Member, Role
from clarion.security.keys import fingerprint, new_token
from clarion.store import members, sessions

INVITATION_LIFETIME: Millis = 7 * DAY
MOST_MEMBERS = 1000
"""Members and open invitations together."""


class MemberPatch(msgspec.Struct):
    """What changes of a member; absent keeps."""

    role: Role | None = None
    name: str | None = None


class InvitationIn(msgspec.Struct):
    """Who is invited, and to what."""

    email: str
    role: Role


class InvitationOut(msgspec.Struct, rename="camel", kw_only=True):
    """An invitation that can be taken up."""

    id: str = msgspec.field(name="_id")
    email: str
    role: Role
    invited_by: str
    created_at: str
    expires_at: str


class InvitationWithLink(InvitationOut, rename="camel", kw_only=True):
    """An invitation with its link, which is not shown again: whoever has it may take it up, once."""

    token: str
    link: str


async def list_members(call: Call[None, NoQuery]) -> list[MemberOut]:
    """All members, oldest first."""
    return [member_out(*item) for item in await call.services.database.read(members.every)]


async def get_member(call: Call[Any, NoQuery]) -> MemberOut:
    """One member."""
    found = await call.services.database.read(members.every)
    shown = (member_out(*item) for item in found if item[0].id == call.path["memberId"])
    return next(shown, None) or _missing(call)


async def update_member(call: Call[MemberPatch, NoQuery]) -> MemberOut:
    """Give a member another role or name. Nobody gives more than they have, and an owner always stays."""
    given = call.body

    def write(connection: Connection) -> None:
        found = _changeable(connection, call)
        role = given.role or found.role
        _check_rank(call, role)
        name = found.name if given.name is None else checked_name(given.name)
        members.replace(connection, msgspec.structs.replace(found, role=role, name=name))

    await call.services.database.write(write)
    return await get_member(call)


async def remove_member(call: Call[None, NoQuery]) -> None:
    """Remove a member, who is signed out at once. The last owner stays."""

    def write(connection: Connection) -> None:
        members.remove(connection, _changeable(connection, call).id)

    await call.services.database.write(write)


async def end_member_sessions(call: Call[None, NoQuery]) -> None:
    """Sign a member out everywhere."""

    def write(connection: Connection) -> None:
        sessions.end_all(connection, _changeable(connection, call).id)

    await call.services.database.write(write)


async def list_invitations(call: Call[None, NoQuery]) -> list[InvitationOut]:
    """Invitations that can be taken up, newest first."""
    found = await call.services.database.read(members.open_invitations, call.services.clock())
    return [InvitationOut(**_shown(item)) for item in found]


async def create_invitation(call: Call[InvitationIn, NoQuery]) -> InvitationWithLink:
    """Invite somebody: the link in the answer is shown once, and works once within a week. It takes the
    place of an earlier one for the same address."""
    email, role, now, token = (
        checked_email(call.body.email),
        call.body.role,
        call.services.clock(),
        new_token(),
    )
    _check_rank(call, role)
    inviter = call.signed_in.member
    made = Invitation(new_id(now), email, role, inviter.name or inviter.email, now, now + INVITATION_LIFETIME)

    def write(connection: Connection) -> None:
        _check_room(connection, now)
        members.invite(connection, made, fingerprint(token))

    await call.services.database.write(write)
    return InvitationWithLink(**_shown(made), token=token, link=f"{call.client.origin}/invitation#{token}")


async def withdraw_invitation(call: Call[None, NoQuery]) -> None:
    """Take an invitation back."""
    identity, now = call.path["invitationId"], call.services.clock()

    def write(connection: Connection) -> None:
        offered = {item.id: item for item in members.open_invitations(connection, now)}
        if identity not in offered:
            raise NotFound(f"Invitation {identity} was not found: GET /v1/invitations lists those there are")
        _check_rank(call, offered[identity].role)
        members.withdraw(connection, identity)

    await call.services.database.write(write)


def _changeable(connection: Connection, call: Call[Any, Any]) -> Member:
    """The member that the path names, whom the caller may change."""
    members.lock(connection)
    found = members.by_id(connection, call.path["memberId"]) or _missing(call)
    _check_rank(call, found.role)
    return found


def _check_rank(call: Call[Any, Any], role: Role) -> None:
    if not call.caller.role.covers(role):
        raise Forbidden(
            f"Your role is {call.caller.role.value}: only an owner may give or change {role.value}"
        )


def _check_room(connection: Connection, now: Millis) -> None:
    present = len(members.every(connection)) + len(members.open_invitations(connection, now))
    if present >= MOST_MEMBERS:
        told = f"There are {present} members and invitations already: remove one first"
        raise LimitExceeded(told, current=present, limit=MOST_MEMBERS)


def _missing(call: Call[Any, Any]) -> Any:
    raise NotFound(f"Member {call.path['memberId']} was not found: GET /v1/members lists those there are")


def _shown(item: Invitation) -> dict[str, Any]:
    return {
        "id": item.id,
        "email": item.email,
        "role": item.role,
        "invited_by": item.invited_by,
        "created_at": iso(item.created_at),
        "expires_at": iso(item.expires_at),
    }


_MEMBERS = "/v1/members"
_ONE = _MEMBERS + "/{memberId}"
_INVITATIONS = "/v1/invitations"
_TAG = "Members"


def _route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(method, path, handler, summary, _TAG, Role.ADMIN, access=Access.MEMBER, **more)


ROUTES = (
    _route("GET", _MEMBERS, list_members, "List members", answer=list[MemberOut]),
    _route("GET", _ONE, get_member, "Read a member", answer=MemberOut),
    _route("PATCH", _ONE, update_member, "Change a member", body=MemberPatch, answer=MemberOut),
    _route("DELETE", _ONE, remove_member, "Remove a member", status=204),
    _route("DELETE", _ONE + "/sessions", end_member_sessions, "Sign a member out", status=204),
    _route("GET", _INVITATIONS, list_invitations, "List invitations", answer=list[InvitationOut]),
    _route(
        "POST",
        _INVITATIONS,
        create_invitation,
        "Invite somebody",
        body=InvitationIn,
        answer=InvitationWithLink,
        status=201,
        secret=True,
        unique=True,
    ),
    _route(
        "DELETE",
        _INVITATIONS + "/{invitationId}",
        withdraw_invitation,
        "Take an invitation back",
        status=204,
    ),
)
