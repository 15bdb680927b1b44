"""Keeps how integrations stand where every process and every person can see it."""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy.engine import Connection

from clarion.deliver.breaker import Change, State
from clarion.deliver.breakers import Standing
from clarion.errors import DatabaseUnavailable
from clarion.journal.outbox import Outbox
from clarion.model.clock import Clock, iso
from clarion.model.people import Integration
from clarion.model.webhook import INTEGRATION_DEGRADED, INTEGRATION_RECOVERED, Event, happened
from clarion.store import health
from clarion.store.database import Database
from clarion.store.health import Health

log = structlog.get_logger(__name__)

_BREATH_SECONDS = 0.5


class HealthBook:
    """Written to in the background: a send doesn't wait for it."""

    def __init__(self, database: Database, clock: Clock, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()

    async def standing(self, integration: Integration) -> Standing:
        """What is known of an integration; how it stood counts until it is changed."""
        known = await self._database.read(health.of, integration.id)
        if known is None:
            return Standing()
        if known.configured_at != integration.updated_at or known.state != State.PAUSED:
            return Standing(known.proven)
        return Standing(known.proven, State.PAUSED, known.since)

    def changed(self, integration: Integration, change: Change, *, proven: bool) -> None:
        """Tell once, and keep."""
        tell = log.info if change.state is State.CLOSED else log.warning
        tell(
            f"integration {_WORDS[change.state]}",
            integration=integration.identifier,
            provider=integration.provider_id,
            code=change.code,
            explanation=change.explanation,
        )
        told = _event(integration, change)

        def keep(connection: Connection, row: Health) -> None:
            health.keep(connection, row)
            self._outbox.put(connection, integration.environment_id, [told])

        self._begin(keep, _row(integration, change, proven))

    def proved(self, integration: Integration) -> None:
        """Keep that an integration had a message accepted."""
        fine = Change(State.CLOSED, "", "", self._clock())
        self._begin(health.prove, _row(integration, fine, True))

    async def written(self) -> None:
        """Return when everything told so far is on disk."""
        while self._writing:
            await asyncio.wait(self._writing)

    def _begin(self, change: Callable[[Connection, Health], None], row: Health) -> None:
        task = asyncio.create_task(self._write(change, row))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, change: Callable[[Connection, Health], None], row: Health) -> None:
        async with self._in_order:
            while True:
                try:
                    await self._database.write(change, row)
                    return
                except DatabaseUnavailable:
                    await asyncio.sleep(_BREATH_SECONDS)
                except Exception:
                    log.exception("how an integration stands can't be kept")
                    return


_WORDS = {
    State.OPEN: "degraded: its provider is away, messages wait",
    State.PAUSED: "paused: its set-up is refused, messages wait until it is corrected",
    State.CLOSED: "recovered",
}


def _event(integration: Integration, change: Change) -> Event:
    kind = INTEGRATION_RECOVERED if change.state is State.CLOSED else INTEGRATION_DEGRADED
    shown = {
        "_id": integration.id,
        "identifier": integration.identifier,
        "name": integration.name,
        "providerId": integration.provider_id,
        "state": change.state.value,
        "code": change.code,
        "explanation": change.explanation,
        "since": iso(change.at),
    }
    return happened(kind, shown, integration.id, change.at)


def _row(integration: Integration, change: Change, proven: bool) -> Health:
    return Health(
        integration.id,
        integration.environment_id,
        change.state.value,
        change.at,
        change.code,
        change.explanation,
        proven,
        integration.updated_at,
    )
