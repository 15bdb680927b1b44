"""Sessions: where members are signed in. What a cookie holds is kept as its hash."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.member import Member, Role, Session
from clarion.store.tables import members
from clarion.store.tables import sessions as table

_SESSION = tuple(table.c[name] for name in Session.__struct_fields__)
_MEMBER = tuple(members.c[name] for name in Member.__struct_fields__)


class SignedIn(NamedTuple):
    """A member in one of their sessions."""

    member: Member
    session: Session


def begin(connection: Connection, session: Session, token_hash: str) -> None:
    """Let a browser in."""
    row = {name: getattr(session, name) for name in Session.__struct_fields__}
    connection.execute(table.insert().values({**row, "hash": token_hash}))


def find(connection: Connection, token_hash: str, now: Millis, idle: Millis) -> SignedIn | None:
    """Whom a cookie lets in, unless it is too old or was idle for too long."""
    alive = (table.c.expires_at > now) & (table.c.last_seen_at > now - idle)
    query = sa.select(*_MEMBER, *_SESSION).join(members, members.c.id == table.c.member_id)
    row = connection.execute(query.where((table.c.hash == token_hash) & alive)).first()
    if row is None:
        return None
    identity, email, name, role, created_at, *rest = row
    return SignedIn(Member(identity, email, name, Role(role), created_at), Session(*rest))


def touch(connection: Connection, identity: str, now: Millis) -> None:
    """Note that a session was used."""
    connection.execute(table.update().where(table.c.id == identity).values(last_seen_at=now))


def choose(connection: Connection, identity: str, environment_id: str) -> None:
    """Choose a session's environment."""
    connection.execute(table.update().where(table.c.id == identity).values(environment_id=environment_id))


def of_member(connection: Connection, member_id: str, now: Millis, idle: Millis) -> list[Session]:
    """Where a member is signed in, newest first."""
    alive = (table.c.expires_at > now) & (table.c.last_seen_at > now - idle)
    query = sa.select(*_SESSION).where((table.c.member_id == member_id) & alive)
    rows = connection.execute(query.order_by(table.c.created_at.desc(), table.c.id))
    return [Session(*row) for row in rows]


def end(connection: Connection, member_id: str, identity: str) -> bool:
    """End a session of a member; whether it was there."""
    entry = (table.c.id == identity) & (table.c.member_id == member_id)
    return connection.execute(table.delete().where(entry)).rowcount > 0


def end_all(connection: Connection, member_id: str, *, but: str = "") -> None:
    """End all sessions of a member, except one."""
    entry = (table.c.member_id == member_id) & (table.c.id != but)
    connection.execute(table.delete().where(entry))
