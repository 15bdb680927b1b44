"""An environment's configuration as a file, and what makes the environment like it."""

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from clarion.cli.caller import ApiCaller
from clarion.cli.translations import translations_of
from clarion.errors import SettingsError
from clarion.model.locale import normal
from clarion.model.preference import WANTED
from clarion.model.workflow import DEFER
from clarion.providers.registry import SECRETS
from clarion.security.keys import masked

Json = dict[str, Any]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class IntegrationFile(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """An integration; `${NAME}` in its credentials stands for an environment variable."""

    identifier: str
    provider_id: str
    name: str = ""
    active: bool = True
    credentials: Json = {}
    configurations: Json = {}


class StepFile(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A step of a workflow."""

    step_id: str
    name: str = ""
    type: str = "push"
    control_values: Json = {}


class WorkflowFile(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A workflow."""

    workflow_id: str
    name: str = ""
    steps: list[StepFile] = []
    description: str = ""
    tags: list[str] = []
    active: bool = True
    severity: str = "none"
    outside_schedule: str = DEFER
    validate_payload: bool = False
    payload_schema: Json | None = None
    preferences: Json = {}
    is_translation_enabled: bool = False
    translations: dict[str, Json] = {}
    """Texts by locale."""


class TopicFile(msgspec.Struct, forbid_unknown_fields=True):
    """A topic; its members are not configuration."""

    key: str
    name: str | None = None


class CapFile(msgspec.Struct, forbid_unknown_fields=True):
    """A frequency cap; severities that `passes` names are never held back."""

    scope: str
    most: int
    window: Json
    passes: list[str] = msgspec.field(default_factory=lambda: ["high"])


class WebhookFile(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A webhook endpoint, known by its URL; `${NAME}` in its headers stands for an environment variable."""

    url: str
    events: list[str] = []
    description: str = ""
    headers: dict[str, str] = {}
    active: bool = True
    concurrency: int = 1
    rate_limit: int | None = None


class Configuration(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The whole file. Frequency caps are all or, where they are left out, stay as they are."""

    frequency_caps: list[CapFile] | None = None
    integrations: list[IntegrationFile] = []
    workflows: list[WorkflowFile] = []
    topics: list[TopicFile] = []
    webhooks: list[WebhookFile] = []


class Change(NamedTuple):
    """One call that brings the environment nearer to the file; `fields` differ where it isn't new."""

    kind: str
    name: str
    method: str
    path: str
    body: Json
    fields: list[str]

    @property
    def told(self) -> str:
        """A line for people."""
        if not self.fields:
            return f"+ {self.kind} {self.name}"
        return f"~ {self.kind} {self.name}: {', '.join(self.fields)}"


def read(file: Path, environ: Mapping[str, str]) -> Configuration:
    """The file with its variables filled in; `SettingsError` says what is wrong with it."""
    try:
        found = msgspec.yaml.decode(file.read_bytes() or b"{}", type=Configuration)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    missing: set[str] = set()
    filled = [
        msgspec.structs.replace(item, credentials=_filled(item.credentials, environ, missing))
        for item in found.integrations
    ]
    webhooks = [
        msgspec.structs.replace(item, headers=_filled(item.headers, environ, missing))
        for item in found.webhooks
    ]
    if missing:
        raise SettingsError(f"{file}: set {', '.join(sorted(missing))} in the environment")
    return msgspec.structs.replace(found, integrations=filled, webhooks=webhooks)


async def changes(api: ApiCaller, wanted: Configuration) -> list[Change]:
    """What makes the environment like the file, in the order it has to be done. Nothing is removed."""
    integrations = {item["identifier"]: item for item in await api.call("GET", "/v1/integrations")}
    found = [_integration(item, integrations.get(item.identifier)) for item in wanted.integrations]
    if wanted.workflows:
        present = {item["workflowId"]: item async for item in api.workflows()}
        for item in wanted.workflows:
            found.append(_workflow(item, present.get(item.workflow_id)))
            found += await _translations(api, item, present.get(item.workflow_id))
    if wanted.frequency_caps is not None:
        present_caps = await api.call("GET", "/v1/frequency-caps")
        found.append(_frequency_caps(wanted.frequency_caps, present_caps["caps"]))
    for topic in wanted.topics:
        found.append(_topic(topic, await _present_topic(api, topic.key)))
    if wanted.webhooks:
        endpoints = {item["url"]: item for item in await api.call("GET", "/v1/webhooks")}
        found += [_webhook(item, endpoints.get(item.url)) for item in wanted.webhooks]
    return [change for change in found if change is not None]


async def exported(api: ApiCaller) -> bytes:
    """The environment as a file; secrets stand there as variables."""
    integrations = await api.call("GET", "/v1/integrations")
    caps = (await api.call("GET", "/v1/frequency-caps"))["caps"]
    found = Configuration(
        msgspec.convert(caps, list[CapFile]),
        [_integration_file(item) for item in integrations],
        [
            _workflow_file(item, await translations_of(api, item["workflowId"]))
            async for item in api.workflows()
        ],
        [TopicFile(item["key"], item.get("name")) async for item in _topics(api)],
        [_webhook_file(item) for item in await api.call("GET", "/v1/webhooks")],
    )
    document = msgspec.to_builtins(found)
    return msgspec.yaml.encode({name: items for name, items in document.items() if items})


def _integration(wanted: IntegrationFile, present: Json | None) -> Change | None:
    name = wanted.name or wanted.identifier
    body: Json = {
        "name": name,
        "active": wanted.active,
        "credentials": wanted.credentials,
        "configurations": wanted.configurations,
    }
    if present is None:
        new = {**body, "identifier": wanted.identifier, "providerId": wanted.provider_id, "channel": "push"}
        return Change("integration", wanted.identifier, "POST", "/v1/integrations", new, [])
    if present["providerId"] != wanted.provider_id:
        raise SettingsError(
            f"integration {wanted.identifier} is one of {present['providerId']}, and stays so:"
            " choose another identifier"
        )
    shown = {key: _shown(key, value) for key, value in wanted.credentials.items()}
    # What is there besides, such as keys that were made for it, comes back as it was shown and stays.
    body["credentials"] = present["credentials"] | wanted.credentials
    compared = {**body, "credentials": present["credentials"] | shown}
    fields = [key for key, value in compared.items() if present[key] != value]
    path = f"/v1/integrations/{quote(present['_id'], safe='')}"
    return Change("integration", wanted.identifier, "PUT", path, body, fields) if fields else None


def _workflow(wanted: WorkflowFile, present: Json | None) -> Change | None:
    body = _workflow_body(wanted)
    if present is None:
        return Change("workflow", wanted.workflow_id, "POST", "/v2/workflows", body, [])
    before = _workflow_body(_workflow_file(present, {}))
    fields = [key for key, value in body.items() if before[key] != value]
    path = f"/v2/workflows/{quote(wanted.workflow_id, safe='')}"
    return Change("workflow", wanted.workflow_id, "PUT", path, body, fields) if fields else None


def _workflow_body(item: WorkflowFile) -> Json:
    named = msgspec.structs.replace(
        item,
        name=item.name or item.workflow_id,
        steps=[msgspec.structs.replace(step, name=step.name or step.step_id) for step in item.steps],
    )
    body: Json = msgspec.to_builtins(named)
    del body["translations"]
    return body


def _frequency_caps(wanted: list[CapFile], present: list[Json]) -> Change | None:
    caps = msgspec.to_builtins(wanted)
    if caps == present:
        return None
    return Change("environment", "frequencyCaps", "PUT", "/v1/frequency-caps", {"caps": caps}, ["caps"])


async def _translations(api: ApiCaller, wanted: WorkflowFile, present: Json | None) -> list[Change]:
    """The locales that the file has other texts for; others that are there stay."""
    if not wanted.translations:
        return []
    before = await translations_of(api, wanted.workflow_id) if present else {}
    found: list[Change] = []
    for name, content in wanted.translations.items():
        locale = normal(name) or name
        if before.get(locale) != content:
            body = {
                "resourceType": "workflow",
                "resourceId": wanted.workflow_id,
                "locale": locale,
                "content": content,
            }
            fields = ["content"] if locale in before else []
            told = f"{wanted.workflow_id} {locale}"
            found.append(Change("translation", told, "POST", "/v2/translations", body, fields))
    return found


def _topic(wanted: TopicFile, present: Json | None) -> Change | None:
    body: Json = msgspec.to_builtins(wanted) if wanted.name else {"key": wanted.key}
    if present is None:
        return Change("topic", wanted.key, "POST", "/v2/topics", body, [])
    if wanted.name in (None, present.get("name")):
        return None
    path = f"/v2/topics/{quote(wanted.key, safe='')}"
    return Change("topic", wanted.key, "PATCH", path, {"name": wanted.name}, ["name"])


def _webhook(wanted: WebhookFile, present: Json | None) -> Change | None:
    body: Json = msgspec.to_builtins(wanted)
    if present is None:
        return Change("webhook", wanted.url, "POST", "/v1/webhooks", body, [])
    shown = {**body, "headers": {name: masked(value) for name, value in wanted.headers.items()}}
    fields = [key for key, value in shown.items() if present[key] != value]
    path = f"/v1/webhooks/{quote(present['_id'], safe='')}"
    return Change("webhook", wanted.url, "PUT", path, body, fields) if fields else None


def _webhook_file(item: Json) -> WebhookFile:
    host = urlsplit(item["url"]).hostname or ""
    headers = {name: f"${{{_variable(host, name)}}}" for name in item["headers"]}
    return WebhookFile(
        item["url"],
        item["events"],
        item["description"],
        headers,
        item["active"],
        item["concurrency"],
        item["rateLimit"],
    )


def _integration_file(item: Json) -> IntegrationFile:
    credentials = {
        key: f"${{{_variable(item['identifier'], key)}}}" if key in SECRETS else value
        for key, value in item["credentials"].items()
    }
    return IntegrationFile(
        item["identifier"],
        item["providerId"],
        item["name"],
        item["active"],
        credentials,
        item["configurations"],
    )


def _workflow_file(item: Json, translations: dict[str, Json]) -> WorkflowFile:
    layers = {"workflow": item["preferences"]["default"], "user": item["preferences"]["user"]}
    return WorkflowFile(
        item["workflowId"],
        item["name"],
        [
            StepFile(step["stepId"], step["name"], step["type"], step["controlValues"])
            for step in item["steps"]
        ],
        item["description"],
        item["tags"],
        item["active"],
        item["severity"],
        item["outsideSchedule"],
        item["validatePayload"],
        item["payloadSchema"],
        {name: layer for name, layer in layers.items() if layer and layer != WANTED},
        item["isTranslationEnabled"],
        translations,
    )


async def _topics(api: ApiCaller, **query: str) -> AsyncIterator[Json]:
    async for page in api.pages("/v2/topics", **query):
        for item in page.items:
            yield item


async def _present_topic(api: ApiCaller, key: str) -> Json | None:
    async for item in _topics(api, key=key):
        if item["key"] == key:
            return item
    return None


def _shown(key: str, value: Any) -> Any:
    return masked(value) if key in SECRETS and isinstance(value, str) else value


def _filled(value: Any, environ: Mapping[str, str], missing: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, environ, missing) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    missing |= {name for name in _VARIABLE.findall(value) if name not in environ}
    return _VARIABLE.sub(lambda found: environ.get(found[1], ""), value)


def _variable(identifier: str, key: str) -> str:
    """Such as `MY_APP_SERVICE_ACCOUNT`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", f"{identifier}_{key}")
    name = re.sub(r"[^A-Za-z0-9]+", "_", words).upper()
    return name if not name[:1].isdigit() else f"_{name}"
