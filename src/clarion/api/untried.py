"""Messages that are made and not tried yet: they stand in the journal alone until then."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from clarion.journal.port import Journal, bulk_lane, deliver_lane, waiting_lane
from clarion.model.clock import Millis
from clarion.model.push import Delivery, PushMessage, Send, message_of

MOST_LOOKED_THROUGH = 200
"""Records of a lane; in one that holds more nothing is looked for, since each look would take long."""


class Untried(NamedTuple):
    """A message as it will be sent, and until when it is tried."""

    integration_id: str
    send: Send
    message: PushMessage
    ends_at: Millis


async def untried(
    journal: Journal, integration_ids: Iterable[str], trigger_id: str, notification_ids: Collection[str]
) -> list[Untried]:
    """The messages of some notifications of a trigger, of what waits for these integrations."""
    found: dict[str, Untried] = {}
    for integration_id in integration_ids:
        for lane in (deliver_lane(integration_id), bulk_lane(integration_id), waiting_lane(integration_id)):
            if 0 < await journal.depth(lane, MOST_LOOKED_THROUGH) < MOST_LOOKED_THROUGH:
                bodies = await journal.matching(lane, trigger_id)
                found |= {item.send.message_id: item for item in _in(bodies, notification_ids)}
    return list(found.values())


def _in(bodies: Iterable[bytes], notification_ids: Collection[str]) -> Iterable[Untried]:
    for body in bodies:
        delivery = msgspec.msgpack.decode(body, type=Delivery)
        for send in delivery.sends:
            if send.notification_id in notification_ids:
                said = message_of(delivery, send)
                yield Untried(delivery.integration_id, send, said, delivery.expires_at)
