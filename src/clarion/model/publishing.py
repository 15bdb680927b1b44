"""A workflow as it is in one environment and as it is to be in another. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from clarion.model.clock import Millis
from clarion.model.ids import new_id
from clarion.model.workflow import Step, Workflow

_OWN = frozenset({"id", "environment_id", "workflow_id", "created_at", "updated_at", "steps"})
"""What a workflow has in its environment alone; steps are compared one by one."""


class Translated(NamedTuple):
    """A workflow, and its translations by locale, which go along with it."""

    workflow: Workflow
    translations: Mapping[str, Any] = {}


class Change(NamedTuple):
    """What publishing would do to a workflow or, with `steps`, to one of its steps, as it is in target and
    source; the fields that differ, before and after."""

    action: str
    before: dict[str, Any]
    after: dict[str, Any]
    steps: tuple[Step | None, Step | None] = (None, None)
    places: tuple[int | None, int | None] = (None, None)


def copied(source: Workflow, environment_id: str, present: Workflow | None, now: Millis) -> Workflow:
    """The source as a workflow of the environment, in place of the one `present` there."""
    kept = {step.step_id: step.id for step in present.steps} if present else {}
    steps = [msgspec.structs.replace(step, id=kept.get(step.step_id) or new_id(now)) for step in source.steps]
    return msgspec.structs.replace(
        source,
        id=present.id if present else new_id(now),
        environment_id=environment_id,
        created_at=present.created_at if present else now,
        updated_at=now,
        steps=steps,
    )


def changes(source: Translated | None, target: Translated | None) -> list[Change]:
    """What makes the target what the source is; empty when it is already."""
    if source is None or target is None:
        action = "deleted" if source is None else "added"
        return [Change(action, _whole(target), _whole(source))]
    return [
        *_changed_settings(source, target),
        *_changed_steps(source.workflow, target.workflow),
    ]


def _whole(side: Translated | None) -> dict[str, Any]:
    if side is None:
        return {}
    return _settings(side) | {"steps": [_content(step) for step in side.workflow.steps]}


def _changed_settings(source: Translated, target: Translated) -> list[Change]:
    before, after = _settings(target), _settings(source)
    names = [name for name in after if after[name] != before[name]]
    if not names:
        return []
    return [Change("modified", {name: before[name] for name in names}, {name: after[name] for name in names})]


def _changed_steps(source: Workflow, target: Workflow) -> list[Change]:
    old = {step.step_id: (place, step) for place, step in enumerate(target.steps)}
    new = {step.step_id: (place, step) for place, step in enumerate(source.steps)}
    found = [
        Change("deleted", _content(step), {}, (step, None), (place, None))
        for name, (place, step) in old.items()
        if name not in new
    ]
    for name, (place, step) in new.items():
        if name not in old:
            found.append(Change("added", {}, _content(step), (None, step), (None, place)))
            continue
        was_at, was = old[name]
        if _content(was) != _content(step):
            found.append(Change("modified", _content(was), _content(step), (was, step), (was_at, place)))
        elif was_at != place:
            found.append(Change("moved", {}, {}, (was, step), (was_at, place)))
    return found


def _settings(side: Translated) -> dict[str, Any]:
    names = (name for name in Workflow.__struct_fields__ if name not in _OWN)
    settings = {name: getattr(side.workflow, name) for name in names}
    return settings | {"translations": dict(side.translations)}


def _content(step: Step) -> dict[str, Any]:
    return {"name": step.name, "type": step.type, "controls": step.controls}
