"""Virtual phones and the pushes they got."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.store.tables import sandbox_phones, sandbox_pushes

MOST_KEPT = 50
"""Pushes a phone keeps, the newest."""


class Phone(msgspec.Struct, frozen=True):
    """A virtual phone of an environment; a removed one stays, so that its token is known to be dead."""

    id: str
    environment_id: str
    subscriber_id: str
    name: str
    platform: str
    created_at: Millis
    removed_at: Millis | None = None


class SandboxPush(msgspec.Struct, frozen=True):
    """What a phone shows; `content` is the whole of it."""

    phone_id: str
    message_id: str
    title: str
    body: str
    content: dict[str, Any]
    received_at: Millis


def add(connection: Connection, phone: Phone) -> None:
    """Add a phone."""
    connection.execute(sandbox_phones.insert().values(msgspec.structs.asdict(phone)))


def phones(connection: Connection, environment_id: str) -> list[Phone]:
    """The phones of an environment that were not removed, oldest first."""
    c = sandbox_phones.c
    entry = (c.environment_id == environment_id) & c.removed_at.is_(None)
    rows = connection.execute(sa.select(sandbox_phones).where(entry).order_by(c.created_at)).mappings()
    return [Phone(**row) for row in rows]


def remove(connection: Connection, environment_id: str, phone_id: str, now: Millis) -> bool:
    """Remove a phone with what it got; False when there is none."""
    c = sandbox_phones.c
    entry = (c.id == phone_id) & (c.environment_id == environment_id) & c.removed_at.is_(None)
    found = connection.execute(sandbox_phones.update().where(entry).values(removed_at=now)).rowcount
    if found:
        connection.execute(sandbox_pushes.delete().where(sandbox_pushes.c.phone_id == phone_id))
    return found > 0


def receive(connection: Connection, push: SandboxPush) -> bool:
    """Keep a push; one that comes again is shown once. False when there is no such phone."""
    c = sandbox_phones.c
    live = sa.select(c.id).where((c.id == push.phone_id) & c.removed_at.is_(None))
    if connection.scalar(live) is None:
        return False
    own = (sandbox_pushes.c.phone_id == push.phone_id) & (sandbox_pushes.c.message_id == push.message_id)
    connection.execute(sandbox_pushes.delete().where(own))
    connection.execute(sandbox_pushes.insert().values(msgspec.structs.asdict(push)))
    _forget_old(connection, push.phone_id)
    return True


def pushes(connection: Connection, phone_id: str) -> list[SandboxPush]:
    """What a phone shows, newest first."""
    c = sandbox_pushes.c
    query = (
        sa.select(sandbox_pushes).where(c.phone_id == phone_id).order_by(c.received_at.desc(), c.pk.desc())
    )
    rows = connection.execute(query.limit(MOST_KEPT)).mappings()
    return [SandboxPush(**{name: row[name] for name in SandboxPush.__struct_fields__}) for row in rows]


def _forget_old(connection: Connection, phone_id: str) -> None:
    c = sandbox_pushes.c
    kept = sa.select(c.pk).where(c.phone_id == phone_id).order_by(c.pk.desc()).offset(MOST_KEPT)
    old = [row[0] for row in connection.execute(kept)]
    if old:
        connection.execute(sandbox_pushes.delete().where(c.pk.in_(old)))
