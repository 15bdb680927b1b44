"""What a topic subscription wants of its topic: which workflows, and under which condition."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.preferences import WorkflowNamed, workflow_named
from clarion.api.route import Call
from clarion.api.workflows import named_workflow
from clarion.compose.conditions import check
from clarion.errors import NotFound, TemplateError, Unprocessable
from clarion.model.context import keys_in
from clarion.model.ids import derived_id
from clarion.model.preference import SubscriptionPreference
from clarion.model.webhook import PREFERENCE_UPDATED, happened
from clarion.model.workflow import Workflow
from clarion.store.catalog import Snapshot
from clarion.store.topics import Subscription

MOST = 100
"""Preferences of one subscription."""


class GroupIn(msgspec.Struct, rename="camel"):
    """GroupPreferenceFilterDetailsDto: the workflows named, and those with any of the tags."""

    workflow_ids: list[str] = []
    tags: list[str] = []


class WantedIn(msgspec.Struct, rename="camel"):
    """WorkflowPreferenceRequestDto, or GroupPreferenceFilterDto when it has a `filter`. `enabled` counts
    without a condition."""

    workflow_id: str | None = None
    filter: GroupIn | None = None
    enabled: bool = True
    condition: dict[str, Any] | None = None


Wanted = list[str | WantedIn]
"""What a subscription is told to want; a workflow's name alone switches it on."""


class WantedOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """SubscriptionPreferenceDto."""

    subscription_id: str
    enabled: bool
    workflow: WorkflowNamed
    condition: dict[str, Any] | None = None


def wanted_of(call: Call[Any, Any], given: Wanted) -> list[SubscriptionPreference]:
    """What is wanted, by workflow: of several words on one the first counts. A group holds for the workflows
    that are in it now."""
    found: dict[str, SubscriptionPreference] = {}
    for position, item in enumerate(given):
        one = WantedIn(item) if isinstance(item, str) else item
        place = f"preferences.{position}"
        _check_condition(one.condition, f"{place}.condition")
        for workflow in _workflows(call, one, place):
            enabled = one.condition is not None or one.enabled
            found.setdefault(workflow.id, SubscriptionPreference(workflow.id, enabled, one.condition))
    if len(found) > MOST:
        raise Unprocessable.field("preferences", f"must not hold more than {MOST} workflows")
    return list(found.values())


def wanted_out(snapshot: Snapshot, item: Subscription) -> list[WantedOut]:
    """What a subscription wants of the workflows that there still are."""
    return [
        _out(workflow, item, one)
        for one in item.preferences
        if (workflow := snapshot.workflows.get(one.workflow_id))
    ]


def tell_wanted(
    connection: Connection, call: Call[Any, Any], before: Subscription, found: Subscription
) -> None:
    """Tell who listens what a subscription wants now of the workflows that it said something else of."""
    outbox = call.services.webhooks.outbox
    if not outbox.listens(call.environment_id):
        return
    said, wanted = ({one.workflow_id: one for one in item.preferences} for item in (before, found))
    events = []
    for workflow_id in dict.fromkeys([*wanted, *said]):
        workflow = call.snapshot.workflows.get(workflow_id)
        if workflow and wanted.get(workflow_id) != said.get(workflow_id):
            one = wanted.get(workflow_id) or SubscriptionPreference(workflow_id, True)
            shown = msgspec.to_builtins(_out(workflow, found, one)) | {"contextKeys": keys_in(found.scope)}
            names = {"subscriberId": found.subscriber.subscriber_id, "topicKey": found.topic.key}
            root = derived_id(found.id, workflow_id)
            events.append(happened(PREFERENCE_UPDATED, shown, root, found.updated_at, **names))
    outbox.put(connection, call.environment_id, events)


def _out(workflow: Workflow, item: Subscription, one: SubscriptionPreference) -> WantedOut:
    return WantedOut(item.id, one.enabled, workflow_named(workflow), one.condition)


def _workflows(call: Call[Any, Any], one: WantedIn, place: str) -> Iterator[Workflow]:
    if one.filter is None and one.workflow_id is None:
        raise Unprocessable.field(place, "names nothing: give a workflowId, or a filter")
    group = one.filter or GroupIn()
    yield from _named(
        call, [*group.workflow_ids, *([one.workflow_id] if one.workflow_id is not None else [])]
    )
    for workflow in call.snapshot.workflows_of(call.environment_id):
        if not set(group.tags).isdisjoint(workflow.tags):
            yield workflow


def _named(call: Call[Any, Any], names: Sequence[str]) -> Iterator[Workflow]:
    for name in names:
        workflow = named_workflow(call.snapshot, call.environment_id, name)
        if workflow is None:
            raise NotFound(f"Workflow {name} was not found: list the workflows to see their ids")
        yield workflow


def _check_condition(condition: dict[str, Any] | None, place: str) -> None:
    try:
        if condition is not None:
            check(condition)
    except TemplateError as error:
        raise Unprocessable.field(place, str(error)) from error
