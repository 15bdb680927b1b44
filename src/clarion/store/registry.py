"""Devices as their apps know them: registered one at a time, found by id, moved with their owner, pruned."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.people import ISSUED_PREFIX, issued_id
from clarion.store import devices
from clarion.store.dialect import listed, run, sql


class Registration(msgspec.Struct, frozen=True):
    """What an app tells of its device; None says nothing and keeps what is known."""

    integration_id: str
    token: str
    chosen_id: str | None = None
    platform: str | None = None
    app_version: str | None = None
    locale: str | None = None
    timezone: str | None = None


class DeviceRow(msgspec.Struct, frozen=True):
    """A device, live or retired."""

    pk: int
    subscriber_pk: int
    integration_id: str
    token: str
    chosen_id: str | None
    platform: str | None
    app_version: str | None
    locale: str | None
    timezone: str | None
    registered_at: Millis
    last_seen_at: Millis
    retired_at: Millis | None
    retired_reason: str | None

    @property
    def id(self) -> str:
        """What the API calls it."""
        return self.chosen_id or issued_id(self.pk)


class Retired(NamedTuple):
    """A device that gets no more pushes, and why."""

    pk: int
    integration_id: str
    token: str
    subscriber_id: str | None
    at: Millis
    reason: str


def register(
    connection: Connection, subscriber_pk: int, given: Registration, now: Millis, *, moves: bool
) -> tuple[DeviceRow, bool]:
    """Register or refresh a device; whether the subscriber got a new one is the second value.

    A device is recognised by its id, else by its token; a known id with another token is a token that was
    renewed. With `moves` a device that another subscriber had under the integration becomes this one's.
    `LimitExceeded` changes nothing.
    """
    run(connection, _LOCK_TOKEN, given.integration_id, given.token)
    devices.lock(connection, subscriber_pk)
    own = _own(connection, subscriber_pk, given)
    held = bool(own) and own[0].retired_at is None and own[0].integration_id == given.integration_id
    if not held:
        devices.check_room(connection, subscriber_pk, given.integration_id)
    if moves:
        own += _others(connection, subscriber_pk, given)
    for double in own[1:]:
        run(connection, _REMOVE, double.pk)
    devices.ensure_channel(connection, subscriber_pk, given.integration_id)
    place = None if held else devices.next_position(connection, subscriber_pk, given.integration_id)
    if own:
        pk = own[0].pk
        run(connection, _REFRESH, subscriber_pk, place, *_told(given), now, now, pk)
    else:
        pk = run(connection, _ADD, subscriber_pk, place, *_told(given), now, now).scalar_one()
    return DeviceRow(*run(connection, _BY_PK, pk).one()), not (own and own[0].subscriber_pk == subscriber_pk)


def concerned(
    connection: Connection, subscriber_pk: int, given: Registration, *, moves: bool
) -> list[DeviceRow]:
    """The devices that a registration changes or removes, as they are; the one that stays first."""
    own = _own(connection, subscriber_pk, given)
    return own + _others(connection, subscriber_pk, given) if moves else own


def of_subscriber(connection: Connection, subscriber_pk: int) -> list[DeviceRow]:
    """All devices of a subscriber, live and retired, oldest first."""
    return [DeviceRow(*row) for row in run(connection, _OF_SUBSCRIBER, subscriber_pk)]


def find(connection: Connection, subscriber_pk: int, device_id: str) -> DeviceRow | None:
    """One device of a subscriber by what the API calls it."""
    row = run(connection, _FIND, subscriber_pk, device_id, _issued_pk(device_id)).first()
    return DeviceRow(*row) if row else None


def ids_of(connection: Connection, pks: Iterable[int]) -> dict[int, str]:
    """What the API calls devices, live and retired."""
    rows = run(connection, _CHOSEN_IDS, listed(pks))
    return {pk: chosen_id or issued_id(pk) for pk, chosen_id in rows}


def remove(connection: Connection, pk: int) -> None:
    """Forget a device."""
    run(connection, _REMOVE, pk)


def unseen(connection: Connection, environment_id: str | None, before: Millis) -> int:
    """How many live devices were last seen before a moment, in one environment or in all."""
    found: int = run(connection, _UNSEEN, before, environment_id, environment_id).scalar_one()
    return found


def prune(
    connection: Connection, environment_id: str | None, before: Millis, now: Millis, after: int, most: int
) -> tuple[list[int], int | None]:
    """Retire the unseen among the next `most` devices behind row `after`: which, and the last row looked at,
    None at the end."""
    last: int | None = run(connection, _STEP, after, most).scalar()
    if last is None:
        return [], None
    retired = run(connection, _PRUNE, now, after, last, before, environment_id, environment_id)
    return list(retired.scalars()), last


def retired(connection: Connection, pks: Iterable[int]) -> list[Retired]:
    """Those of the devices that are retired, with whose they are."""
    return [Retired(*row) for row in run(connection, _RETIRED, listed(pks))]


def _own(connection: Connection, subscriber_pk: int, given: Registration) -> list[DeviceRow]:
    """The subscriber's rows that this registration is about; the one that its id names comes first."""
    name = given.chosen_id
    parameters = (name, _issued_pk(name or ""), given.integration_id, given.token)
    rows = [DeviceRow(*row) for row in run(connection, _OWN, subscriber_pk, *parameters)]
    return sorted(rows, key=lambda row: row.id != name)


def _others(connection: Connection, subscriber_pk: int, given: Registration) -> list[DeviceRow]:
    name = given.chosen_id
    parameters = (given.integration_id, given.token, given.integration_id, name, subscriber_pk)
    rows = [DeviceRow(*row) for row in run(connection, _OTHERS, *parameters)]
    return sorted(rows, key=lambda row: row.chosen_id is None or row.chosen_id != name)


def _told(given: Registration) -> tuple[str | None, ...]:
    issued = (given.chosen_id or "").startswith(ISSUED_PREFIX)
    names = (given.integration_id, given.token, None if issued else given.chosen_id)
    return (*names, given.platform, given.app_version, given.locale, given.timezone)


def _issued_pk(name: str) -> int:
    """The row that an issued id names; 0 for an id of another kind."""
    number = name.removeprefix(ISSUED_PREFIX)
    issued = name.startswith(ISSUED_PREFIX) and number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if issued else 0


_CHOSEN_IDS = sql("SELECT d.pk, d.chosen_id FROM {numbers} JOIN devices d ON d.pk = j.value")
_COLUMNS = ", ".join(f"d.{name}" for name in DeviceRow.__struct_fields__)

# One registration of a token at a time, so that it can't end up with two owners.
_LOCK_TOKEN = sql(
    "SELECT ?, ?", postgresql="SELECT pg_advisory_xact_lock(hashtextextended(CAST(? AS text) || ?, 0))"
)

_BY_PK = sql(f"SELECT {_COLUMNS} FROM devices d WHERE d.pk = ?")  # noqa: S608
_OF_SUBSCRIBER = sql(f"SELECT {_COLUMNS} FROM devices d WHERE d.subscriber_pk = ? ORDER BY d.pk")  # noqa: S608
_FIND = sql(f"""
SELECT {_COLUMNS} FROM devices d
WHERE d.subscriber_pk = ? AND (d.chosen_id = ? OR (d.chosen_id IS NULL AND d.pk = ?))
""")  # noqa: S608

# The subscriber's rows with the id, or with the token under the integration.
_OWN = sql(f"""
SELECT {_COLUMNS} FROM devices d WHERE d.subscriber_pk = ?
AND (d.chosen_id = ? OR d.pk = ? OR (d.integration_id = ? AND d.token = ?)) ORDER BY d.pk
""")  # noqa: S608

# Rows of other subscribers under the integration with the token or with the id.
_OTHERS = sql(f"""
SELECT {_COLUMNS} FROM devices d WHERE d.pk IN (
  SELECT pk FROM devices WHERE integration_id = ? AND token = ?
  UNION SELECT pk FROM devices WHERE integration_id = ? AND chosen_id = ?)
AND d.subscriber_pk <> ? ORDER BY d.pk
""")  # noqa: S608

# Writes what an app tells over what is known; a retired device comes back to life.
_REFRESH = sql("""
UPDATE devices SET subscriber_pk = ?, position = COALESCE(?, position), integration_id = ?, token = ?,
  chosen_id = COALESCE(?, chosen_id), platform = COALESCE(?, platform),
  app_version = COALESCE(?, app_version), locale = COALESCE(?, locale), timezone = COALESCE(?, timezone),
  registered_at = ?, last_seen_at = ?, retired_at = NULL, retired_reason = NULL
WHERE pk = ?
""")
_ADD = sql("""
INSERT INTO devices (subscriber_pk, position, integration_id, token, chosen_id, platform, app_version, locale,
  timezone, registered_at, last_seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING pk
""")
_REMOVE = sql("DELETE FROM devices WHERE pk = ?")

# Pruning walks the table a stretch of rows at a time, so that nothing is locked for long.
_STEP = sql("""
SELECT MAX(pk) FROM (SELECT pk FROM devices WHERE pk > ? ORDER BY pk LIMIT ?) AS ahead
""")
_PRUNE = sql("""
UPDATE devices SET retired_at = ?, retired_reason = 'unseen'
WHERE pk > ? AND pk <= ? AND retired_at IS NULL AND last_seen_at < ?
AND (CAST(? AS text) IS NULL OR integration_id IN (SELECT id FROM integrations WHERE environment_id = ?))
RETURNING pk
""")
_RETIRED = sql("""
SELECT d.pk, d.integration_id, d.token, s.subscriber_id, d.retired_at, d.retired_reason
FROM {numbers} JOIN devices d ON d.pk = j.value JOIN subscribers s ON s.pk = d.subscriber_pk
WHERE d.retired_at IS NOT NULL ORDER BY d.pk
""")
_UNSEEN = sql("""
SELECT COUNT(*) FROM devices WHERE retired_at IS NULL AND last_seen_at < ?
AND (CAST(? AS text) IS NULL OR integration_id IN (SELECT id FROM integrations WHERE environment_id = ?))
""")
