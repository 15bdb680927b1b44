"""When workflows were last triggered, kept with a write a second for each at most."""

from collections.abc import Iterable, Mapping

from clarion.model.clock import SECOND, Millis
from clarion.model.trigger import Trigger


class Recency:
    """What one process has written; others may write the same."""

    def __init__(self) -> None:
        self._written: dict[str, Millis] = {}

    def due(self, triggers: Iterable[Trigger]) -> dict[str, Millis]:
        """The workflows whose time is to be written, each with its latest trigger."""
        latest: dict[str, Millis] = {}
        for trigger in triggers:
            latest[trigger.workflow_id] = max(trigger.accepted_at, latest.get(trigger.workflow_id, 0))
        return {name: at for name, at in latest.items() if at >= self._written.get(name, -SECOND) + SECOND}

    def written(self, times: Mapping[str, Millis]) -> None:
        """The times are on disk."""
        self._written |= times
