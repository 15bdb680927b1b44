"""Device tokens: rows, one for each (subscriber, integration, token). Retired rows keep their reason."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.errors import LimitExceeded
from clarion.model.clock import DAY, Millis
from clarion.model.people import MAX_DEVICE_TOKENS, Channel, Device
from clarion.store.dialect import listed, run, run_many, sql
from clarion.store.tables import channels, devices, integrations


class Grant(NamedTuple):
    """Tokens for one integration; `device_tokens` None says nothing of them. With `moves` other subscribers
    lose them."""

    integration_id: str
    device_tokens: Sequence[str] | None
    webhook_url: str | None
    moves: bool = False


def merged(present: Sequence[str], given: Sequence[str], *, append: bool) -> list[str]:
    """The token list after a credential call: first occurrences in order, present ones first.

    `LimitExceeded` when that would be more than 100.
    """
    tokens = list(dict.fromkeys([*present, *given] if append else given))
    _check_count(len(tokens))
    return tokens


def check_room(connection: Connection, subscriber_pk: int, integration_id: str) -> None:
    """`LimitExceeded` when one more token would be too many."""
    _check_count(len(_live(connection, subscriber_pk, integration_id)) + 1)


def _check_count(count: int) -> None:
    if count > MAX_DEVICE_TOKENS:
        raise LimitExceeded(
            "Device tokens limit exceeded. Maximum allowed tokens per subscriber channel is "
            f"{MAX_DEVICE_TOKENS}, but got {count} tokens.",
            current=count,
            limit=MAX_DEVICE_TOKENS,
        )


def lock(connection: Connection, subscriber_pk: int) -> None:
    """One change at a time for a subscriber, so that the limit holds between processes."""
    run(connection, _LOCK, subscriber_pk)


def append(
    connection: Connection, subscriber_pk: int, integration_id: str, given: Sequence[str], now: Millis
) -> None:
    """Add tokens to those present; see `merged`."""
    present = _live(connection, subscriber_pk, integration_id)
    fresh = merged(present, given, append=True)[len(present) :]
    _touch(
        connection, subscriber_pk, integration_id, [token for token in given if token in set(present)], now
    )
    _register(connection, subscriber_pk, integration_id, fresh, now)


def grant(connection: Connection, subscriber_pk: int, grants: Sequence[Grant], now: Millis) -> None:
    """Add what several grants bring, all or nothing: `LimitExceeded` changes nothing."""
    if not grants:
        return
    lock(connection, subscriber_pk)
    wanted: dict[str, list[str]] = {}
    for item in grants:
        wanted.setdefault(item.integration_id, []).extend(item.device_tokens or ())
    for integration_id, tokens in wanted.items():
        merged(_live(connection, subscriber_pk, integration_id), tokens, append=True)
    for integration_id, tokens in wanted.items():
        append(connection, subscriber_pk, integration_id, tokens, now)
    for item in grants:
        if item.moves:
            take_from_others(connection, subscriber_pk, item.integration_id, item.device_tokens or ())
        if item.webhook_url is not None:
            set_webhook_url(connection, subscriber_pk, item.integration_id, item.webhook_url)


def replace(
    connection: Connection, subscriber_pk: int, integration_id: str, given: Sequence[str], now: Millis
) -> None:
    """Make the given tokens the only ones; see `merged`."""
    lock(connection, subscriber_pk)
    tokens = merged((), given, append=False)
    _forget_others(connection, subscriber_pk, integration_id, tokens)
    _register(connection, subscriber_pk, integration_id, tokens, now)


def take_from_others(
    connection: Connection, subscriber_pk: int, integration_id: str, tokens: Sequence[str]
) -> None:
    """Leave the tokens to this subscriber alone: a shared phone gets the pushes of who logged in last."""
    run_many(connection, _TAKE, [(integration_id, token, subscriber_pk) for token in tokens])


def set_webhook_url(connection: Connection, subscriber_pk: int, integration_id: str, url: str) -> None:
    """Keep the URL that replaces the integration's for this subscriber."""
    ensure_channel(connection, subscriber_pk, integration_id)
    entry = (channels.c.subscriber_pk == subscriber_pk) & (channels.c.integration_id == integration_id)
    connection.execute(channels.update().where(entry).values(webhook_url=url))


def remove_provider(
    connection: Connection, subscriber_pk: int, environment_id: str, provider_id: str
) -> None:
    """Drop everything a subscriber has under a provider, over all its integrations."""
    theirs = sa.select(integrations.c.id).where(
        (integrations.c.environment_id == environment_id) & (integrations.c.provider_id == provider_id)
    )
    for table in (devices, channels):
        entry = (table.c.subscriber_pk == subscriber_pk) & table.c.integration_id.in_(theirs)
        connection.execute(table.delete().where(entry))


def channels_of(connection: Connection, subscriber_pks: Iterable[int]) -> dict[int, list[Channel]]:
    """What subscribers have under each integration, in the order they got it."""
    pks = listed(subscriber_pks)
    found: dict[int, list[Channel]] = {}
    entries: dict[tuple[int, str], Channel] = {}
    for pk, provider, integration, identifier, url in run(connection, _CHANNELS, pks):
        channel = Channel(pk, provider, integration, identifier, [], url)
        found.setdefault(pk, []).append(channel)
        entries[pk, integration] = channel
    for device in _live_of(connection, pks):
        entries[device.subscriber_pk, device.integration_id].devices.append(device)
    return found


def retire(connection: Connection, retirements: Sequence[tuple[int, Millis, str, Millis]]) -> None:
    """Retire devices, each (pk, died_at, reason, now). One registered again after `died_at` stays."""
    rows = [(now, reason, pk, died_at) for pk, died_at, reason, now in retirements]
    run_many(connection, _RETIRE, rows)


def retired_at(connection: Connection, pks: Sequence[int]) -> dict[int, Millis]:
    """When those of the devices were retired that are."""
    if not pks:
        return {}
    return {row.pk: row.retired_at for row in run(connection, _RETIRED_AT, listed(pks))}


def seen(connection: Connection, pks: Sequence[int], now: Millis) -> None:
    """Devices took a push; noted once a day of each."""
    known = [pk for pk in pks if pk]
    if known:
        run(connection, _SEEN, now, listed(known), now - DAY)


def _live(connection: Connection, subscriber_pk: int, integration_id: str) -> list[str]:
    return list(run(connection, _LIVE, subscriber_pk, integration_id).scalars())


def _live_of(connection: Connection, pks: str) -> Iterable[Device]:
    return (Device(*row) for row in run(connection, _LIVE_OF, pks))


def ensure_channel(connection: Connection, subscriber_pk: int, integration_id: str) -> None:
    """Give a subscriber an entry under an integration."""
    run(connection, _ENSURE_CHANNEL, subscriber_pk, integration_id)


def _touch(
    connection: Connection, subscriber_pk: int, integration_id: str, tokens: Sequence[str], now: Millis
) -> None:
    if tokens:
        rows = [(now, now, subscriber_pk, integration_id, token) for token in tokens]
        run_many(connection, _TOUCH, rows)


def _register(
    connection: Connection, subscriber_pk: int, integration_id: str, tokens: Sequence[str], now: Millis
) -> None:
    ensure_channel(connection, subscriber_pk, integration_id)
    if tokens:
        first = next_position(connection, subscriber_pk, integration_id)
        rows = [
            (subscriber_pk, integration_id, token, first + step, now, now)
            for step, token in enumerate(tokens)
        ]
        run_many(connection, _REGISTER, rows)


def next_position(connection: Connection, subscriber_pk: int, integration_id: str) -> int:
    """Where a new token of an entry stands."""
    last: int = run(connection, _LAST_POSITION, subscriber_pk, integration_id).scalar() or 0
    return last + 1


def _forget_others(
    connection: Connection, subscriber_pk: int, integration_id: str, keep: Sequence[str]
) -> None:
    run(connection, _FORGET_OTHERS, subscriber_pk, integration_id, listed(keep))


_LOCK = sql(
    "SELECT pk FROM subscribers WHERE pk = ?",
    postgresql="SELECT pk FROM subscribers WHERE pk = ? FOR UPDATE",
)

# The entries of subscribers, oldest first.
_CHANNELS = sql("""
SELECT c.subscriber_pk, i.provider_id, c.integration_id, i.identifier, c.webhook_url
FROM {numbers}
JOIN channels c ON c.subscriber_pk = j.value
JOIN integrations i ON i.id = c.integration_id
ORDER BY c.subscriber_pk, c.pk
""")

# The live tokens of one entry, in order.
_LIVE = sql("""
SELECT token FROM devices
WHERE subscriber_pk = ? AND integration_id = ? AND retired_at IS NULL ORDER BY position
""")

# The live tokens of many subscribers, in order: what a chunk of recipients is sent to.
_LIVE_OF = sql("""
SELECT d.pk, d.subscriber_pk, d.integration_id, d.token, d.chosen_id, d.locale, d.timezone
FROM {numbers} JOIN devices d ON d.subscriber_pk = j.value
WHERE d.retired_at IS NULL ORDER BY d.subscriber_pk, d.position
""")

_ENSURE_CHANNEL = sql("""
INSERT INTO channels (subscriber_pk, integration_id) VALUES (?, ?)
ON CONFLICT (subscriber_pk, integration_id) DO NOTHING
""")

# A token that is registered again was alive then, whatever a provider says of the time before.
_TOUCH = sql("""
UPDATE devices SET registered_at = ?, last_seen_at = ?
WHERE subscriber_pk = ? AND integration_id = ? AND token = ?
""")

_LAST_POSITION = sql("SELECT MAX(position) FROM devices WHERE subscriber_pk = ? AND integration_id = ?")

# Registers tokens in order; a retired one comes back to life.
_REGISTER = sql("""
INSERT INTO devices (subscriber_pk, integration_id, token, position, registered_at, last_seen_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (subscriber_pk, integration_id, token) DO UPDATE SET
  position = excluded.position, registered_at = excluded.registered_at, last_seen_at = excluded.last_seen_at,
  retired_at = NULL, retired_reason = NULL
""")

_TAKE = sql("DELETE FROM devices WHERE integration_id = ? AND token = ? AND subscriber_pk <> ?")
_FORGET_OTHERS = sql("""
DELETE FROM devices WHERE subscriber_pk = ? AND integration_id = ?
AND token NOT IN (SELECT j.value FROM {texts}) AND retired_at IS NULL
""")

_SEEN = sql("""
UPDATE devices SET last_seen_at = ? WHERE pk IN (SELECT j.value FROM {numbers}) AND last_seen_at < ?
""")
_RETIRED_AT = sql("""
SELECT d.pk, d.retired_at FROM {numbers} JOIN devices d ON d.pk = j.value WHERE d.retired_at IS NOT NULL
""")
_RETIRE = sql("""
UPDATE devices SET retired_at = ?, retired_reason = ?
WHERE pk = ? AND retired_at IS NULL AND registered_at <= ?
""")
