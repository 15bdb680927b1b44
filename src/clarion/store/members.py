"""Members of the installation, the invitations to become one, and how often somebody tried to get in."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from clarion.errors import BadInput, Conflict
from clarion.model.clock import MINUTE, Millis
from clarion.model.member import Invitation, Member, Role
from clarion.store.dialect import run, sql
from clarion.store.tables import invitations, members, sessions, sign_in_attempts

ATTEMPT_WINDOW: Millis = 15 * MINUTE
"""How long a try to get in counts."""

_LOCK = 0x636C6D65
"""Held by whoever changes members, so that the last owner is known for sure."""

_COLUMNS = tuple(members.c[name] for name in Member.__struct_fields__)
_INVITATION = tuple(invitations.c[name] for name in Invitation.__struct_fields__)


def lock(connection: Connection) -> None:
    """Let nobody else change members until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def any_member(connection: Connection) -> bool:
    """Whether there is a member at all."""
    return connection.execute(sa.select(members.c.id).limit(1)).first() is not None


def every(connection: Connection) -> list[tuple[Member, Millis | None]]:
    """All members, oldest first, and when each was last seen in a session that is still there."""
    seen = sa.func.max(sessions.c.last_seen_at)
    query = sa.select(*_COLUMNS, seen).outerjoin(sessions, sessions.c.member_id == members.c.id)
    rows = connection.execute(query.group_by(members.c.id).order_by(members.c.created_at, members.c.id))
    return [(_member(row[:-1]), row[-1]) for row in rows]


def by_id(connection: Connection, identity: str) -> Member | None:
    """The member of that id."""
    row = connection.execute(sa.select(*_COLUMNS).where(members.c.id == identity)).first()
    return _member(row) if row else None


def by_email(connection: Connection, email: str) -> tuple[Member, str] | None:
    """The member with that address, and the hash of their password."""
    query = sa.select(*_COLUMNS, members.c.password_hash).where(members.c.email == email)
    row = connection.execute(query).first()
    return (_member(row[:-1]), row[-1]) if row else None


def password_of(connection: Connection, identity: str) -> str | None:
    """The hash of a member's password."""
    return connection.scalar(sa.select(members.c.password_hash).where(members.c.id == identity))


def add(connection: Connection, member: Member, password_hash: str) -> None:
    """Add a member; `Conflict` when the address is taken."""
    lock(connection)
    if by_email(connection, member.email):
        raise taken(member.email)
    row = {name: getattr(member, name) for name in Member.__struct_fields__}
    try:
        connection.execute(
            members.insert().values({**row, "role": member.role.value, "password_hash": password_hash})
        )
    except IntegrityError as error:
        raise taken(member.email) from error


def replace(connection: Connection, member: Member) -> None:
    """Write name and role anew; `BadInput` when no owner would be left."""
    _check_owner_left(connection, but=member.id if member.role is not Role.OWNER else "")
    values = {"name": member.name, "role": member.role.value}
    connection.execute(members.update().where(members.c.id == member.id).values(values))


def rename(connection: Connection, identity: str, name: str) -> None:
    """Write a member's name anew."""
    connection.execute(members.update().where(members.c.id == identity).values(name=name))


def remove(connection: Connection, identity: str) -> None:
    """Remove a member, who is signed out; `BadInput` when no owner would be left."""
    _check_owner_left(connection, but=identity)
    connection.execute(members.delete().where(members.c.id == identity))


def set_password(connection: Connection, identity: str, password_hash: str) -> None:
    """Put another password in place of a member's."""
    connection.execute(members.update().where(members.c.id == identity).values(password_hash=password_hash))


def invite(connection: Connection, invitation: Invitation, token_hash: str) -> None:
    """Offer a role, in place of what the same person was offered before; `Conflict` for a member."""
    lock(connection)
    if by_email(connection, invitation.email):
        raise taken(invitation.email)
    connection.execute(invitations.delete().where(invitations.c.email == invitation.email))
    row = {name: getattr(invitation, name) for name in Invitation.__struct_fields__}
    connection.execute(
        invitations.insert().values({**row, "role": invitation.role.value, "hash": token_hash})
    )


def open_invitations(connection: Connection, now: Millis) -> list[Invitation]:
    """What is offered now, newest first."""
    c = invitations.c
    query = sa.select(*_INVITATION).where(c.expires_at > now).order_by(c.created_at.desc(), c.id)
    return [_invitation(row) for row in connection.execute(query)]


def invitation_for(connection: Connection, token_hash: str, now: Millis) -> Invitation | None:
    """What a link offers, unless it was used or is too old."""
    c = invitations.c
    query = sa.select(*_INVITATION).where((c.hash == token_hash) & (c.expires_at > now))
    row = connection.execute(query).first()
    return _invitation(row) if row else None


def withdraw(connection: Connection, identity: str) -> bool:
    """Take an invitation back, or note that it was used; whether it was there."""
    return connection.execute(invitations.delete().where(invitations.c.id == identity)).rowcount > 0


def attempts(connection: Connection, who: str, now: Millis) -> tuple[int, Millis]:
    """Count a try to get in; how many there were lately, and when they are forgotten."""
    since = now - ATTEMPT_WINDOW
    tries, begun = run(connection, _TRY, _subject(who), now, since, since).one()
    return tries, begun + ATTEMPT_WINDOW


def forgive(connection: Connection, who: Sequence[str]) -> None:
    """Forget the tries of somebody who got in."""
    subjects = [_subject(one) for one in who]
    connection.execute(sign_in_attempts.delete().where(sign_in_attempts.c.subject.in_(subjects)))


def sweep(connection: Connection, now: Millis) -> bool:
    """Forget tries, invitations and sessions that count no more."""
    connection.execute(sign_in_attempts.delete().where(sign_in_attempts.c.since < now - ATTEMPT_WINDOW))
    connection.execute(invitations.delete().where(invitations.c.expires_at <= now))
    connection.execute(sessions.delete().where(sessions.c.expires_at <= now))
    return False


def taken(email: str) -> Conflict:
    """What is said when an address is a member's already."""
    return Conflict(f"{email} is a member already: change their role instead")


def _check_owner_left(connection: Connection, *, but: str) -> None:
    lock(connection)
    c = members.c
    owners = connection.scalars(sa.select(c.id).where(c.role == Role.OWNER.value)).all()
    if but in owners and len(owners) == 1:
        raise BadInput("This is the last owner: make somebody else an owner first")


def _subject(who: str) -> str:
    """Addresses of people are not kept of those who only tried."""
    return sha256(who.encode()).hexdigest()


def _member(row: Any) -> Member:
    identity, email, name, role, created_at = row
    return Member(identity, email, name, Role(role), created_at)


def _invitation(row: Any) -> Invitation:
    identity, email, role, *rest = row
    return Invitation(identity, email, Role(role), *rest)


# Counts a try, from one where those before are forgotten.
_TRY = sql("""
INSERT INTO sign_in_attempts (subject, tries, since) VALUES (?, 1, ?)
ON CONFLICT (subject) DO UPDATE SET
  tries = CASE WHEN sign_in_attempts.since < ? THEN 1 ELSE sign_in_attempts.tries + 1 END,
  since = CASE WHEN sign_in_attempts.since < ? THEN excluded.since ELSE sign_in_attempts.since END
RETURNING tries, since
""")
