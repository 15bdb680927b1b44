"""The audit log over HTTP: Clarion's own."""

from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.dates import date
from clarion.api.pages import CursorPage, CursorQuery, cursor_page
from clarion.api.route import Call, Route
from clarion.errors import Forbidden
from clarion.model.clock import iso
from clarion.model.member import Role
from clarion.store import audit
from clarion.store.audit import Row, Wanted


class AuditQuery(CursorQuery, rename="camel", frozen=True, kw_only=True):
    """Query of the audit log. `actor` is an id or a name, `resource` also finds what is below it; `since` and
    `until` are dates. `everywhere`, for members: of all environments, also of those that are gone."""

    actor: str | None = None
    action: str | None = None
    resource: str | None = None
    since: str | None = None
    until: str | None = None
    everywhere: bool = False


class ActorOut(msgspec.Struct):
    """Who did it: a `key`, a `member`, somebody at the server (`cli`), or `nobody`, who wasn't let in."""

    type: str
    id: str
    name: str


class AuditEntryOut(msgspec.Struct, rename="camel", kw_only=True):
    """One change. `_environmentId` is null for what is the installation's. `action` is the operation's name,
    `resource` its path. `before` and `after` are without secrets, and null where they are not kept."""

    id: str = msgspec.field(name="_id")
    at: str
    environment_id: str | None = msgspec.field(name="_environmentId")
    actor: ActorOut
    action: str
    resource: str
    address: str
    status: int
    before: Any
    after: Any


class AuditPage(msgspec.Struct):
    """Entries, and the cursors to what is before and after."""

    data: list[AuditEntryOut]
    next: str | None
    previous: str | None


async def list_audit_log(call: Call[None, AuditQuery]) -> AuditPage:
    """Who changed what, newest first. A key sees its environment, a member also the installation."""
    query = call.query
    wanted = Wanted(
        _environments(call),
        query.actor,
        query.action,
        query.resource.strip("/") if query.resource else None,
        date(query.since, "since") if query.since else None,
        date(query.until, "until") if query.until else None,
    )

    def read(connection: Connection) -> CursorPage[Row]:
        return cursor_page(
            lambda anchor, order: audit.search(connection, wanted, anchor, order),
            lambda identity: audit.by_id(connection, wanted, identity),
            lambda row: (row.pk,),
            query,
        )

    page = await call.services.database.read(read)
    return AuditPage([_out(row) for row in page.rows], page.next, page.previous)


def _environments(call: Call[None, AuditQuery]) -> tuple[str, ...] | None:
    if call.caller.member is None:
        if call.query.everywhere:
            raise Forbidden("A key sees its own environment's entries alone: sign in to see all")
        return (call.environment_id,)
    return None if call.query.everywhere else (call.environment_id, "")


def _out(row: Row) -> AuditEntryOut:
    return AuditEntryOut(
        id=row.id,
        at=iso(row.at),
        environment_id=row.environment or None,
        actor=ActorOut(row.actor_type, row.actor_id, row.actor_name),
        action=row.action,
        resource=row.resource,
        address=row.address,
        status=row.status,
        before=row.before,
        after=row.after,
    )


ROUTES = (
    Route(
        "GET",
        "/v1/audit-log",
        list_audit_log,
        "Who changed what",
        "Audit log",
        Role.ADMIN,
        query=AuditQuery,
        answer=AuditPage,
        bare=True,
    ),
)
