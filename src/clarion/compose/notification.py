"""From a trigger, its workflow and one recipient to a message per device. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from clarion.compose.conditions import Condition, Held
from clarion.compose.fitting import Fitting, fitted, surely_fits
from clarion.compose.formats import Region
from clarion.compose.overrides import Overrides, chosen_devices, overrides_for
from clarion.compose.speech import UNSAID, Said, Speech
from clarion.compose.variables import OWN, STEP, profile, variables
from clarion.compose.words import Words
from clarion.errors import TemplateError
from clarion.model.clock import Millis
from clarion.model.ids import placed_id
from clarion.model.people import DEVICE_PROVIDERS, Channel, Device, Integration, Subscriber
from clarion.model.preference import PUSH, Chosen, standing
from clarion.model.push import PLAIN, Json, Personal, PushMessage
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Trigger
from clarion.model.workflow import Step, Workflow

_ALWAYS = Held(True)


class Planned(NamedTuple):
    """One message to one device. `content` is one object for all who share it."""

    message_id: str
    integration_id: str
    step_id: str
    token: str
    device_id: int
    content: PushMessage
    personal: Personal | None
    not_before: Millis = 0


class _Shared(NamedTuple):
    """What all recipients of a step share under one provider, and whether it had to be cut."""

    content: PushMessage
    cut: bool


class Composed(NamedTuple):
    """A notification: its messages, and what was left out and why."""

    id: str
    planned: list[Planned]
    details: list[Detail]


class _Whom:
    """A recipient, and what the variables name of their run alone beside those that all share."""

    def __init__(self, subscriber: Subscriber, own: Mapping[str, Any], shared: Json) -> None:
        self.subscriber = subscriber
        self.own = own
        self._shared = shared

    @cached_property
    def profile(self) -> Json:
        """The recipient as templates see them."""
        return profile(self.subscriber)

    @cached_property
    def variables(self) -> Json:
        """All that templates and conditions can name."""
        return {**self._shared, "subscriber": self.profile, **self.own}


class Composer:
    """Composes one trigger for many recipients; what they share is made once.

    `wants_subscriber` names the providers whose body carries the recipient's profile. `steps` are those
    that a run has come to, all without. With `thorough` what speaks for a step is noted too, not only what
    speaks against it.
    """

    def __init__(
        self,
        trigger: Trigger,
        workflow: Workflow,
        integrations: Mapping[str, Integration],
        wants_subscriber: Collection[str],
        now: Millis,
        env: Mapping[str, str] = {},
        fitting: Fitting = Fitting(),  # noqa: B008
        words: Words = Words(),  # noqa: B008
        steps: Sequence[Step] | None = None,
        *,
        thorough: bool = False,
    ) -> None:
        self._fitting = fitting
        self._thorough = thorough
        self._trigger = trigger
        self._integrations = integrations
        self._wants_subscriber = wants_subscriber
        self._now = now
        self._variables = variables(trigger, workflow, env)
        self._chosen = chosen_devices(trigger.overrides)
        self._workflow = workflow
        self._unasked = standing(workflow, PUSH, {})
        self._steps = [step for step in workflow.steps if step.type == "push"] if steps is None else steps
        names = ("subscriber",) if steps is None else ("subscriber", *OWN)
        self._names = names
        self._speech = Speech(words, names, trigger.overrides.get("push"), as_shown=fitting.plain)
        self._contents: dict[tuple[str, str, Region], _Shared] = {}
        self._alike: dict[tuple[str, str, Said, bool], _Shared] = {}
        self._around: dict[int, int] = {}
        self._overrides: dict[tuple[str, str], Overrides] = {}
        self._conditions: dict[str, tuple[Condition, Held | None]] = {}

    def compose(
        self,
        subscriber: Subscriber,
        channels: Sequence[Channel],
        chosen: Chosen | None = None,
        own: Mapping[str, Any] = {},
    ) -> Composed:
        """The messages of one recipient, who may have `chosen` what they want; `own` is what the variables
        name of their run alone."""
        whom = _Whom(subscriber, own, self._variables)
        notification_id = id_of(self._trigger, subscriber)
        composed = Composed(notification_id, [], [])
        wanted = standing(self._workflow, PUSH, chosen) if chosen else self._unasked
        if not wanted.wanted:
            event = wanted.layer.value
            composed.details.extend(self._detail(event, step) for step in self._steps)
            return composed
        if self._thorough:
            raw = {"decidedBy": wanted.layer.name.lower()}
            composed.details.extend(self._detail(Event.WANTED, step, raw=raw) for step in self._steps)
        push = [channel for channel in channels if channel.provider_id in DEVICE_PROVIDERS]
        if self._chosen is not None:
            push = _narrowed(push, self._chosen)
        for step in self._steps:
            try:
                composed.planned.extend(self._step(step, whom, push, composed.details))
            except (TemplateError, RecursionError) as error:  # overrides may nest deeper than they merge
                failed = self._detail(Event.CONTENT_FAILED, step, raw={"error": str(error)})
                composed.details.append(failed)
        return composed

    def _step(
        self, step: Step, whom: "_Whom", channels: Sequence[Channel], details: list[Detail]
    ) -> list[Planned]:
        subscriber = whom.subscriber
        held = self._condition(step, whom)
        if not held.holds:
            raw = {"error": held.error} if held.error else None
            details.append(self._detail(Event.SKIPPED_BY_CONDITIONS, step, raw=raw))
            return []
        if self._thorough and held is not _ALWAYS:
            details.append(self._detail(Event.CONDITION_HELD, step))
        if not channels:
            missing = Event.NO_CHANNEL if self._chosen is None else Event.NO_CHOSEN_DEVICE
            details.append(self._detail(missing, step))
        own: dict[Region, Said | None] = {}
        planned: list[Planned] = []
        for channel in channels:
            said: dict[Region, tuple[PushMessage, Personal | None]] = {}
            for token, device in self._targets(step, channel, details):
                region = self._speech.region(step, subscriber, device)
                if region not in own:
                    own[region] = self._own(step, whom, region)
                if region not in said:
                    said[region] = self._said(step, whom, channel, region, own[region], details)
                planned.append(self._message(step, subscriber, channel, token, device, *said[region]))
        return planned

    def _condition(self, step: Step, whom: "_Whom") -> Held:
        """Whether a step runs for a recipient; asked once where that is the same for all."""
        rule = step.controls.get("skip")
        if not rule:
            return _ALWAYS
        if step.step_id not in self._conditions:
            condition = Condition(rule)
            personal = any(condition.mentions(name) for name in self._names)
            shared = None if personal else condition.held(self._variables)
            self._conditions[step.step_id] = condition, shared
        condition, shared = self._conditions[step.step_id]
        return shared or condition.held(whom.variables)

    def _targets(
        self, step: Step, channel: Channel, details: list[Detail]
    ) -> Iterator[tuple[str, Device | None]]:
        """Tokens with their device; a trigger's own `deviceTokens` stand in for those stored."""
        integration = self._integrations.get(channel.integration_id)
        if integration is None or not integration.active:
            raw: Json = {"integrationIdentifier": channel.integration_identifier}
            details.append(self._detail(Event.NO_INTEGRATION, step, channel.provider_id, raw))
            return
        stored = {device.token: device for device in channel.devices}
        named = self._overrides_of(step, channel.provider_id).legacy.get("deviceTokens")
        tokens = list(stored)
        if isinstance(named, list):
            tokens = list(dict.fromkeys(item for item in named if isinstance(item, str) and item))
        if not tokens:
            raw = {"integrationIdentifier": channel.integration_identifier}
            details.append(self._detail(Event.NO_TOKENS, step, channel.provider_id, raw))
        for token in tokens:
            yield token, stored.get(token)

    def _message(
        self,
        step: Step,
        subscriber: Subscriber,
        channel: Channel,
        token: str,
        device: Device | None,
        content: PushMessage,
        personal: Personal | None,
    ) -> Planned:
        names = (subscriber.subscriber_id, step.step_id, channel.integration_id, token)
        message_id = placed_id(self._trigger.id, subscriber.pk, *names)
        device_id = device.pk if device else 0
        return Planned(message_id, channel.integration_id, step.step_id, token, device_id, content, personal)

    def _said(
        self,
        step: Step,
        whom: "_Whom",
        channel: Channel,
        region: Region,
        own: Said | None,
        details: list[Detail],
    ) -> tuple[PushMessage, Personal | None]:
        """What a recipient is told under one integration; that it had to be cut is noted."""
        content, cut = self._content(step, channel.provider_id, region)
        if own is not None:
            whole, own = own, self._own_fitted(step, channel.provider_id, own, content)
            cut = own is not whole
        if cut:
            limit = {"mostBytes": self._fitting.limits[channel.provider_id].most}
            details.append(self._detail(Event.CONTENT_CUT, step, channel.provider_id, limit))
        return content, self._personal(step, whom, channel, own)

    def _own_fitted(self, step: Step, provider_id: str, own: Said, content: PushMessage) -> Said:
        limit = self._fitting.limits.get(provider_id)
        if limit is None:
            return own
        if (key := id(content)) not in self._around:
            self._around[key] = limit.weight(content)
        overriding = self._overriding(step, provider_id, own)
        usual = own.look is PLAIN and not overriding
        if usual and surely_fits(own.title, own.body, self._around[key], limit):
            return own
        whole = msgspec.structs.replace(
            content, title=own.title, body=own.body, presentation=own.look, **overriding
        )
        found = fitted(whole, limit)
        return own if found is whole else own._replace(title=found.title, body=found.body)

    def _personal(self, step: Step, whom: "_Whom", channel: Channel, own: Said | None) -> Personal | None:
        wants = channel.provider_id in self._wants_subscriber
        if own is None and not wants and not channel.webhook_url:
            return None
        known, gathered = (whom.profile, whom.own.get("step", {})) if wants else ({}, {})
        webhook_url = channel.webhook_url or ""
        if own is None:
            return Personal(subscriber=known, webhook_url=webhook_url, step=gathered)
        look = None if own.look is PLAIN else own.look
        overriding = self._overriding(step, channel.provider_id, own)
        return Personal(own.title, own.body, known, webhook_url, look, gathered, **overriding)

    def _overriding(self, step: Step, provider_id: str, own: Said) -> dict[str, Json]:
        """What is overridden for one recipient alone, as fields of a message; none where nothing is."""
        if not self._speech.overrides_own(step, provider_id, own):
            return {}
        found = self._overrides_of(step, provider_id, own)
        return {"override": found.override, "passthrough": found.passthrough}

    def _content(self, step: Step, provider_id: str, region: Region) -> _Shared:
        """What all recipients of a region share, and those of other regions that hear the same; title and
        body too when they don't depend on the recipient."""
        key = (step.step_id, provider_id, region)
        if key not in self._contents:
            personal = self._speech.is_personal(step, region)
            said = self._speech.shared(step, region, self._variables)
            alike = (step.step_id, provider_id, said, personal)
            if alike not in self._alike:
                self._alike[alike] = self._shared(step, provider_id, said, personal)
            self._contents[key] = self._alike[alike]
        return self._contents[key]

    def _shared(self, step: Step, provider_id: str, said: Said, personal: bool) -> _Shared:
        overrides = self._overrides_of(step, provider_id, said)
        whole = PushMessage(
            said.title,
            said.body,
            self._trigger.payload,
            {name: value for name, value in overrides.legacy.items() if name != "deviceTokens"},
            overrides.override,
            overrides.passthrough,
            step=STEP,
            presentation=said.look,
        )
        limit = self._fitting.limits.get(provider_id)
        content = fitted(whole, limit) if limit and not personal else whole
        return _Shared(content, content is not whole)

    def _own(self, step: Step, whom: "_Whom", region: Region) -> Said | None:
        """What a step says to this recipient alone; None where it says the same to others."""
        if not self._speech.is_personal(step, region):
            return None
        return self._speech.own(step, region, whom.variables)

    def _overrides_of(self, step: Step, provider_id: str, said: Said = UNSAID) -> Overrides:
        """The trigger's over the step's, which may depend on what is said to whom."""
        if said.providers:
            own = self._speech.overrides(step, said)
            return overrides_for(self._trigger.overrides, step.step_id, provider_id, own)
        key = (step.step_id, provider_id)
        if key not in self._overrides:
            own = self._speech.overrides(step, UNSAID)
            self._overrides[key] = overrides_for(self._trigger.overrides, step.step_id, provider_id, own)
        return self._overrides[key]

    def _detail(self, event: Event, step: Step, provider_id: str = "", raw: Json | None = None) -> Detail:
        return Detail(event.code, self._now, step.step_id, provider_id, raw=raw)


def id_of(trigger: Trigger, subscriber: Subscriber) -> str:
    """The id of a trigger's notification for a subscriber."""
    return placed_id(trigger.id, subscriber.pk, subscriber.subscriber_id)


def _narrowed(channels: Sequence[Channel], chosen: Collection[str]) -> list[Channel]:
    """Only the chosen devices, and no entry that has none of them."""
    narrowed = [
        msgspec.structs.replace(
            channel, devices=[device for device in channel.devices if device.id in chosen]
        )
        for channel in channels
    ]
    return [channel for channel in narrowed if channel.devices]
