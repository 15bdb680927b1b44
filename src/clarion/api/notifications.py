"""The activity feed: one trigger for one subscriber, its jobs, and why each went as it did."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.contexts import scope_asked
from clarion.api.dates import date
from clarion.api.messages import STATUS
from clarion.api.pages import PageNumber
from clarion.api.route import Call, NoQuery, Route
from clarion.api.run_jobs import digest_of, planned_of, status_of
from clarion.compose.overrides import severity_of
from clarion.errors import NotFound
from clarion.model.clock import Millis, iso
from clarion.model.context import keys_in
from clarion.model.ids import derived_id
from clarion.model.member import Role
from clarion.model.outcome import MessageStatus
from clarion.model.trace import EVENTS, Detail, Event
from clarion.model.workflow import Step, Workflow
from clarion.store import activity
from clarion.store.activity import NotificationRow
from clarion.store.activity_search import MessagesWanted, NotificationFilter, find_notifications
from clarion.store.catalog import Snapshot
from clarion.store.message_log import MessageRow

NO_PROVIDER = "novu"
"""What the contract wants where a job has no provider."""

Json = dict[str, Any]
MessageState = Literal["sent", "error", "warning"]


class ActivityQuery(msgspec.Struct, rename="camel", frozen=True):
    """Query of the feed. `after` and `before` are dates, `subscriptionId` is the `_id` of a subscription to a
    topic; `behind` is `next` of another page, which is read at once, however far back it is."""

    channels: list[str] = []
    templates: list[str] = []
    emails: list[str] = []
    search: str | None = None
    subscriber_ids: list[str] = []
    severity: list[Literal["high", "medium", "low", "none"]] = []
    transaction_id: str | None = None
    context_keys: list[str] | None = None
    topic_key: str | None = None
    status: list[MessageState] = []
    provider_id: list[str] = []
    error: str | None = None
    subscription_id: str | None = None
    page: PageNumber = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    after: str | None = None
    before: str | None = None
    behind: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")] | None = None


class ExecutionDetail(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """ActivityNotificationExecutionDetailResponseDto."""

    id: str = msgspec.field(name="_id")
    status: str
    detail: str
    is_retry: bool
    is_test: bool
    source: str
    provider_id: str | None = None
    raw: str | None = None
    created_at: str


class Job(msgspec.Struct, rename="camel", kw_only=True, omit_defaults=True):
    """ActivityNotificationJobResponseDto."""

    id: str = msgspec.field(name="_id")
    type: str
    status: str
    provider_id: str
    step: Json
    execution_details: list[ExecutionDetail]
    digest: Json | None = None
    schedule_extensions_count: int | None = None
    updated_at: str


class ActivityTopic(msgspec.Struct, rename="camel"):
    """ActivityTopicDto."""

    id: str = msgspec.field(name="_topicId")
    topic_key: str


class NotificationOut(msgspec.Struct, rename="camel", kw_only=True, omit_defaults=True):
    """ActivityNotificationResponseDto. `topics` are those that led to the subscriber. `overrides`, `actor` (a
    subscriber id), `tenant` and `contextKeys` are what the trigger said besides `payload`."""

    id: str = msgspec.field(name="_id")
    environment_id: str = msgspec.field(name="_environmentId")
    organization_id: str = msgspec.field(name="_organizationId")
    subscriber_id: str = msgspec.field(name="_subscriberId")
    template_id: str = msgspec.field(name="_templateId")
    transaction_id: str
    channels: list[str]
    subscriber: Json
    template: Json | None = None
    jobs: list[Job]
    payload: Json
    overrides: Json = {}
    actor: str | None = None
    tenant: Json = {}
    to: Json
    tags: list[str]
    topics: list[ActivityTopic]
    severity: str
    context_keys: list[str]
    created_at: str
    updated_at: str


class ActivityPage(msgspec.Struct, rename="camel"):
    """ActivitiesResponseDto; `next` is what to give as `behind` for the next page, null at the end."""

    data: list[NotificationOut]
    page: int
    page_size: int
    has_more: bool
    next: str | None = None


async def list_notifications(call: Call[None, ActivityQuery]) -> ActivityPage:
    """The feed, newest first."""
    query = call.query
    wanted = _filter(call.snapshot, call.environment_id, query)
    if wanted is None:
        return ActivityPage([], query.page, query.limit, has_more=False)

    def read(connection: Connection) -> list[NotificationRow]:
        return find_notifications(connection, wanted, query.page * query.limit, query.limit + 1)

    rows = await call.services.database.read(read)
    shown = [_out(call.snapshot, row) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return ActivityPage(shown, query.page, query.limit, more, shown[-1].id if more else None)


async def retrieve_notification(call: Call[None, NoQuery]) -> NotificationOut:
    """One notification with its jobs and execution details."""
    identity = call.path["notificationId"]
    found = await call.services.database.read(activity.notification, call.environment_id, identity)
    if found is None:
        raise NotFound(f"Notification with id {identity} was not found")
    return _out(call.snapshot, found)


def _filter(snapshot: Snapshot, environment_id: str, query: ActivityQuery) -> NotificationFilter | None:
    """What to look for; None when nothing can match."""
    if query.channels and "push" not in query.channels:
        return None
    workflows = _workflow_ids(snapshot, environment_id, query)
    if workflows == [] and query.severity:
        return None
    return NotificationFilter(
        environment_id,
        query.transaction_id,
        query.subscriber_ids,
        query.emails,
        workflows,
        query.search,
        date(query.after, "after"),
        date(query.before, "before"),
        scope_asked(query.context_keys),
        query.topic_key,
        query.subscription_id,
        _messages_wanted(snapshot, environment_id, query),
        query.behind,
    )


def _messages_wanted(snapshot: Snapshot, environment_id: str, query: ActivityQuery) -> MessagesWanted | None:
    """What one of its messages has to be; None where it may have none."""
    if not (query.status or query.provider_id or query.error):
        return None
    of_provider = [
        item.id
        for item in snapshot.integrations.values()
        if item.environment_id == environment_id and item.provider_id in query.provider_id
    ]
    statuses = [status.value for status, shown in STATUS.items() if shown in query.status]
    return MessagesWanted(statuses, of_provider if query.provider_id else None, query.error or "")


def _workflow_ids(snapshot: Snapshot, environment_id: str, query: ActivityQuery) -> list[str]:
    """The workflows to look for, empty for all; by severity only those that still exist."""
    present = snapshot.workflows_of(environment_id)
    named = [item.id for item in present if item.workflow_id in query.templates]
    asked = [*query.templates, *named]
    if not query.severity:
        return asked
    fitting = [item.id for item in present if item.severity in query.severity]
    return [item for item in fitting if not asked or item in asked]


def _out(snapshot: Snapshot, row: NotificationRow) -> NotificationOut:
    trigger, subscriber = row.trigger, row.subscriber
    workflow = snapshot.workflows.get(trigger.workflow_id)
    profile = {
        "_id": subscriber.id,
        "subscriberId": subscriber.subscriber_id,
        "firstName": subscriber.first_name,
        "lastName": subscriber.last_name,
        "email": subscriber.email,
        "phone": subscriber.phone,
    }
    latest = max([row.created_at, *(message.updated_at for message in row.messages)])
    return NotificationOut(
        id=row.id,
        environment_id=row.environment_id,
        organization_id=snapshot.organization_id,
        subscriber_id=subscriber.id,
        template_id=trigger.workflow_id,
        transaction_id=trigger.transaction_id,
        channels=["push"],
        subscriber={name: value for name, value in profile.items() if value is not None},
        template=_template(workflow) if workflow else None,
        jobs=list(_jobs(snapshot, row, workflow)),
        payload=trigger.payload,
        overrides=trigger.overrides,
        actor=trigger.actor.subscriber_id if trigger.actor else None,
        tenant=trigger.tenant,
        to={"subscriberId": subscriber.subscriber_id},
        tags=workflow.tags if workflow else [],
        topics=[ActivityTopic(topic.id, topic.key) for topic in row.topics],
        severity=severity_of(trigger.overrides, workflow) if workflow else "none",
        context_keys=keys_in(row.scope),
        created_at=iso(row.created_at),
        updated_at=iso(latest),
    )


def _template(workflow: Workflow) -> Json:
    trigger = {"type": "event", "identifier": workflow.workflow_id, "variables": []}
    return {"_id": workflow.id, "name": workflow.name, "origin": workflow.origin, "triggers": [trigger]}


def _jobs(snapshot: Snapshot, row: NotificationRow, workflow: Workflow | None) -> Iterator[Job]:
    yield Job(
        id=derived_id(row.id, "trigger"),
        type="trigger",
        status="completed",
        provider_id=NO_PROVIDER,
        step=_step(row.id, None),
        execution_details=[],
        updated_at=iso(row.created_at),
    )
    known = {step.step_id: step for step in workflow.steps} if workflow else {}
    names = dict.fromkeys(
        [
            *known,
            *(message.step_id for message in row.messages),
            *(detail.step_id for detail in row.details if detail.step_id),
        ]
    )
    for name in names:
        yield _job(snapshot, row, name, known.get(name))


def _job(snapshot: Snapshot, row: NotificationRow, step_id: str, step: Step | None) -> Job:
    sent = [message for message in row.messages if message.step_id == step_id]
    noted = [detail for detail in row.details if detail.step_id in ("", step_id)]
    details = list(_details(snapshot, row, step_id, sent, noted))
    providers = [detail.provider_id for detail in details if detail.provider_id]
    latest = max([row.created_at, *(message.updated_at for message in sent)])
    return Job(
        id=derived_id(row.id, step_id),
        type=step.type if step else "push",
        status=(status_of(row.run, step_id) if row.run else None) or _status(row, step_id, sent, noted),
        provider_id=providers[0] if providers else NO_PROVIDER,
        step=_step(row.id, step, step_id),
        execution_details=details,
        digest=digest_of(step) if step else None,
        schedule_extensions_count=_extensions(row, step_id),
        updated_at=iso(latest),
    )


def _extensions(row: NotificationRow, step_id: str) -> int | None:
    """How often a step was put off to its recipient's schedule."""
    return row.run.extensions if row.run and row.run.step_id == step_id else None


def _planned(row: NotificationRow, step_id: str) -> int:
    """How many messages are to be waited for before a step is judged."""
    return planned_of(row.run, step_id) if row.run else row.planned


def _step(root: str, step: Step | None, step_id: str = "trigger") -> Json:
    identity = step.id if step else derived_id(root, step_id, "step")
    named = {"name": step.name} if step else {}
    return {
        "_id": identity,
        "_templateId": identity,
        "active": True,
        "filters": [],
        "stepId": step_id,
        **named,
    }


def _status(row: NotificationRow, step_id: str, sent: list[MessageRow], noted: list[Detail]) -> str:
    """Any delivery completes a step; a step that reached nobody is skipped, or failed if it should have."""
    statuses = {message.status for message in sent}
    waited_for = sent if row.run else row.messages
    done = sum(1 for message in waited_for if message.status != MessageStatus.PENDING)
    if MessageStatus.DELIVERED in statuses:
        return "completed"
    if done < _planned(row, step_id):
        return "running" if sent else "pending"
    if MessageStatus.CANCELLED in statuses or any(item.event == Event.STEP_CANCELED.code for item in noted):
        return "canceled"
    if sent:
        return "failed"
    return "failed" if any(item.event in _FATAL for item in noted) else "skipped"


_FATAL = frozenset(
    event.code for event in (Event.CONTENT_FAILED, Event.CHANNELS_REFUSED, Event.WORKFLOW_MISSING)
)


def _details(
    snapshot: Snapshot, row: NotificationRow, step_id: str, sent: list[MessageRow], noted: list[Detail]
) -> Iterator[ExecutionDetail]:
    """The trace in the contract's words: what the plan noted, then every message's own lines."""
    root = derived_id(row.id, step_id)
    yield _line(root, Event.STEP_CREATED, row.created_at)
    yield _line(root, Event.STEP_QUEUED, row.created_at)
    for position, detail in enumerate(noted):
        yield _line(
            derived_id(root, str(position)), EVENTS[detail.event], detail.at, detail.provider_id, detail.raw
        )
    for message in sent:
        yield from _message_lines(snapshot, message)
    if (
        sent
        and all(message.status == MessageStatus.FAILED for message in sent)
        and len(sent) == _planned(row, step_id)
    ):
        yield _line(root, Event.NOTIFICATION_ERROR, max(message.updated_at for message in sent))


def _message_lines(snapshot: Snapshot, message: MessageRow) -> Iterator[ExecutionDetail]:
    integration = snapshot.integrations.get(message.integration_id)
    provider = integration.provider_id if integration else ""
    if integration:
        chosen = {"providerId": provider, "identifier": integration.identifier, "name": integration.name}
        yield _line(message.id, Event.INTEGRATION_SELECTED, message.created_at, provider, chosen)
    yield _line(message.id, Event.MESSAGE_CREATED, message.created_at, provider, {"messageId": message.id})
    event = _EVENT_OF[MessageStatus(message.status)]
    raw: Json = {
        "messageId": message.id,
        "deviceToken": message.token,
        "outcome": message.outcome,
        "code": message.code,
        "explanation": message.explanation,
        "attempts": message.attempts,
        "result": message.provider_message_id,
        "response": message.raw,
    }
    raw = {name: value for name, value in raw.items() if value != ""}
    yield _line(message.id, event, message.updated_at, provider, raw, retry=message.attempts > 1)
    if message.token_retired:
        removed = {"deviceToken": message.token, "providerError": message.code}
        yield _line(message.id, Event.TOKEN_REMOVED, message.updated_at, provider, removed)


_EVENT_OF = {
    MessageStatus.DELIVERED: Event.MESSAGE_SENT,
    MessageStatus.FAILED: Event.PROVIDER_ERROR,
    MessageStatus.PENDING: Event.RETRY_SCHEDULED,
    MessageStatus.CANCELLED: Event.STEP_CANCELED,
}


def _line(
    root: str,
    event: Event,
    at: Millis,
    provider_id: str = "",
    raw: Json | None = None,
    *,
    retry: bool = False,
) -> ExecutionDetail:
    return ExecutionDetail(
        id=derived_id(root, event.code),
        status=event.status,
        detail=event.text,
        is_retry=retry,
        is_test=False,
        source="Internal",
        provider_id=provider_id or None,
        raw=msgspec.json.encode(raw).decode() if raw else None,
        created_at=iso(at),
    )


ROUTES = (
    Route(
        "GET",
        "/v1/notifications",
        list_notifications,
        "The activity feed",
        "Notifications",
        Role.VIEWER,
        query=ActivityQuery,
        answer=ActivityPage,
        bare=True,
    ),
    Route(
        "GET",
        "/v1/notifications/{notificationId}",
        retrieve_notification,
        "One notification, explained",
        "Notifications",
        Role.VIEWER,
        answer=NotificationOut,
    ),
)
