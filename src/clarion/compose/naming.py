"""Variables that a step names and no push can have. Pure."""

from collections.abc import Collection, Iterator
from typing import Any

from clarion.check.keys import bare
from clarion.compose.conditions import Condition
from clarion.compose.controls import KEYS, texts_of
from clarion.compose.preview import ILLEGAL, ROOTS, Issue
from clarion.compose.templates import paths
from clarion.compose.words import NAME
from clarion.errors import TemplateError
from clarion.model.push import Json
from clarion.model.workflow import Workflow

_PROFILE = frozenset(
    {
        *("_id", "subscriberId", "firstName", "lastName", "email", "phone", "avatar", "locale", "timezone"),
        *("data", "isOnline", "lastOnlineAt"),
    }
)
_FIELDS = {
    "subscriber": _PROFILE,
    "step": frozenset({"digest", "events", "total_count"}),
    "workflow": frozenset({"name", "workflowId", "description", "tags", "severity"}),
}
_OPEN = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"})
"""What lets a schema allow more than its `properties` say."""

Path = tuple[str, ...]


def misnamed(workflow: Workflow, controls: Json, env: Collection[str]) -> list[Issue]:
    """The variables of a step's controls that are nothing: `env` has the names that are known there, the
    payload is what the workflow's schema says, anything where there is none."""
    return [
        Issue(control, ILLEGAL, f"{'.'.join(path)} {reason}", ".".join(path))
        for control, path in sorted(set(_named(controls)))
        for reason in _reasons(workflow, path, env)
    ]


def _named(controls: Json) -> Iterator[tuple[str, Path]]:
    for control, value in controls.items():
        if control == "skip":
            yield from ((control, path) for path in _read_by(value))
        elif control in KEYS and bare(value):
            yield control, tuple(bare(value).split("."))
    yield from ((control, path) for control, text in texts_of(controls) for path in paths(text) if path)


def _read_by(rule: Any) -> Iterator[Path]:
    if not isinstance(rule, dict) or not rule:
        return
    try:
        yield from Condition(rule).names()
    except TemplateError:
        return


def _reasons(workflow: Workflow, path: Path, env: Collection[str]) -> Iterator[str]:
    root, *rest = path
    if root == NAME:
        return
    if root not in ROOTS:
        root, rest = "payload", list(path)
    if root == "payload" and not _allows(workflow.payload_schema, rest):
        yield "is not in the payload schema of the workflow: add it there, or correct the name"
    elif root == "env" and rest and rest[0] not in env:
        yield "is no variable of the environment: make it, or correct the name"
    elif root == "steps" and rest and rest[0] not in {step.step_id for step in workflow.steps}:
        yield "is no step of the workflow: correct the name, or give a step that stepId"
    elif root in _FIELDS and rest and rest[0] not in _FIELDS[root]:
        yield f"is not known: {root} has {', '.join(sorted(_FIELDS[root]))}"


def _allows(schema: Any, path: Collection[str]) -> bool:
    for name in path:
        if not isinstance(schema, dict) or schema.keys() & _OPEN:
            return True
        properties = schema.get("properties")
        if not isinstance(properties, dict) or not properties:
            return True
        if name not in properties:
            return bool(schema.get("additionalProperties"))
        schema = properties[name]
    return True
