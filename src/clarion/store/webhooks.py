"""Webhook endpoints: what they are and how they fare. What signs and what is secret is sealed."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.webhook import LONGEST_SILENCE, Endpoint, Secret
from clarion.security.vault import Vault
from clarion.store.dialect import run, sql
from clarion.store.tables import rate_buckets
from clarion.store.tables import webhook_endpoints as table


class _Sealed(msgspec.Struct):
    headers: dict[str, str]
    secrets: list[Secret]


_PLAIN = Endpoint.__struct_fields__[:-2]


def create(connection: Connection, vault: Vault, made: Endpoint) -> None:
    """Add an endpoint."""
    connection.execute(table.insert().values(_row(vault, made)))


def replace(connection: Connection, vault: Vault, changed: Endpoint) -> None:
    """Write an endpoint anew; what it failed before is forgotten."""
    values = _row(vault, changed) | {"failing_since": None}
    connection.execute(table.update().where(table.c.id == changed.id).values(values))


def delete(connection: Connection, identity: str) -> None:
    """Remove an endpoint with its deliveries and its bucket."""
    connection.execute(table.delete().where(table.c.id == identity))
    connection.execute(rate_buckets.delete().where(rate_buckets.c.category == identity))


def by_id(connection: Connection, vault: Vault, environment_id: str, identity: str) -> Endpoint | None:
    """The endpoint of that id."""
    entry = (table.c.environment_id == environment_id) & (table.c.id == identity)
    row = connection.execute(sa.select(table).where(entry)).mappings().first()
    return _read(vault, row) if row else None


def every(connection: Connection, vault: Vault) -> list[Endpoint]:
    """All endpoints of all environments, oldest first."""
    query = sa.select(table).order_by(table.c.created_at, table.c.id)
    return [_read(vault, row) for row in connection.execute(query).mappings()]


def hold(connection: Connection, identity: str) -> bool:
    """Whether an endpoint is there, and stays while the transaction lasts."""
    return run(connection, _HOLD, identity).scalar() is not None


def fared(connection: Connection, identity: str, *, well: bool, now: Millis) -> bool:
    """Note that an endpoint took something, or nothing; whether it took nothing for so long that it is to be
    switched off."""
    if well:
        run(connection, _TOOK, identity)
        return False
    run(connection, _TOOK_NOTHING, now, identity)
    since: Millis | None = run(connection, _FAILING_SINCE, identity).scalar()
    return since is not None and since <= now - LONGEST_SILENCE


def switch_off(connection: Connection, identity: str, reason: str, now: Millis) -> bool:
    """Switch an endpoint off, and tell why; whether it was on."""
    found = run(connection, _SWITCH_OFF, False, reason, now, identity, True)
    return found.rowcount > 0


def _row(vault: Vault, made: Endpoint) -> dict[str, Any]:
    sealed = vault.seal(msgspec.json.encode(_Sealed(made.headers, made.secrets)), place(made.id))
    return {name: getattr(made, name) for name in _PLAIN} | {"sealed": sealed}


def _read(vault: Vault, row: Any) -> Endpoint:
    kept = msgspec.json.decode(vault.open(row["sealed"], place(row["id"])), type=_Sealed)
    return Endpoint(**{name: row[name] for name in _PLAIN}, headers=kept.headers, secrets=kept.secrets)


def place(identity: str) -> str:
    """What the vault binds what is sealed to."""
    return f"webhook-endpoint:{identity}"


_HOLD = sql(
    "SELECT id FROM webhook_endpoints WHERE id = ?",
    postgresql="SELECT id FROM webhook_endpoints WHERE id = ? FOR KEY SHARE",
)
_TOOK = sql("UPDATE webhook_endpoints SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL")
_TOOK_NOTHING = sql("UPDATE webhook_endpoints SET failing_since = ? WHERE id = ? AND failing_since IS NULL")
_FAILING_SINCE = sql("SELECT failing_since FROM webhook_endpoints WHERE id = ?")
_SWITCH_OFF = sql("""
UPDATE webhook_endpoints SET active = ?, disabled_reason = ?, updated_at = ? WHERE id = ? AND active = ?
""")
