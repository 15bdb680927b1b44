"""How integrations stand: whether their provider is asked, why not, and what to do."""

import msgspec
from sqlalchemy.engine import Connection

from clarion.api.integrations import IntegrationOut, integration_out, named_integration
from clarion.api.route import Call, NoQuery, Route
from clarion.deliver.breaker import State
from clarion.model.clock import iso
from clarion.model.member import Role
from clarion.model.people import Integration
from clarion.store import health, integrations, messages

ADVICE = {
    State.CLOSED: "Nothing to do: messages go out.",
    State.OPEN: "Nothing to do: one message at a time finds out whether the provider is back, the rest wait.",
    State.PAUSED: "Correct the integration's credentials, or resume it once the provider is set right.",
}
ADVICE_WHILE_OFF = "Switch the integration on: while it is off, nothing goes out through it."


class ChangeOut(msgspec.Struct, rename="camel"):
    """When an integration degraded (open, paused) or recovered (closed), and why."""

    state: str
    code: str
    explanation: str
    at: str


class RefusalOut(msgspec.Struct, rename="camel"):
    """What the provider answered to a message that did not arrive, or not yet, and the notification that it
    is of."""

    at: str
    outcome: str
    code: str
    explanation: str
    notification_id: str


class HealthOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """How an integration stands. `state` is closed (sends), open (provider away) or paused (set-up refused).

    `code` and `explanation` say why it is not closed; `proven` that it ever accepted a message. `lastRefusal`
    is the last answer that was no yes, among the newest messages of the environment that did not arrive.
    """

    integration_id: str
    identifier: str
    provider_id: str
    active: bool
    state: str
    since: str | None = None
    code: str | None = None
    explanation: str | None = None
    advice: str
    proven: bool
    last_refusal: RefusalOut | None = None
    changes: list[ChangeOut]


async def integration_health(call: Call[None, NoQuery]) -> HealthOut:
    """How an integration stands, and when it degraded and recovered, newest first."""

    def read(connection: Connection) -> HealthOut:
        return _out(connection, named_integration(connection, call))

    return await call.services.database.read(read)


async def resume_integration(call: Call[None, NoQuery]) -> IntegrationOut:
    """Let a paused integration send again at once, what waits included."""

    def write(connection: Connection) -> Integration:
        found = named_integration(connection, call)
        resumed = msgspec.structs.replace(found, updated_at=max(call.services.clock(), found.updated_at + 1))
        integrations.replace(connection, call.services.vault, resumed)
        return resumed

    return integration_out(call.snapshot, await call.services.catalog.change(write))


def _out(connection: Connection, integration: Integration) -> HealthOut:
    known = health.of(connection, integration.id)
    told = known if known and known.configured_at == integration.updated_at else None
    state = State(told.state) if told else State.CLOSED
    return HealthOut(
        integration_id=integration.id,
        identifier=integration.identifier,
        provider_id=integration.provider_id,
        active=integration.active,
        state=state.value,
        since=iso(told.since) if told else None,
        code=told.code or None if told else None,
        explanation=told.explanation or None if told else None,
        advice=ADVICE[state] if integration.active else ADVICE_WHILE_OFF,
        proven=known.proven if known else False,
        last_refusal=_refusal(connection, integration),
        changes=[
            ChangeOut(change.state, change.code, change.explanation, iso(change.at))
            for change in health.changes(connection, integration.id)
        ],
    )


def _refusal(connection: Connection, integration: Integration) -> RefusalOut | None:
    found = messages.last_refusal(connection, integration.environment_id, integration.id)
    if found is None:
        return None
    return RefusalOut(iso(found.at), found.outcome, found.code, found.explanation, found.notification_id)


_PATH = "/v1/integrations/{integrationId}"
_TAG = "Integrations"

ROUTES = (
    Route(
        "GET",
        _PATH + "/health",
        integration_health,
        "Read how an integration stands",
        _TAG,
        Role.VIEWER,
        answer=HealthOut,
    ),
    Route(
        "POST",
        _PATH + "/resume",
        resume_integration,
        "Resume a paused integration",
        _TAG,
        Role.EDITOR,
        answer=IntegrationOut,
    ),
)
