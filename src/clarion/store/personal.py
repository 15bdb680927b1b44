"""Everything that is kept about one person: to hand it out, and to remove it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import iso
from clarion.model.people import Subscriber
from clarion.model.trigger import Trigger
from clarion.security.vault import Vault
from clarion.store import channel_endpoints, subscribers
from clarion.store.dialect import listed, run, sql
from clarion.store.tables import (
    channel_endpoints as endpoint_table,
)
from clarion.store.tables import (
    engagements,
    messages,
    metadata,
    notifications,
    sandbox_phones,
    sandbox_pushes,
)
from clarion.store.tables import subscribers as people

Json = dict[str, Any]

_UNSAID = frozenset({"pk", "subscriber_pk", "connection_pk", "environment_id", "sealed", "mark"})
"""Columns that say nothing about the person: row numbers, and what is sealed."""

_JSON_TEXTS = frozenset({"channels", "schedule", "preferences", "results"})
_BEHIND_NOTIFICATIONS = frozenset({"messages"})


def tables() -> list[sa.Table]:
    """Those with rows of a subscriber, but for the subscriber's own and what hangs on notifications."""
    return [
        table
        for table in metadata.sorted_tables
        if "subscriber_pk" in table.c and table.name not in _BEHIND_NOTIFICATIONS
    ]


def dossier(connection: Connection, vault: Vault, person: Subscriber) -> dict[str, list[Json]]:
    """Everything about a person, by table, oldest first where there is an order."""
    pk, environment_id = person.pk, person.environment_id
    found = {"subscribers": _rows(connection, sa.select(people).where(people.c.pk == pk))}
    for table in tables():
        found[table.name] = _rows(connection, sa.select(table).where(table.c.subscriber_pk == pk))
    found["channel_endpoints"] = _addresses(connection, vault, pk)
    theirs = sa.select(notifications.c.id).where(notifications.c.subscriber_pk == pk)
    sent = sa.select(messages).where(messages.c.notification_id.in_(theirs))
    found["messages"] = _rows(connection, sent.order_by(messages.c.id))
    reported = sa.select(engagements).where(
        engagements.c.environment_id == environment_id,
        engagements.c.message_id.in_([row["id"] for row in found["messages"]]),
    )
    found["engagements"] = _rows(connection, reported)
    phones = sa.select(sandbox_phones).where(_their_phones(person))
    found["sandbox_phones"] = _rows(connection, phones)
    shown = sandbox_pushes.c.phone_id.in_(sa.select(sandbox_phones.c.id).where(_their_phones(person)))
    found["sandbox_pushes"] = _rows(connection, sa.select(sandbox_pushes).where(shown))
    return found


class Forgotten(NamedTuple):
    """What a step removed; `more` whether there is more of it."""

    notifications: int
    messages: int
    under_way: int
    triggers: int
    more: bool

    def and_then(self, step: "Forgotten") -> "Forgotten":
        """What two steps removed."""
        return Forgotten(
            self.notifications + step.notifications,
            self.messages + step.messages,
            self.under_way + step.under_way,
            self.triggers + step.triggers,
            step.more,
        )


def forget_activity(connection: Connection, person: Subscriber, most: int) -> Forgotten:
    """Remove some of a person's notifications with their messages, and the person from their triggers."""
    found = run(connection, _NOTIFICATIONS, person.pk, most).all()
    ids = listed(row[0] for row in found)
    sent = run(connection, _MESSAGES, person.environment_id, ids).all()
    named = listed(row[0] for row in sent)
    run(connection, _FORGET_REPORTS, person.environment_id, named)
    run(connection, _FORGET_MESSAGES, person.environment_id, named)
    run(connection, _FORGET_NOTIFICATIONS, person.environment_id, ids)
    touched = _forget_in_triggers(connection, person, {row[1] for row in found})
    done = sum(1 for row in sent if row[1] != "pending")
    under_way = sum(row[2] for row in found) - done
    return Forgotten(len(found), len(sent), max(under_way, 0), touched, len(found) == most)


def forget_person(connection: Connection, person: Subscriber) -> tuple[int, int]:
    """Remove a person with all that is theirs alone; how many devices and virtual phones that were."""
    devices = connection.scalar(
        sa.select(sa.func.count()).select_from(metadata.tables["devices"]).where(_device_of(person))
    )
    phones = connection.execute(sandbox_phones.delete().where(_their_phones(person))).rowcount
    subscribers.delete(connection, person.pk)
    return devices or 0, phones


class Searched(NamedTuple):
    """How many deliveries a step removed, and the row to go on behind; None at the end."""

    removed: int
    after: int | None


def forget_deliveries(connection: Connection, person: Subscriber, after: int, most: int) -> Searched:
    """Look through some deliveries to webhook endpoints for those that tell of a person, and remove them."""
    mark = f'"subscriberId":{msgspec.json.encode(person.subscriber_id).decode()}'
    rows = run(connection, _DELIVERIES, mark, person.environment_id, after, most).all()
    run(connection, _FORGET_DELIVERIES, listed(row[0] for row in rows if row[1]))
    removed = sum(1 for row in rows if row[1])
    return Searched(removed, rows[-1][0] if len(rows) == most else None)


def _forget_in_triggers(connection: Connection, person: Subscriber, trigger_ids: Iterable[str]) -> int:
    """Take a person out of triggers; one that was for nobody else goes."""
    touched = 0
    for trigger_id, raw, alone in run(connection, _TRIGGERS, listed(trigger_ids)).all():
        trigger = msgspec.msgpack.decode(raw, type=Trigger)
        others = [item for item in trigger.people if item.subscriber_id != person.subscriber_id]
        acted = trigger.actor is not None and trigger.actor.subscriber_id == person.subscriber_id
        if alone and trigger.people and not others:
            run(connection, _FORGET_TRIGGER, trigger_id)
        elif acted or len(others) < len(trigger.people):
            kept = msgspec.structs.replace(trigger, people=others, actor=None if acted else trigger.actor)
            run(connection, _REWRITE, msgspec.msgpack.encode(kept), trigger_id)
        else:
            continue
        touched += 1
    return touched


def _addresses(connection: Connection, vault: Vault, pk: int) -> list[Json]:
    """Channel endpoints with the address that is sealed."""
    query = sa.select(endpoint_table).where(endpoint_table.c.subscriber_pk == pk)
    rows = connection.execute(query).mappings().all()
    opened = (vault.open(row["sealed"], channel_endpoints.place(row["id"])) for row in rows)
    return [
        _said(endpoint_table, row) | {"endpoint": msgspec.json.decode(address)}
        for row, address in zip(rows, opened, strict=True)
    ]


def _rows(connection: Connection, query: sa.Select[*tuple[Any, ...]]) -> list[Json]:
    (table,) = query.get_final_froms()
    assert isinstance(table, sa.Table)
    return [_said(table, row) for row in connection.execute(query).mappings()]


def _said(table: sa.Table, row: Any) -> Json:
    return {
        _camel(column.name): _shown(column, row[column.name])
        for column in table.columns
        if column.name not in _UNSAID and row[column.name] not in (None, "")
    }


def _shown(column: sa.Column[Any], value: Any) -> Any:
    if column.name in _JSON_TEXTS and isinstance(value, str):
        return msgspec.json.decode(value)
    if column.name == "history":
        return [msgspec.json.decode(line) for line in value.splitlines() if line]
    is_time = isinstance(column.type, sa.BigInteger) and (column.name == "at" or column.name.endswith("_at"))
    return iso(value) if is_time else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _their_phones(person: Subscriber) -> sa.ColumnElement[bool]:
    c = sandbox_phones.c
    return (c.environment_id == person.environment_id) & (c.subscriber_id == person.subscriber_id)


def _device_of(person: Subscriber) -> sa.ColumnElement[bool]:
    return metadata.tables["devices"].c.subscriber_pk == person.pk


_NOTIFICATIONS = sql("""
SELECT id, trigger_id, planned FROM notifications WHERE subscriber_pk = ? ORDER BY id LIMIT ?
""")
_MESSAGES = sql("""
SELECT id, status FROM messages WHERE environment_id = ? AND {notification_id in texts}
""")
_FORGET_REPORTS = sql("""
DELETE FROM engagements WHERE environment_id = ? AND {message_id in texts}
""")
_FORGET_MESSAGES = sql("""
DELETE FROM messages WHERE environment_id = ? AND {id in texts}
""")
_FORGET_NOTIFICATIONS = sql("""
DELETE FROM notifications WHERE environment_id = ? AND {id in texts}
""")

# Each with whether it is addressed and has no notification left.
_TRIGGERS = sql("""
SELECT t.id, t.body, t.expanded AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.trigger_id = t.id)
FROM {texts} JOIN triggers t ON t.id = j.value
WHERE t.workflow_id <> ''
""")
_FORGET_TRIGGER = sql("DELETE FROM triggers WHERE id = ?")
_REWRITE = sql("UPDATE triggers SET body = ? WHERE id = ?")
_DELIVERIES = sql(
    """
SELECT pk, instr(body, ?) > 0 FROM webhook_deliveries WHERE environment_id = ? AND pk > ? ORDER BY pk LIMIT ?
""",
    postgresql="""
SELECT pk, strpos(body, ?) > 0 FROM webhook_deliveries WHERE environment_id = ? AND pk > ? ORDER BY pk LIMIT ?
""",
)
_FORGET_DELIVERIES = sql("DELETE FROM webhook_deliveries WHERE pk IN (SELECT j.value FROM {numbers})")
