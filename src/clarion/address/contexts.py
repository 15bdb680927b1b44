"""Makes the contexts of triggers true: those that were not there, and data that came along."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.clock import Millis
from clarion.model.context import references, resolved
from clarion.model.trigger import Trigger
from clarion.store import contexts


def settle_contexts(connection: Connection, triggers: Sequence[Trigger], now: Millis) -> list[Trigger]:
    """The triggers with the data of their contexts as it is now, whatever becomes of it while they go out."""
    named = [trigger for trigger in triggers if trigger.context]
    known = {
        environment_id: contexts.ensure(
            connection,
            environment_id,
            [
                one
                for trigger in named
                if trigger.environment_id == environment_id
                for one in references(trigger.context)
            ],
            now,
        )
        for environment_id in {trigger.environment_id for trigger in named}
    }
    return [
        msgspec.structs.replace(trigger, context=resolved(trigger.context, known[trigger.environment_id]))
        if trigger.context
        else trigger
        for trigger in triggers
    ]
