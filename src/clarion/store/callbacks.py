"""Which messages a provider's callback is about, by what the provider knows of them.

No index of the provider's ids is kept for it. A device's token leads to its subscriber, whose notifications
of a time are at hand, and an id that went out with a push says which time that was.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from clarion.model.callback import Told
from clarion.model.clock import DAY, Millis
from clarion.model.ids import earliest, time_of
from clarion.store.dialect import listed, run, sql, storable

REMEMBERED: Millis = 31 * DAY
"""How old a message may be whose time the provider doesn't tell."""


class Sent(NamedTuple):
    """A message that went to a device. `at` is when its status became what it is."""

    id: str
    token: str
    provider_message_id: str
    integration_id: str
    device_id: int
    status: str
    at: Millis


class Found(NamedTuple):
    """What is told of messages that are there, and of messages that are not written yet or never were."""

    sent: list[tuple[Told, Sent]]
    unwritten: list[Told]


def find(
    connection: Connection, environment_id: str, integration_id: str, told: Sequence[Told], now: Millis
) -> Found:
    """The messages of an integration that something is told of."""
    named = [item for item in told if item.message_id]
    rest = [item for item in told if item.provider_message_id and not item.message_id]
    by_id = _by_id(connection, environment_id, named)
    by_device = _by_device(connection, environment_id, integration_id, rest, now)
    pairs = [(item, by_id[item.message_id]) for item in named if item.message_id in by_id]
    pairs = [
        (item, one) for item, one in pairs if (one.token, one.integration_id) == (item.token, integration_id)
    ]
    pairs += [(item, one) for item in rest for one in by_device.get(_name_of(item), ())]
    return Found(pairs, [item for item in named if item.message_id not in by_id])


def devices_of(connection: Connection, integration_id: str, tokens: Iterable[str]) -> dict[str, list[int]]:
    """The devices of an integration, by token."""
    found: dict[str, list[int]] = {}
    for token, pk in run(connection, _DEVICES, listed(map(storable, tokens)), integration_id):
        found.setdefault(token, []).append(pk)
    return found


def _name_of(item: Told) -> tuple[str, str]:
    return item.token, item.provider_message_id


def _by_id(connection: Connection, environment_id: str, told: Sequence[Told]) -> dict[str, Sent]:
    if not told:
        return {}
    rows = run(connection, _BY_ID, environment_id, listed({item.message_id for item in told}))
    return {message.id: message for message in (Sent(*row) for row in rows)}


def _by_device(
    connection: Connection, environment_id: str, integration_id: str, told: Sequence[Told], now: Millis
) -> dict[tuple[str, str], list[Sent]]:
    found: dict[tuple[str, str], list[Sent]] = {}
    if not told:
        return found
    begin, end = _time_of(told, now)
    tokens = listed({storable(item.token) for item in told})
    window = (earliest(begin), earliest(end))
    rows = run(
        connection, _BY_DEVICE, tokens, integration_id, environment_id, *window, *window, integration_id
    )
    for message in (Sent(*row) for row in rows):
        found.setdefault((message.token, message.provider_message_id), []).append(message)
    return found


def _time_of(told: Sequence[Told], now: Millis) -> tuple[Millis, Millis]:
    """From when on and until when the messages' ids are; a group has the time of all of its messages."""
    if all(item.group_id for item in told):
        times = [time_of(item.group_id) for item in told]
        return min(times), max(times) + 1
    return now - REMEMBERED, now + DAY


_DEVICES = sql("""
SELECT d.token, d.pk FROM {texts} JOIN devices d ON d.integration_id = ? AND d.token = j.value
""")

_COLUMNS = "m.id, m.token, m.provider_message_id, m.integration_id, m.device_id, m.status, m.updated_at"

_BY_ID = sql(f"""
SELECT {_COLUMNS} FROM messages m WHERE m.environment_id = ? AND {{m.id in texts}}
""")  # noqa: S608 - constants

# The bounds of the messages' ids say again what those of their notifications say, for a table that is kept in
# parts by time.
_BY_DEVICE = sql(f"""
SELECT {_COLUMNS} FROM {{texts}} JOIN devices d ON d.integration_id = ? AND d.token = j.value
JOIN notifications n ON n.environment_id = ? AND n.subscriber_pk = d.subscriber_pk AND n.id >= ? AND n.id < ?
JOIN messages m ON m.environment_id = n.environment_id AND m.notification_id = n.id AND m.id >= ? AND m.id < ?
WHERE m.integration_id = ? AND m.token = d.token
""")  # noqa: S608 - constants
