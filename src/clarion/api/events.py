"""Triggers: one, many, everybody; and taking one back."""

from typing import Annotated, Any

import msgspec

from clarion.accept.gate import Call as TriggerCall
from clarion.accept.gate import Receipt, check_size
from clarion.api.bodies import NOT_JSON, text_in
from clarion.api.contexts import Named, context_of
from clarion.api.explained import Explanation
from clarion.api.foretelling import foretold
from clarion.api.people import MOST_ID_LENGTH, ChannelIn, ProfileIn, checked_id, grant_of, profile_of
from clarion.api.route import Audit, Call, Category, Group, NoQuery, Services
from clarion.api.transactions import retrieve_transaction
from clarion.check.timing import NoTime, send_time
from clarion.compose.overrides import send_at_of
from clarion.errors import FieldIssue, PayloadInvalid, RequestError, Unprocessable
from clarion.model.clock import MINUTE, Millis
from clarion.model.ids import new_id
from clarion.model.member import Role
from clarion.model.trigger import Person, TopicAudience, Trigger

MOST_RECIPIENTS = 100
MOST_EVENTS = 100
Json = dict[str, Any]


class PersonIn(ProfileIn, kw_only=True, rename="camel"):
    """SubscriberPayloadDto, or TopicPayloadDto when `type` is Topic."""

    subscriber_id: str | None = None
    channels: list[ChannelIn] | None = None
    type: str | None = None
    topic_key: str | None = None
    exclude: list[str] = []


class TenantIn(msgspec.Struct):
    """TenantPayloadDto."""

    identifier: str | None = None
    name: str | None = None
    data: Json | None = None


class EventIn(msgspec.Struct, rename="camel", kw_only=True):
    """What the three trigger calls share. `bridgeUrl` and `agentId` are ignored. `dryRun`: decide and
    compose, and tell what would be sent; nothing is sent or stored. `sendAt`: when the workflow begins, an
    ISO 8601 date or a time of day such as 09:00 in each recipient's own zone; `overrides.push.sendAt` says it
    through SDKs that don't know it."""

    name: str
    payload: Json | None = None
    overrides: Json | None = None
    transaction_id: str | None = None
    actor: str | PersonIn | None = None
    tenant: str | TenantIn | None = None
    context: Named | None = None
    dry_run: bool = False
    send_at: str | None = None


class TriggerIn(EventIn, kw_only=True):
    """TriggerEventRequestDto."""

    to: str | PersonIn | list[str | PersonIn]


class BroadcastIn(EventIn, kw_only=True):
    """TriggerEventToAllRequestDto."""

    payload: Json


class BulkIn(msgspec.Struct):
    """BulkTriggerEventDto; each event is judged by itself."""

    events: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1)]


class TriggerOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """TriggerEventResponseDto, and what a dry run came to."""

    acknowledged: bool
    status: str
    transaction_id: str
    error: list[str] | None = None
    dry_run: Explanation | None = None


async def trigger(call: Call[TriggerIn, NoQuery]) -> TriggerOut:
    """Start a workflow for one recipient or a list of them; with `dryRun` only tell what that would send."""
    wanted = asked(call.body, call.services.clock())
    if call.body.dry_run:
        return await rehearsed(call.services, call.environment_id, wanted)
    return _out(await call.services.gate.accept(call.environment_id, wanted))


async def trigger_bulk(call: Call[BulkIn, NoQuery]) -> list[TriggerOut]:
    """Start up to 100 workflows; each event gets its own answer, what is accepted goes on disk together."""
    if len(call.body.events) > MOST_EVENTS:
        message = f"events must contain no more than {MOST_EVENTS} elements"
        raise PayloadInvalid(message, [FieldIssue("events", message)])
    for raw in call.body.events:
        check_size(len(bytes(raw)))
    judged = [await _judged(call, raw) for raw in call.body.events]
    try:
        await call.services.gate.put([accepted for _, accepted in judged if accepted])
    except PayloadInvalid:
        return [await _put_alone(call, answer, accepted) for answer, accepted in judged]
    return [answer for answer, _ in judged]


async def trigger_broadcast(call: Call[BroadcastIn, NoQuery]) -> TriggerOut:
    """Start a workflow for every subscriber of the environment; with `dryRun` only tell what that would send
    to the first of them."""
    asked_for = msgspec.structs.replace(_common(call.body, [], call.services.clock()), broadcast=True)
    if call.body.dry_run:
        return await rehearsed(call.services, call.environment_id, asked_for)
    return _out(await call.services.gate.accept(call.environment_id, asked_for))


async def cancel(call: Call[None, NoQuery]) -> bool:
    """Cancel what has not gone out; says whether there was anything."""
    transaction_id = call.path["transactionId"]
    if len(transaction_id) > MOST_ID_LENGTH:
        return False
    return await call.services.gate.cancel(call.environment_id, transaction_id)


async def rehearsed(services: Services, environment_id: str, wanted: TriggerCall) -> TriggerOut:
    """What a trigger would come to; one that could not start says so as it would."""
    found, receipt = await services.gate.judge(environment_id, wanted)
    answer = _out(receipt)
    if found is not None:
        answer.dry_run = foretold(services.catalog.snapshot, found, await services.rehearsal.of(found))
    return answer


def asked(given: TriggerIn, now: Millis) -> TriggerCall:
    """A trigger as the accept stage takes it; `PayloadInvalid` names the field that is wrong."""
    listed = given.to if isinstance(given.to, list) else [given.to]
    if len(listed) > MOST_RECIPIENTS:
        raise _wrong("to", f"must contain no more than {MOST_RECIPIENTS} recipients")
    people: list[Person] = []
    topics: list[TopicAudience] = []
    for position, item in enumerate(listed):
        place = f"to.{position}" if isinstance(given.to, list) else "to"
        found = _recipient(item, place)
        if isinstance(found, Person):
            people.append(found)
        else:
            topics.append(found)
    return msgspec.structs.replace(_common(given, people, now), topics=topics)


def _common(given: EventIn, people: list[Person], now: Millis) -> TriggerCall:
    return TriggerCall(
        given.name,
        people,
        payload=given.payload or {},
        overrides=given.overrides or {},
        transaction_id=_transaction(given.transaction_id),
        actor=None if given.actor is None else _person(given.actor, "actor"),
        tenant=_tenant(given.tenant),
        context=_context(given.context),
        send_at=_send_at(given, now),
    )


def _send_at(given: EventIn, now: Millis) -> str:
    """When the workflow is to begin, empty for at once."""
    asked_for = send_at_of(given.overrides or {}) if given.send_at is None else given.send_at
    if asked_for is None:
        return ""
    try:
        at = send_time(str(asked_for), None, now)
    except NoTime as error:
        raise _wrong("sendAt", f"must be an ISO 8601 date or a time of day such as 09:00: {error}") from error
    if at < now - MINUTE:
        raise _wrong("sendAt", "must not be over: leave it out to send at once")
    return str(asked_for)


def _recipient(item: str | PersonIn, place: str) -> Person | TopicAudience:
    if not isinstance(item, str) and (item.topic_key is not None or item.type == "Topic"):
        if not item.topic_key:
            raise _wrong(f"{place}.topicKey", "must not be empty")
        return TopicAudience(item.topic_key, item.exclude)
    return _person(item, place)


def _person(item: str | PersonIn, place: str) -> Person:
    try:
        if isinstance(item, str):
            return Person(checked_id(item, place))
        channels = [
            grant_of(one.provider_id, one.integration_identifier, one.credentials)
            for one in item.channels or ()
        ]
        return Person(
            checked_id(item.subscriber_id or "", f"{place}.subscriberId"), profile_of(item), channels
        )
    except Unprocessable as error:
        raise _of_trigger(error, place) from error


def _context(given: Named | None) -> Json:
    try:
        return context_of(given)
    except Unprocessable as error:
        raise _of_trigger(error, "context") from error


def _transaction(given: str | None) -> str | None:
    if given and len(given) > MOST_ID_LENGTH:
        raise _wrong("transactionId", f"must not be longer than {MOST_ID_LENGTH} characters")
    return given or None


def _tenant(given: str | TenantIn | None) -> Json:
    if given is None:
        return {}
    if isinstance(given, str):
        return {"identifier": given}
    found: Json = msgspec.to_builtins(given)
    return {name: value for name, value in found.items() if value is not None}


async def _judged(call: Call[BulkIn, NoQuery], raw: msgspec.Raw) -> tuple[TriggerOut, Trigger | None]:
    try:
        given = msgspec.json.decode(raw, type=TriggerIn)
        if given.dry_run:
            raise _wrong("dryRun", f"can't be one of many: use {TRIGGER.path}")
        accepted, receipt = await call.services.gate.judge(
            call.environment_id, asked(given, call.services.clock())
        )
    except (RequestError, *NOT_JSON) as error:
        transaction_id = text_in(raw, "transactionId") or f"txn_{new_id(call.services.clock())}"
        return _failed(transaction_id, error), None
    return _out(receipt), accepted


async def _put_alone(call: Call[BulkIn, NoQuery], answer: TriggerOut, accepted: Trigger | None) -> TriggerOut:
    """One event of a call that can't go on disk as a whole."""
    try:
        await call.services.gate.put([accepted] if accepted else [])
    except PayloadInvalid as error:
        return _failed(answer.transaction_id, error)
    return answer


def _failed(transaction_id: str, error: Exception) -> TriggerOut:
    issues = error.issues if isinstance(error, PayloadInvalid) else ()
    reasons = [f"{issue.field} {issue.message}" for issue in issues]
    return TriggerOut(True, "error", transaction_id, reasons or [str(error)])


def _out(receipt: Receipt) -> TriggerOut:
    return TriggerOut(True, receipt.status, receipt.transaction_id)


def _of_trigger(error: Unprocessable, place: str) -> PayloadInvalid:
    """A field's fault in the shape of the trigger calls."""
    ((field, messages),) = error.fields.items()
    return _wrong(field if field.startswith(place) else f"{place}.{field}", messages[0])


def _wrong(field: str, message: str) -> PayloadInvalid:
    return PayloadInvalid(f"{field} {message}", [FieldIssue(field, message)])


_GROUP = Group("Events", Category.TRIGGER)
TRIGGER = _GROUP.route(
    "POST",
    "/v1/events/trigger",
    trigger,
    "Trigger a workflow",
    Role.EDITOR,
    body=TriggerIn,
    answer=TriggerOut,
    status=201,
    payload_errors=True,
    one_trigger=True,
    audit=Audit.NOTHING,
)

ROUTES = (
    TRIGGER,
    _GROUP.route(
        "POST",
        "/v1/events/trigger/bulk",
        trigger_bulk,
        "Trigger up to 100 workflows",
        Role.EDITOR,
        body=BulkIn,
        answer=list[TriggerOut],
        status=201,
        payload_errors=True,
        cost=100,
        audit=Audit.NOTHING,
    ),
    _GROUP.route(
        "POST",
        "/v1/events/trigger/broadcast",
        trigger_broadcast,
        "Trigger a workflow for everybody",
        Role.EDITOR,
        body=BroadcastIn,
        answer=TriggerOut,
        status=201,
        payload_errors=True,
        one_trigger=True,
        cost=100,
        audit=Audit.NOTHING,
    ),
    _GROUP.route(
        "DELETE",
        "/v1/events/trigger/{transactionId}",
        cancel,
        "Cancel a trigger",
        Role.EDITOR,
        answer=bool,
        before=retrieve_transaction,
    ),
)
