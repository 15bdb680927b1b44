"""Novu's OpenAPI document, reduced; and read as the SDKs do."""

import json
from pathlib import Path
from typing import Any

from clarion.api.route import Route
from clarion.api.table import ROUTES

Json = dict[str, Any]

NOVU: Json = json.loads((Path(__file__).parents[1] / "contract" / "novu" / "openapi.json").read_text())

NULL_TOO = {
    "GetPreferencesResponseDto": ["workflow"],
    "MessageResponseDto": ["content"],
    "ResourceDiffDto": ["sourceResource", "targetResource"],
    "ResourceDiffResultDto": ["sourceResource", "targetResource"],
    "SubscriptionDto": ["subscriber"],
    "SubscriptionResponseDto": ["subscriber"],
    "WorkflowPreferencesResponseDto": ["user"],
}
"""Fields that the document lost the null of, and the SDKs did not."""

LATER_ENDPOINTS = [
    *("webex_room", "webex_person", "line_user", "pagerduty_service", "opsgenie_integration"),
    *("grafana_oncall_integration", "tool_webhook"),
]
"""Types of channel endpoints that the SDKs know and the document doesn't."""

GENERAL = ("429", "503")
"""Answers that the document calls a text, and that the SDKs have their general error for."""


def official() -> Json:
    """Novu's schema as the SDKs read it, which decide where the two differ."""
    schema: Json = _first_fitting(NOVU)
    schemas = schema["components"]["schemas"]
    schemas["ChannelTypeEnum"]["enum"].append("tool")
    endpoint = schemas["GetChannelEndpointResponseDto"]["properties"]
    endpoint["type"]["enum"] += LATER_ENDPOINTS
    endpoint["endpoint"] = {"type": "object"}
    for model, names in NULL_TOO.items():
        for name in names:
            whole = schemas[model]["properties"]
            whole[name] = {"anyOf": [whole[name], {"type": "null"}]}
    for route in ROUTES:
        answers = schema["paths"].get(route.path, {}).get(route.method.lower(), {}).get("responses", {})
        if answers:
            _answer_as_read(route, answers)
    return schema


def _answer_as_read(route: Route, answers: Json) -> None:
    for status in (route.status, route.present):
        for content in answers.get(str(status), {}).get("content", {}).values():
            content["schema"] = _enveloped(content["schema"], route.bare)
    for general in GENERAL:
        answers.get(general, {}).pop("content", None)
    if "401" not in answers:
        answers["4XX"] = {"description": "The SDKs have their general error for it"}


def _first_fitting(value: Any) -> Any:
    """With `anyOf` for `oneOf`: the SDKs take the first model that fits. An enum that may be null has it."""
    if isinstance(value, dict):
        if "enum" in value and "null" in value.get("type", ()):
            value = {**value, "enum": [*value["enum"], None]}
        return {"anyOf" if key == "oneOf" else key: _first_fitting(inner) for key, inner in value.items()}
    return [_first_fitting(item) for item in value] if isinstance(value, list) else value


def _enveloped(schema: Json, bare: bool) -> Json:
    """The document has the envelope on some answers only, and on lists that go out without."""
    inner = schema["properties"]["data"] if list(schema.get("properties", ())) == ["data"] else schema
    return inner if bare else {"type": "object", "required": ["data"], "properties": {"data": inner}}
