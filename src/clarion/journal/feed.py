"""The writing end of the live feed: a look a second, and a row for each commit while somebody watches."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from clarion.model.clock import Clock
from clarion.model.webhook import Event
from clarion.store import live
from clarion.store.database import Database
from clarion.store.notifications import NewNotification

log = structlog.get_logger(__name__)

MESSAGES, NOTIFICATIONS, INTEGRATION, CHANGED = "messages", "notifications", "integration", "changed"
EVENTS = "events"
"""Whole, for who listens in full."""

MOST_SHOWN = 20
"""Of the messages or notifications of one commit; the others are counted."""

MOST_TOGETHER = 100
"""Whole events in a row."""

_PAUSE_SECONDS = 1.0


class Feed:
    """Keeps what happens in watched environments, in the transaction that it happens in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._watched: frozenset[str] = frozenset()

    def watches(self, environment_id: str) -> bool:
        """Whether somebody watches an environment, in short or in full, as of a second ago."""
        return not self._watched.isdisjoint((environment_id, live.in_full(environment_id)))

    async def keep_watched(self) -> None:
        """Know who watches, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                log.warning(
                    "live feed's watchers not read, trying again", error=f"{type(error).__name__}: {error}"
                )
            await asyncio.sleep(_PAUSE_SECONDS)

    async def look(self) -> None:
        """Learn who watches now."""
        self._watched = await self._database.read(live.watched, self._clock())

    def tell(self, connection: Connection, environment_id: str, events: Sequence[Event]) -> None:
        """Keep what webhooks would be told, in short or whole, as it is watched."""
        if not self._watched:
            return
        if live.in_full(environment_id) in self._watched:
            self._tell_in_full(connection, environment_id, events)
        if environment_id in self._watched:
            self._tell_in_short(connection, environment_id, events)

    def _tell_in_full(self, connection: Connection, environment_id: str, events: Sequence[Event]) -> None:
        for start in range(0, len(events), MOST_TOGETHER):
            body = {"environmentId": environment_id, "events": events[start : start + MOST_TOGETHER]}
            self._put(connection, live.in_full(environment_id), EVENTS, body)

    def _tell_in_short(self, connection: Connection, environment_id: str, events: Sequence[Event]) -> None:
        of_messages = [event for event in events if event.message_id]
        if of_messages:
            counts = Counter(event.type for event in of_messages)
            shown = [[event.type, event.message_id, event.at] for event in of_messages[:MOST_SHOWN]]
            left = len(of_messages) - len(shown)
            self._put(connection, environment_id, MESSAGES, {"counts": counts, "shown": shown, "left": left})
        for event in events:
            if not event.message_id:
                self._put(connection, environment_id, *_in_short(event))

    def tell_notifications(self, connection: Connection, made: Sequence[NewNotification]) -> None:
        """Keep which notifications came to be, and which come to nothing."""
        for environment_id in {item.environment_id for item in made}:
            if environment_id in self._watched:
                own = [item for item in made if item.environment_id == environment_id]
                shown = [[item.id, item.trigger_id, item.planned] for item in own[:MOST_SHOWN]]
                triggers = list(dict.fromkeys(item.trigger_id for item in own))[:MOST_SHOWN]
                body = {"shown": shown, "left": len(own) - len(shown), "triggers": triggers}
                self._put(connection, environment_id, NOTIFICATIONS, body)

    def _put(self, connection: Connection, environment_id: str, kind: str, body: Any) -> None:
        live.add(connection, environment_id, kind, body, self._clock())


def _in_short(event: Event) -> tuple[str, Any]:
    """Whole for integrations, which are small; of anything else what it is."""
    shown = event.data.get("object", {})
    if event.type.startswith("integration."):
        return INTEGRATION, {"event": event.type, **shown}
    return CHANGED, {"event": event.type, "_id": shown.get("_id", "")}
