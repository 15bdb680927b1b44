"""One step of a workflow: what can be set on it and named in it, and what it says for sample data."""

from typing import Any

import msgspec

from clarion.api.contexts import Named, context_of
from clarion.api.route import Audit, Call, Category, Group, NoQuery
from clarion.api.step_controls import settable
from clarion.api.workflow_bodies import said_controls
from clarion.api.workflow_views import Controls, IssuesOut, StepOut, issues_out, step_out
from clarion.api.workflows import found_workflow
from clarion.compose.naming import misnamed
from clarion.compose.preview import preview
from clarion.compose.words import NAME
from clarion.errors import NotFound
from clarion.model.context import references, resolved
from clarion.model.member import Role
from clarion.model.workflow import Step, Workflow
from clarion.security.keys import masked
from clarion.store import contexts

Json = dict[str, Any]


class ControlsOut(Controls, rename="camel"):
    """ControlsMetadataDto: the values that are set, and a JSON schema of what can be."""

    data_schema: Json


class StepDetail(StepOut, rename="camel", kw_only=True):
    """StepResponseDto. `variables`: a JSON schema of what its templates can name."""

    controls: ControlsOut


class PreviewData(msgspec.Struct):
    """PreviewPayloadDto: what is left out is made up."""

    subscriber: Json | None = None
    actor: Json | None = None
    payload: Json | None = None
    steps: Json | None = None
    context: Named | None = None
    env: Json | None = None


class PreviewIn(msgspec.Struct, rename="camel"):
    """GeneratePreviewRequestDto: other controls than the step's, and the data to show it for."""

    control_values: Json | None = None
    preview_payload: PreviewData | None = None


class Shown(msgspec.Struct):
    """What a phone would show: `subject`, `body`, and how it looks; of other steps, their controls."""

    type: str
    preview: Json


class PreviewOut(msgspec.Struct, rename="camel"):
    """GeneratePreviewResponseDto, and what could not be shown."""

    result: Shown
    preview_payload_example: Json
    issues: IssuesOut


async def get_step(call: Call[None, NoQuery]) -> StepDetail:
    """One step, by its stepId, `_id` or slug."""
    workflow, step = _found(call)
    shown = msgspec.structs.asdict(step_out(workflow, step, call.snapshot))
    more = {"controls": ControlsOut(step.controls, settable(step.type)), "variables": _nameable(workflow)}
    return StepDetail(**shown | more)


async def preview_step(call: Call[PreviewIn, NoQuery]) -> PreviewOut:
    """What a step says for sample data; templates that don't parse, and variables that are nothing, are told
    as issues."""
    workflow, step = _found(call)
    controls = step.controls
    if call.body.control_values is not None:
        controls = said_controls(call.body.control_values)
    data = msgspec.to_builtins(call.body.preview_payload) if call.body.preview_payload else {}
    data["env"] = _env(call) | (data.get("env") or {})
    data["context"] = await _context(call)
    found = preview(workflow, step.type, controls, data, call.snapshot.words_of(workflow))
    issues = [*found.issues, *misnamed(workflow, controls, data["env"])]
    return PreviewOut(Shown(step.type, found.shown), found.sample, issues_out(issues))


def _found(call: Call[Any, Any]) -> tuple[Workflow, Step]:
    workflow = found_workflow(call)
    name = call.path["stepId"]
    identity = name.rpartition("_st_")[2]
    for step in workflow.steps:
        if step.step_id == name or step.id == identity:
            return workflow, step
    raise NotFound(f"Step {name} of workflow {workflow.workflow_id} was not found")


def _env(call: Call[Any, Any]) -> Json:
    """The variables of the environment; secrets are not for a preview's readers."""
    known = call.snapshot.variables
    values = call.snapshot.variables_of(call.environment_id)
    return {key: masked(value) if known[key].is_secret else value for key, value in values.items()}


async def _context(call: Call[PreviewIn, NoQuery]) -> Json:
    """The contexts that are named, with the data they have where none is given."""
    given = call.body.preview_payload
    named = context_of(given.context if given else None, "previewPayload.context")
    keys = [one.key for one in references(named)]
    return resolved(named, await call.services.database.read(contexts.data_of, call.environment_id, keys))


def _nameable(workflow: Workflow) -> Json:
    anything: Json = {"type": "object", "additionalProperties": True}
    text: Json = {"type": "string"}
    subscriber = {**dict.fromkeys(_PROFILE, text), "data": anything}
    return {
        "type": "object",
        "properties": {
            "payload": workflow.payload_schema or anything,
            "subscriber": {"type": "object", "properties": subscriber},
            **dict.fromkeys(("actor", "tenant", "context", "step", "steps", "workflow", "env"), anything),
            **({NAME: anything} if workflow.is_translation_enabled else {}),
        },
    }


_PROFILE = ("subscriberId", "firstName", "lastName", "email", "phone", "avatar", "locale", "timezone")
_GROUP = Group("Workflows", Category.CONFIGURATION)

ROUTES = (
    _GROUP.route(
        "GET",
        "/v2/workflows/{workflowId}/steps/{stepId}",
        get_step,
        "Read a step",
        Role.VIEWER,
        answer=StepDetail,
    ),
    _GROUP.route(
        "POST",
        "/v2/workflows/{workflowId}/step/{stepId}/preview",
        preview_step,
        "What a step says for sample data",
        Role.VIEWER,
        body=PreviewIn,
        answer=PreviewOut,
        status=201,
        audit=Audit.NOTHING,
    ),
)
