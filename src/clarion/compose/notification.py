"""From a trigger, its workflow and one recipient to a message per device. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from clarion.compose.conditions import Condition, Held
from clarion.compose.fitting import Fitting, fitted, surely_fits
from clarion.compose.overrides import Overrides, chosen_devices, overrides_for
from clarion.compose.plain import line, words
from clarion.compose.presentation import presentation, said, texts
from clarion.compose.templates import mentions, render
from clarion.compose.variables import STEP, profile, variables
from clarion.errors import TemplateError
from clarion.model.clock import Millis
from clarion.model.ids import placed_id
from clarion.model.people import DEVICE_PROVIDERS, Channel, Integration, Subscriber
from clarion.model.preference import PUSH, Chosen, standing
from clarion.model.push import PLAIN, Json, Personal, Presentation, PushMessage
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


class _Own(NamedTuple):
    """What a step says, and how it looks."""

    title: str
    body: str
    look: Presentation


class _Said(NamedTuple):
    """What all recipients of a step share under one provider, and whether it had to be cut."""

    content: PushMessage
    cut: bool


class Composed(NamedTuple):
    """A notification: its messages, and what was left out and why."""

    id: str
    planned: list[Planned]
    details: list[Detail]


class Composer:
    """Composes one trigger for many recipients; what they share is made once.

    `wants_subscriber` names the providers whose body carries the recipient's profile. With `thorough` what
    speaks for a step is noted too, not only what speaks against it.
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
        self._steps = [step for step in workflow.steps if step.type == "push"]
        self._contents: dict[tuple[str, str], _Said] = {}
        self._around: dict[tuple[str, str], int] = {}
        self._overrides: dict[tuple[str, str], Overrides] = {}
        self._personal_steps: dict[str, bool] = {}
        self._conditions: dict[str, tuple[Condition, Held | None]] = {}

    def compose(
        self, subscriber: Subscriber, channels: Sequence[Channel], chosen: Chosen | None = None
    ) -> Composed:
        """The messages of one recipient, who may have `chosen` what they want."""
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
                composed.planned.extend(self._step(step, subscriber, push, composed.details))
            except (TemplateError, RecursionError) as error:  # overrides may nest deeper than they merge
                failed = self._detail(Event.CONTENT_FAILED, step, raw={"error": str(error)})
                composed.details.append(failed)
        return composed

    def _step(
        self, step: Step, subscriber: Subscriber, channels: Sequence[Channel], details: list[Detail]
    ) -> list[Planned]:
        held = self._condition(step, subscriber)
        if not held.holds:
            raw = {"error": held.error} if held.error else None
            details.append(self._detail(Event.SKIPPED_BY_CONDITIONS, step, raw=raw))
            return []
        if self._thorough and held is not _ALWAYS:
            details.append(self._detail(Event.CONDITION_HELD, step))
        if not channels:
            missing = Event.NO_CHANNEL if self._chosen is None else Event.NO_CHOSEN_DEVICE
            details.append(self._detail(missing, step))
        own = self._own(step, subscriber) if channels else None
        planned: list[Planned] = []
        for channel in channels:
            targets = list(self._targets(step, channel, details))
            if targets:
                said = self._said(step, subscriber, channel, own, details)
                planned += [self._message(step, subscriber, channel, *target, *said) for target in targets]
        return planned

    def _condition(self, step: Step, subscriber: Subscriber) -> Held:
        """Whether a step runs for a recipient; asked once where that is the same for all."""
        rule = step.controls.get("skip")
        if not rule:
            return _ALWAYS
        if step.step_id not in self._conditions:
            condition = Condition(rule)
            shared = None if condition.mentions("subscriber") else condition.held(self._variables)
            self._conditions[step.step_id] = condition, shared
        condition, shared = self._conditions[step.step_id]
        return shared or condition.held({**self._variables, "subscriber": profile(subscriber)})

    def _targets(self, step: Step, channel: Channel, details: list[Detail]) -> Iterator[tuple[str, int]]:
        """Tokens with their device; a trigger's own `deviceTokens` stand in for those stored."""
        integration = self._integrations.get(channel.integration_id)
        if integration is None or not integration.active:
            raw: Json = {"integrationIdentifier": channel.integration_identifier}
            details.append(self._detail(Event.NO_INTEGRATION, step, channel.provider_id, raw))
            return
        stored = {device.token: device.pk for device in channel.devices}
        named = self._overrides_of(step, channel.provider_id).legacy.get("deviceTokens")
        tokens = list(stored)
        if isinstance(named, list):
            tokens = list(dict.fromkeys(item for item in named if isinstance(item, str) and item))
        if not tokens:
            raw = {"integrationIdentifier": channel.integration_identifier}
            details.append(self._detail(Event.NO_TOKENS, step, channel.provider_id, raw))
        for token in tokens:
            yield token, stored.get(token, 0)

    def _message(
        self,
        step: Step,
        subscriber: Subscriber,
        channel: Channel,
        token: str,
        device_id: int,
        content: PushMessage,
        personal: Personal | None,
    ) -> Planned:
        names = (subscriber.subscriber_id, step.step_id, channel.integration_id, token)
        message_id = placed_id(self._trigger.id, subscriber.pk, *names)
        return Planned(message_id, channel.integration_id, step.step_id, token, device_id, content, personal)

    def _said(
        self,
        step: Step,
        subscriber: Subscriber,
        channel: Channel,
        own: "_Own | None",
        details: list[Detail],
    ) -> tuple[PushMessage, Personal | None]:
        """What a recipient is told under one integration; that it had to be cut is noted."""
        content, cut = self._content(step, channel.provider_id)
        if own is not None:
            whole, own = own, self._own_fitted(step, channel.provider_id, own, content)
            cut = own is not whole
        if cut:
            limit = {"mostBytes": self._fitting.limits[channel.provider_id].most}
            details.append(self._detail(Event.CONTENT_CUT, step, channel.provider_id, limit))
        return content, self._personal(subscriber, channel, own)

    def _own_fitted(self, step: Step, provider_id: str, own: "_Own", content: PushMessage) -> "_Own":
        limit = self._fitting.limits.get(provider_id)
        if limit is None:
            return own
        key = (step.step_id, provider_id)
        if key not in self._around:
            self._around[key] = limit.weight(content)
        if own.look is PLAIN and surely_fits(own.title, own.body, self._around[key], limit):
            return own
        whole = msgspec.structs.replace(content, title=own.title, body=own.body, presentation=own.look)
        found = fitted(whole, limit)
        return own if found is whole else own._replace(title=found.title, body=found.body)

    def _personal(self, subscriber: Subscriber, channel: Channel, own: "_Own | None") -> Personal | None:
        wants = channel.provider_id in self._wants_subscriber
        if own is None and not wants and not channel.webhook_url:
            return None
        title, body, look = own if own is not None else (None, None, None)
        look = None if look is PLAIN else look
        return Personal(title, body, profile(subscriber) if wants else {}, channel.webhook_url or "", look)

    def _content(self, step: Step, provider_id: str) -> _Said:
        """What all recipients share; title and body too when they don't depend on the recipient."""
        key = (step.step_id, provider_id)
        if key not in self._contents:
            overrides = self._overrides_of(step, provider_id)
            title, body, look = ("", "", None) if self._is_personal(step) else self._words(step, {})
            whole = PushMessage(
                title,
                body,
                self._trigger.payload,
                {name: value for name, value in overrides.legacy.items() if name != "deviceTokens"},
                overrides.override,
                overrides.passthrough,
                step=STEP,
                presentation=look or PLAIN,
            )
            limit = self._fitting.limits.get(provider_id)
            content = fitted(whole, limit) if limit and not self._is_personal(step) else whole
            self._contents[key] = _Said(content, content is not whole)
        return self._contents[key]

    def _own(self, step: Step, subscriber: Subscriber) -> "_Own | None":
        return self._words(step, profile(subscriber)) if self._is_personal(step) else None

    def _words(self, step: Step, subscriber: Json) -> "_Own":
        seen = {**self._variables, "subscriber": subscriber}
        title, body = render(_control(step, "subject"), seen), render(_control(step, "body"), seen)
        if self._fitting.plain:
            title, body = line(title), words(body)
        return _Own(title, body, presentation(self._look(step), lambda source: render(source, seen)))

    def _look(self, step: Step) -> Json:
        """How a step's push is to look, the trigger's word over the step's."""
        trigger = self._trigger.overrides.get("push")
        return said(step.controls, trigger if isinstance(trigger, dict) else {})

    def _is_personal(self, step: Step) -> bool:
        if step.step_id not in self._personal_steps:
            words = (_control(step, "subject"), _control(step, "body"), *texts(self._look(step)))
            self._personal_steps[step.step_id] = any(mentions(text, "subscriber") for text in words)
        return self._personal_steps[step.step_id]

    def _overrides_of(self, step: Step, provider_id: str) -> Overrides:
        key = (step.step_id, provider_id)
        if key not in self._overrides:
            self._overrides[key] = overrides_for(self._trigger.overrides, step.step_id, provider_id)
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


def _control(step: Step, name: str) -> str:
    return str(step.controls.get(name) or "")
