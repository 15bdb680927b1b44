"""Overrides of providers, by precedence: what a step says itself, below the trigger's for all steps, below
those for the one; arrays replaced whole."""

from typing import NamedTuple

from clarion.model.push import Json
from clarion.model.workflow import SEVERITIES, Workflow

PROVIDERS = "providers"
"""The control of a push step that holds its own."""
PASSTHROUGH = "_passthrough"
PASSED = frozenset({"body", "headers", "query"})
"""What `_passthrough` may hold, each an object."""


class Overrides(NamedTuple):
    """What is overridden for one provider in one step."""

    legacy: Json
    override: Json
    passthrough: Json


def overrides_for(overrides: Json, step_id: str, provider_id: str, own: Json) -> Overrides:
    """`overrides.<provider>` apart; `own`, the step's by provider, under `providers.<provider>`, under
    `steps.<step>.providers.<provider>`."""
    everywhere = _at(overrides, PROVIDERS, provider_id)
    step = _at(overrides, "steps", step_id, PROVIDERS, provider_id)
    merged = layered(layered(_at(own, provider_id), everywhere), step)
    passthrough = merged.pop(PASSTHROUGH, None)
    return Overrides(
        _at(overrides, provider_id), merged, passthrough if isinstance(passthrough, dict) else {}
    )


def chosen_devices(overrides: Json) -> frozenset[str] | None:
    """The device ids that a trigger is for, `overrides.devices` or `overrides.push.devices`; None: all."""
    named = overrides.get("devices", _at(overrides, "push").get("devices"))
    if not isinstance(named, list):
        return None
    return frozenset(name for name in named if isinstance(name, str))


def send_at_of(overrides: Json) -> object:
    """When a trigger is to begin, `overrides.sendAt` or `overrides.push.sendAt`; None: at once."""
    return overrides.get("sendAt", _at(overrides, "push").get("sendAt"))


def severity_of(overrides: Json, workflow: Workflow) -> str:
    """How severe a trigger is: as it says itself, else as its workflow says."""
    said = overrides.get("severity")
    return said if said in SEVERITIES else workflow.severity


def layered(lower: Json, higher: Json) -> Json:
    """`higher` over `lower`, objects deeply, everything else replaced whole. What the higher says comes last:
    of keys that exclude each other the last one counts."""
    both_objects = {
        key: layered(lower[key], value)
        for key, value in higher.items()
        if isinstance(value, dict) and isinstance(lower.get(key), dict)
    }
    return {key: value for key, value in lower.items() if key not in higher} | higher | both_objects


def _at(document: Json, *path: str) -> Json:
    for key in path:
        found = document.get(key)
        if not isinstance(found, dict):
            return {}
        document = found
    return document
