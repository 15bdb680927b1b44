"""The receipts stage: what became of messages after a provider accepted them."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.engine import Connection

from clarion.deliver.stage import Lanes
from clarion.journal.outbox import Outbox
from clarion.journal.port import Batch, Journal, Record
from clarion.model.clock import MINUTE, Clock, Millis
from clarion.model.outcome import MessageStatus, Outcome, Verdict
from clarion.model.push import Receipts
from clarion.model.webhook import DEVICE_RETIRED, MESSAGE_FAILED, Event, about
from clarion.providers.port import ReceiptProvider
from clarion.store import devices, messages
from clarion.store.catalog import Catalog
from clarion.store.messages import Revision

_PAUSE = MINUTE
_MOST_CHECKS = 12


class ReceiptStage:
    """Asks for receipts when they are due; a message that did not arrive is failed, a dead token retired."""

    def __init__(
        self, journal: Journal, catalog: Catalog, clock: Clock, lanes: Lanes, outbox: Outbox
    ) -> None:
        self._journal = journal
        self._outbox = outbox
        self._catalog = catalog
        self._clock = clock
        self._lanes = lanes

    async def work(self, batch: Batch) -> None:
        """Ask about the tickets of a record; those without a receipt are asked about again."""
        wanted = msgspec.msgpack.decode(batch.body, type=Receipts)
        snapshot = await self._catalog.current()
        lane = await self._lanes.of(snapshot.integrations.get(wanted.integration_id))
        if lane is None:
            await self._journal.settle(batch, lambda _: [])  # nobody is left to ask with
            return
        told = await lane.receipts({item.ticket: item.sent_at for item in wanted.tickets})
        if isinstance(told, Verdict):
            await self._journal.settle(batch, lambda _: self._later(batch, wanted, told))
            return

        def write(connection: Connection) -> list[Record]:
            revisions = _revisions(wanted, told)
            revise(connection, self._outbox, wanted.environment_id, revisions, self._clock())
            return self._rest(batch, wanted, told, lane.provider)

        await self._journal.settle(batch, write)

    def _later(self, batch: Batch, wanted: Receipts, refusal: Verdict) -> list[Record]:
        """The same again, unless receipts that old are not kept any more."""
        again = msgspec.structs.replace(wanted, check=wanted.check + 1)
        if not refusal.outcome.waits or again.check >= _MOST_CHECKS:
            return []
        wait = max(refusal.retry_after or 0, _PAUSE << min(wanted.check, 6))
        return [Record(batch.lane, msgspec.msgpack.encode(again), self._clock() + wait)]

    def _rest(
        self, batch: Batch, wanted: Receipts, told: dict[str, Verdict], provider: object
    ) -> list[Record]:
        left = [item for item in wanted.tickets if item.ticket not in told]
        checks = provider.receipt_checks if isinstance(provider, ReceiptProvider) else ()
        if not left or wanted.check + 1 >= len(checks):
            return []
        due = min(item.sent_at for item in left) + checks[wanted.check + 1]
        again = msgspec.structs.replace(wanted, tickets=left, check=wanted.check + 1)
        return [Record(batch.lane, msgspec.msgpack.encode(again), max(due, self._clock() + _PAUSE))]


def revise(
    connection: Connection, outbox: Outbox, environment_id: str, revisions: Sequence[Revision], now: Millis
) -> None:
    """Keep what did not arrive, and tell whoever hears of it."""
    messages.revise(connection, environment_id, revisions, now)
    if outbox.listens(environment_id):
        outbox.put(connection, environment_id, _events(connection, environment_id, revisions, now))


def _revisions(wanted: Receipts, told: dict[str, Verdict]) -> list[Revision]:
    """Only what did not arrive changes anything."""
    return [
        Revision(item.message_id, item.device_id, item.sent_at, told[item.ticket])
        for item in wanted.tickets
        if item.ticket in told and told[item.ticket].outcome is not Outcome.ACCEPTED
    ]


def _events(
    connection: Connection, environment_id: str, revisions: Sequence[Revision], now: Millis
) -> list[Event]:
    """Of the revisions that changed something."""
    ids = [item.message_id for item in revisions]
    failed = {
        found.id
        for found in messages.settled(connection, environment_id, ids)
        if found.status == MessageStatus.FAILED and found.at == now
    }
    retired = devices.retired_at(connection, [item.device_id for item in revisions if item.device_id])
    events: list[Event] = []
    for item in revisions:
        if item.message_id in failed:
            events.append(about(MESSAGE_FAILED, item.message_id, now))
            if retired.get(item.device_id) == now:
                events.append(about(DEVICE_RETIRED, item.message_id, now))
    return events
