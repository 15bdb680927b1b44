"""What subscribers want to be sent: for everything, and workflow by workflow."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.engine import Connection

from clarion.api.contexts import Named, context_of, settled_scope
from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.api.subscribers import named
from clarion.api.workflow_views import workflow_slug
from clarion.api.workflows import named_workflow
from clarion.errors import BadInput, NotFound
from clarion.model.clock import iso
from clarion.model.context import keys_in, references, scope_of
from clarion.model.member import Role
from clarion.model.preference import CHANNELS, EVERYTHING, is_critical, is_enabled, standing
from clarion.model.webhook import PREFERENCE_UPDATED, happened
from clarion.model.workflow import Workflow
from clarion.store import preferences
from clarion.store.preferences import Preference

MOST_AT_ONCE = 100

_TIME = r"^(0[1-9]|1[0-2]):[0-5][0-9] (AM|PM)$"
_Time = Annotated[str, msgspec.Meta(pattern=_TIME, description="Such as `09:00 AM`.")]

Wanted = Literal["critical", "nonCritical", "all"]


class Channels(msgspec.Struct):
    """PatchPreferenceChannelsDto: absent keeps."""

    email: bool | UnsetType = UNSET
    sms: bool | UnsetType = UNSET
    in_app: bool | UnsetType = UNSET
    chat: bool | UnsetType = UNSET
    push: bool | UnsetType = UNSET
    tool: bool | UnsetType = UNSET

    @property
    def given(self) -> dict[str, bool]:
        """Those that are there."""
        given: dict[str, bool] = msgspec.to_builtins(self)
        return given


class TimeRange(msgspec.Struct):
    """TimeRangeDto. An end before the start is of the next day."""

    start: _Time
    end: _Time


class Day(msgspec.Struct, rename="camel", omit_defaults=True):
    """DaySchedule."""

    is_enabled: bool
    hours: list[TimeRange] | None = None


class Week(msgspec.Struct, omit_defaults=True):
    """WeeklySchedule; a day left out is closed."""

    monday: Day | None = None
    tuesday: Day | None = None
    wednesday: Day | None = None
    thursday: Day | None = None
    friday: Day | None = None
    saturday: Day | None = None
    sunday: Day | None = None


class Schedule(msgspec.Struct, rename="camel", omit_defaults=True):
    """ScheduleDto: when a subscriber may be disturbed, in their own time zone."""

    is_enabled: bool
    weekly_schedule: Week | None = None


class PreferencePatch(msgspec.Struct, rename="camel"):
    """PatchSubscriberPreferencesDto: for a workflow, or without one for everything; absent keeps."""

    channels: Channels | None = None
    workflow_id: str | None = None
    schedule: Schedule | None = None
    context: Named | None = None


class WorkflowChoice(msgspec.Struct, rename="camel"):
    """BulkUpdateSubscriberPreferenceItemDto."""

    workflow_id: str
    channels: Channels


class BulkPatch(msgspec.Struct):
    """BulkUpdateSubscriberPreferencesDto."""

    preferences: Annotated[list[WorkflowChoice], msgspec.Meta(max_length=MOST_AT_ONCE)]
    context: Named | None = None


class Criticality(msgspec.Struct, rename="camel", frozen=True):
    """Query of a reading: as it stands in all the contexts of `contextKeys` together."""

    criticality: Wanted = "nonCritical"
    context_keys: list[str] | None = None


class GlobalOut(msgspec.Struct, omit_defaults=True):
    """SubscriberGlobalPreferenceDto."""

    enabled: bool
    channels: dict[str, bool]
    schedule: dict[str, Any] | None = None


class OverrideOut(msgspec.Struct):
    """SubscriberPreferenceOverrideDto: who decides a channel."""

    channel: str
    source: Literal["subscriber", "template"]


class WorkflowInfo(msgspec.Struct, rename="camel"):
    """SubscriberPreferencesWorkflowInfoDto."""

    slug: str
    identifier: str
    name: str
    updated_at: str


class WorkflowPreferenceOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """SubscriberWorkflowPreferenceDto."""

    enabled: bool
    channels: dict[str, bool]
    overrides: list[OverrideOut]
    workflow: WorkflowInfo
    updated_at: str | None = None


class PreferencesOut(msgspec.Struct, rename={"everything": "global"}):
    """GetSubscriberPreferencesDto."""

    everything: GlobalOut
    workflows: list[WorkflowPreferenceOut]


class WorkflowNamed(msgspec.Struct):
    """PreferenceWorkflow."""

    id: str
    identifier: str
    name: str
    critical: bool
    severity: str
    tags: list[str]


class ChosenOut(msgspec.Struct):
    """GetPreferencesResponseDto."""

    level: str
    enabled: bool
    channels: dict[str, bool]
    workflow: WorkflowNamed


async def get_preferences(call: Call[None, Criticality]) -> PreferencesOut:
    """What a subscriber wants: for everything, and for each active workflow."""

    def read(connection: Connection) -> dict[str, Preference]:
        return preferences.of(connection, named(connection, call).pk, scope_of(call.query.context_keys or ()))

    return _out(call, await call.services.database.read(read), call.query.criticality)


async def patch_preferences(call: Call[PreferencePatch, NoQuery]) -> PreferencesOut:
    """Change what a subscriber wants, of one workflow or of everything."""
    given, context = call.body, context_of(call.body.context)
    workflow_id = EVERYTHING
    if given.workflow_id is not None:
        workflow_id = _open_to_choice(call, [given.workflow_id])[0].id
        if given.schedule is not None:
            raise BadInput("A schedule holds for everything: send it without workflowId")

    def write(connection: Connection) -> dict[str, Preference]:
        pk, now = named(connection, call).pk, call.services.clock()
        scope = settled_scope(connection, call, context)
        if given.channels is not None:
            preferences.choose(connection, pk, workflow_id, given.channels.given, now, scope)
        if given.schedule is not None:
            preferences.set_schedule(connection, pk, msgspec.to_builtins(given.schedule), now, scope)
        stored = preferences.of(connection, pk, scope)
        _tell(connection, call, [workflow_id], stored, scope)
        return stored

    return _out(call, await call.services.database.write(write), "all")


async def patch_preferences_in_bulk(call: Call[BulkPatch, NoQuery]) -> list[ChosenOut]:
    """Change what a subscriber wants of up to 100 workflows: all of them, or none."""
    wanted = _open_to_choice(call, [choice.workflow_id for choice in call.body.preferences])
    context = context_of(call.body.context)

    def write(connection: Connection) -> dict[str, Preference]:
        pk, now = named(connection, call).pk, call.services.clock()
        scope = settled_scope(connection, call, context)
        for workflow, choice in zip(wanted, call.body.preferences, strict=True):
            preferences.choose(connection, pk, workflow.id, choice.channels.given, now, scope)
        stored = preferences.of(connection, pk, scope)
        _tell(connection, call, [workflow.id for workflow in wanted], stored, scope)
        return stored

    stored = await call.services.database.write(write)
    return [_chosen(workflow, stored) for workflow in wanted]


async def _present(call: Call[PreferencePatch, NoQuery]) -> PreferencesOut:
    """What a subscriber wants where a call changes it."""
    return _out(call, await _stored(call), "all")


async def _present_of_some(call: Call[BulkPatch, NoQuery]) -> list[ChosenOut]:
    """The same of the workflows that a call names."""
    wanted = _open_to_choice(call, [choice.workflow_id for choice in call.body.preferences])
    stored = await _stored(call)
    return [_chosen(workflow, stored) for workflow in wanted]


async def _stored(call: Call[Any, NoQuery]) -> dict[str, Preference]:
    scope = scope_of(one.key for one in references(context_of(call.body.context)))

    def read(connection: Connection) -> dict[str, Preference]:
        return preferences.of(connection, named(connection, call).pk, scope)

    return await call.services.database.read(read)


def _tell(
    connection: Connection,
    call: Call[Any, Any],
    chosen: Sequence[str],
    stored: Mapping[str, Preference],
    scope: str,
) -> None:
    """Tell who listens what a subscriber wants now of some workflows, or of everything."""
    outbox, now = call.services.webhooks.outbox, call.services.clock()
    if not outbox.listens(call.environment_id):
        return
    subscriber_id = call.path["subscriberId"]
    events = []
    for workflow_id in dict.fromkeys(chosen):
        shown = _preference_shown(call, workflow_id, stored) | {"contextKeys": keys_in(scope)}
        root = workflow_id or call.environment_id
        event = happened(PREFERENCE_UPDATED, shown, root, now, subscriberId=subscriber_id)
        events.append(event)
    outbox.put(connection, call.environment_id, events)


def _preference_shown(
    call: Call[Any, Any], workflow_id: str, stored: Mapping[str, Preference]
) -> dict[str, Any]:
    workflow = call.snapshot.workflows.get(workflow_id)
    if workflow:
        shown: dict[str, Any] = msgspec.to_builtins(_chosen(workflow, stored))
        return shown
    everything = stored.get(EVERYTHING)
    channels = dict.fromkeys(CHANNELS, True) | (everything.channels if everything else {})
    whole: dict[str, Any] = {"level": "global", "enabled": True, "channels": channels}
    if everything and everything.schedule:
        whole["schedule"] = msgspec.to_builtins(everything.schedule)
    return whole


def _open_to_choice(call: Call[Any, Any], names: Sequence[str]) -> list[Workflow]:
    """The workflows of those names; `NotFound` for an unknown one, `BadInput` for a critical one."""
    found = {name: named_workflow(call.snapshot, call.environment_id, name) for name in names}
    missing = [name for name, workflow in found.items() if workflow is None]
    if missing:
        raise NotFound(f"Workflows not found: {', '.join(missing)}")
    known = [workflow for name in names if (workflow := found[name])]
    critical = [workflow.workflow_id for workflow in known if is_critical(workflow)]
    if critical:
        raise BadInput(f"Critical workflows can't be switched off by a subscriber: {', '.join(critical)}")
    return known


def _out(call: Call[Any, Any], stored: Mapping[str, Preference], criticality: Wanted) -> PreferencesOut:
    everything = stored.get(EVERYTHING)
    channels = dict.fromkeys(CHANNELS, True) | (everything.channels if everything else {})
    workflows = [
        _workflow_out(workflow, stored)
        for workflow in call.snapshot.workflows_of(call.environment_id)
        if workflow.active and (criticality == "all" or (criticality == "critical") == is_critical(workflow))
    ]
    return PreferencesOut(
        GlobalOut(True, channels, everything.schedule if everything else None),
        workflows,
    )


def _workflow_out(workflow: Workflow, stored: Mapping[str, Preference]) -> WorkflowPreferenceOut:
    standings = {name: standing(workflow, name, _channels(stored)) for name in CHANNELS}
    own = stored.get(workflow.id)
    return WorkflowPreferenceOut(
        is_enabled(workflow),
        {name: found.wanted for name, found in standings.items()},
        [
            OverrideOut(name, "subscriber" if found.layer.is_subscribers else "template")
            for name, found in standings.items()
        ],
        WorkflowInfo(workflow_slug(workflow), workflow.workflow_id, workflow.name, iso(workflow.updated_at)),
        iso(own.updated_at) if own else None,
    )


def _chosen(workflow: Workflow, stored: Mapping[str, Preference]) -> ChosenOut:
    return ChosenOut(
        "template",
        is_enabled(workflow),
        {name: standing(workflow, name, _channels(stored)).wanted for name in CHANNELS},
        workflow_named(workflow),
    )


def workflow_named(workflow: Workflow) -> WorkflowNamed:
    """A workflow as preferences name it."""
    return WorkflowNamed(
        workflow.id,
        workflow.workflow_id,
        workflow.name,
        is_critical(workflow),
        workflow.severity,
        workflow.tags,
    )


def _channels(stored: Mapping[str, Preference]) -> dict[str, dict[str, bool]]:
    return {name: preference.channels for name, preference in stored.items()}


_PATH = "/v2/subscribers/{subscriberId}/preferences"
_GROUP = Group("Preferences", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        _PATH,
        get_preferences,
        "What a subscriber wants",
        Role.VIEWER,
        query=Criticality,
        answer=PreferencesOut,
    ),
    _GROUP.route(
        "PATCH",
        _PATH,
        patch_preferences,
        "Change what a subscriber wants",
        Role.EDITOR,
        body=PreferencePatch,
        answer=PreferencesOut,
        audit=Audit.PERSONAL,
        before=_present,
    ),
    _GROUP.route(
        "PATCH",
        _PATH + "/bulk",
        patch_preferences_in_bulk,
        "Change it for up to 100 workflows",
        Role.EDITOR,
        body=BulkPatch,
        answer=list[ChosenOut],
        audit=Audit.PERSONAL,
        before=_present_of_some,
    ),
)
