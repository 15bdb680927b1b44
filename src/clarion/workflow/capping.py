"""Keeps pushes under the frequency caps of their environment, and counts them."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from clarion.check.frequency import DEVICE, EVERY_DEVICE, SUBSCRIBER, Cap, Spent, Usage, Use
from clarion.compose.notification import Composed, Planned
from clarion.model.clock import Millis
from clarion.model.push import Json
from clarion.model.trace import Detail, Event


class Capping:
    """What was pushed of late, and what is pushed now. With `thorough` room that is left is noted too."""

    def __init__(self, uses: Iterable[Use], now: Millis, *, thorough: bool) -> None:
        self._usage = Usage(uses)
        self._now = now
        self._thorough = thorough
        self.spent: list[Use] = []

    def kept(
        self, composed: Composed, subscriber_pk: int, caps: Sequence[Cap], severity: str, *, critical: bool
    ) -> Composed:
        """What is left of a notification. A step counts once for its subscriber and once for each device."""
        details = list(composed.details)
        kept: list[Planned] = []
        for step_id, items in groupby(composed.planned, lambda item: item.step_id):
            one = _Step(composed.id, subscriber_pk, step_id, () if critical else caps, severity)
            kept += self._kept_of_step(one, list(items), caps, details)
        return composed._replace(planned=kept, details=details)

    def _kept_of_step(
        self, step: "_Step", items: Sequence[Planned], caps: Sequence[Cap], details: list[Detail]
    ) -> Sequence[Planned]:
        left = [item for item in items if self._may_go_to_device(step, item, details)]
        if not left:
            return ()
        at = min(item.not_before or self._now for item in left)
        whole = step.use(EVERY_DEVICE, at)
        spent = self._usage.spent(step.caps, whole, step.severity)
        if spent:
            details.append(Detail(Event.FREQUENCY_CAPPED.code, self._now, step.step_id, raw=_told(spent)))
            return ()
        if self._thorough:
            details.append(Detail(Event.FREQUENCY_LEFT.code, self._now, step.step_id))
        scopes = {cap.scope for cap in caps}
        self._count([whole] if SUBSCRIBER in scopes else [])
        devices = [item for item in left if item.device_id and DEVICE in scopes]
        self._count(step.use(item.device_id, item.not_before or self._now) for item in devices)
        return left

    def _may_go_to_device(self, step: "_Step", item: Planned, details: list[Detail]) -> bool:
        """A token that only the trigger names is no device that could be counted for."""
        if not item.device_id:
            return True
        use = step.use(item.device_id, item.not_before or self._now)
        spent = self._usage.spent(step.caps, use, step.severity)
        if spent is None:
            return True
        about = (item.step_id, "", item.message_id, _told(spent), item.device_id)
        details.append(Detail(Event.FREQUENCY_CAPPED.code, self._now, *about))
        return False

    def _count(self, uses: Iterable[Use]) -> None:
        for use in uses:
            self._usage.note(use)
            self.spent.append(use)


class _Step:
    """A step of a notification, and the caps that can hold it back."""

    def __init__(
        self, notification_id: str, subscriber_pk: int, step_id: str, caps: Sequence[Cap], severity: str
    ) -> None:
        self.step_id = step_id
        self.caps = caps
        self.severity = severity
        self._notification_id = notification_id
        self._subscriber_pk = subscriber_pk

    def use(self, device_id: int, at: Millis) -> Use:
        """What it counts as."""
        return Use(self._subscriber_pk, device_id, self._notification_id, self.step_id, at)


def _told(spent: Spent) -> Json:
    cap = spent.cap
    window = f"{cap.amount} {cap.unit}"
    return {"scope": cap.scope, "most": cap.most, "window": window, "used": spent.used}
