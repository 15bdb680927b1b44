"""What the law lets people ask for: everything that is kept about them, and that it is removed."""

from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.api.subscribers import named
from clarion.model.member import Role
from clarion.model.people import Subscriber
from clarion.store import audit, personal

_STEP = 200
_LOOKED_THROUGH = 2000
_ENTRIES = 100


class ExportOut(msgspec.Struct, rename="camel"):
    """Everything that is kept about a person, by what it is, as rows. Secrets of others are left out."""

    subscriber_id: str
    data: dict[str, list[dict[str, Any]]]


class ErasureOut(msgspec.Struct, rename="camel"):
    """What was removed. `underWay` counts messages that had no outcome yet: what waits for its first
    try or is with a provider arrives, what waits for another is not sent, and none of it leaves anything."""

    subscriber_id: str
    notifications: int
    messages: int
    under_way: int
    triggers: int
    webhook_deliveries: int
    devices: int
    sandbox_phones: int


async def export_person(call: Call[None, NoQuery]) -> ExportOut:
    """Everything that is kept about a subscriber, device tokens and texts of messages included."""

    def read(connection: Connection) -> dict[str, list[dict[str, Any]]]:
        return personal.dossier(connection, call.services.vault, named(connection, call))

    found = await call.services.database.read(read)
    return ExportOut(call.path["subscriberId"], found)


async def erase_person(call: Call[None, NoQuery]) -> ErasureOut:
    """Remove a subscriber with everything about them: devices, preferences, subscriptions, notifications,
    messages, what webhook endpoints were told, and their part in triggers. Nothing brings it back.

    It goes in steps; one that is interrupted goes on when it is called again.
    """
    database = call.services.database
    person = await database.read(named, call)
    gone, deliveries = await _activity(call, person), await _deliveries(call, person)
    await _traces(call, person)
    devices, phones = await database.write(personal.forget_person, person)
    return ErasureOut(
        person.subscriber_id,
        gone.notifications,
        gone.messages,
        gone.under_way,
        gone.triggers,
        deliveries,
        devices,
        phones,
    )


async def _activity(call: Call[None, NoQuery], person: Subscriber) -> personal.Forgotten:
    whole = personal.Forgotten(0, 0, 0, 0, more=True)
    while whole.more:
        step = await call.services.database.write(personal.forget_activity, person, _STEP)
        whole = whole.and_then(step)
    return whole


async def _deliveries(call: Call[None, NoQuery], person: Subscriber) -> int:
    removed, after = 0, 0
    while True:
        step = await call.services.database.write(personal.forget_deliveries, person, after, _LOOKED_THROUGH)
        removed += step.removed
        if step.after is None:
            return removed
        after = step.after


async def _traces(call: Call[None, NoQuery], person: Subscriber) -> None:
    after: int | None = 0
    while after is not None:
        after = await call.services.database.write(audit.forget, person, after, _ENTRIES)


_ONE = "/v1/people/{subscriberId}"
_GROUP = Group("People", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        f"{_ONE}/export",
        export_person,
        "Hand out everything about a person",
        Role.ADMIN,
        answer=ExportOut,
        bare=True,
    ),
    _GROUP.route(
        "DELETE",
        _ONE,
        erase_person,
        "Remove a person with everything about them",
        Role.ADMIN,
        answer=ErasureOut,
        audit=Audit.BRIEF,
    ),
)
