"""HTTP request steps: sent, signed, answered, failed, tried again; and pushes that go from one integration to
the next."""

import hmac
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from clarion.errors import EgressRefused, TransportError
from clarion.model.clock import MINUTE, SECOND
from clarion.model.http import HttpReply, HttpRequest
from clarion.model.people import Integration
from clarion.store import devices, integrations, subscribers
from flows import bodies, events, later, make, push, start, step
from pipeline import Pipeline, device_of
from pushing import ScriptedSender, integration


def key_of(request: HttpRequest) -> str:
    """The device of a push, or `api` for a step's request."""
    return "api" if request.url.startswith("https://api.test/") else device_of(request)


@pytest.fixture
def scripted(pipeline: Pipeline) -> ScriptedSender:
    """What answers both devices and the API that steps call."""
    pipeline.sender._key_of = key_of
    return pipeline.sender


def request(**controls: Any) -> Any:
    given = {
        "method": "POST",
        "url": "https://api.test/{{payload.text}}",
        "body": '{"for": "{{subscriber.subscriberId}}"}',
    }
    return step("call", "http_request", **given | controls)


def answer(status: int = 200, body: bytes = b'{"name": "Ada"}') -> HttpReply:
    return HttpReply(status, {"content-type": "application/json"}, body)


async def test_an_answer_is_there_for_later_steps(pipeline: Pipeline, scripted: ScriptedSender) -> None:
    await pipeline.register("ada", "phone")
    scripted.scripts["api"] = [answer()]
    said = "{{steps.call.statusCode}} {{steps.call.body.name}}"
    await make(pipeline, request(headers=[{"key": "X-For", "value": "{{payload.text}}"}]), push(body=said))
    await start(pipeline, "ada", payload={"text": "orders"})
    assert bodies(pipeline, "phone") == ["200 Ada"]
    (sent,) = scripted.requests["api"]
    assert (sent.method, sent.url, sent.body) == ("POST", "https://api.test/orders", b'{"for": "ada"}')
    headers = dict(sent.headers)
    assert headers["x-for"] == "orders"
    time, *signatures = headers["novu-signature"].split(",")
    signed = f"{time.removeprefix('t=')}.".encode() + sent.body
    key = await pipeline.key()
    assert signatures == [f"v1={hmac.new(key.encode(), signed, sha256).hexdigest()}"]


async def test_a_failure_stops_the_workflow_unless_it_may_go_on(
    pipeline: Pipeline, scripted: ScriptedSender
) -> None:
    await pipeline.register("ada", "phone")
    scripted.scripts["api"] = [answer(404, b"nothing here")]
    await make(pipeline, request(), push())
    await start(pipeline, "ada")
    assert await events(pipeline) == [["http_request_queued", "http_request_failed", "step_canceled"]]
    assert bodies(pipeline, "phone") == []


async def test_a_failure_may_be_told(pipeline: Pipeline, scripted: ScriptedSender) -> None:
    await pipeline.register("ada", "phone")
    scripted.scripts["api"] = [answer(404, b"nothing here")]
    said = "{{steps.call.statusCode}} {{steps.call.body}}: {{steps.call.error}}"
    await make(pipeline, request(continueOnFailure=True), push(body=said))
    await start(pipeline, "ada")
    assert bodies(pipeline, "phone") == ["404 nothing here: answered with status 404"]


@pytest.mark.parametrize("trouble", [answer(503), answer(429), TransportError("reset")])
async def test_what_may_come_right_is_tried_again(
    pipeline: Pipeline, scripted: ScriptedSender, trouble: HttpReply | TransportError
) -> None:
    await pipeline.register("ada", "phone")
    scripted.scripts["api"] = [trouble, trouble, answer()]
    await make(pipeline, request(), push(body="{{steps.call.statusCode}}"))
    await start(pipeline, "ada")
    await later(pipeline, 2 * SECOND)
    await later(pipeline, 10 * SECOND)
    assert bodies(pipeline, "phone") == ["200"]
    keys = {dict(sent.headers)["idempotency-key"] for sent in scripted.requests["api"]}
    assert (len(scripted.requests["api"]), len(keys)) == (3, 1)


async def test_an_address_that_may_not_be_asked_is_not_asked_again(
    pipeline: Pipeline, scripted: ScriptedSender
) -> None:
    await pipeline.register("ada", "phone")
    scripted.scripts["api"] = [EgressRefused("10.0.0.1 is private")]
    await make(pipeline, request(), push())
    await start(pipeline, "ada")
    await later(pipeline, MINUTE)
    assert len(scripted.requests["api"]) == 1
    assert (await events(pipeline))[0][-1] == "step_canceled"


async def test_an_answer_that_breaks_its_schema_is_a_failure(
    pipeline: Pipeline, scripted: ScriptedSender
) -> None:
    await pipeline.register("ada", "phone")
    scripted.scripts["api"] = [answer(body=b'{"name": 5}')]
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    await make(pipeline, request(enforceSchemaValidation=True, responseBodySchema=schema), push())
    await start(pipeline, "ada")
    assert "http_request_failed" in (await events(pipeline))[0]


async def test_an_answer_whose_check_takes_too_long_is_a_failure(
    pipeline: Pipeline, scripted: ScriptedSender
) -> None:
    await pipeline.register("ada", "phone")
    scripted.scripts["api"] = [answer(body=b'{"name": "%s!"}' % (b"a" * 60))]
    schema = {"properties": {"name": {"pattern": "^(a|aa)+$"}}}
    await make(pipeline, request(enforceSchemaValidation=True, responseBodySchema=schema), push())
    await start(pipeline, "ada")
    assert "http_request_failed" in (await events(pipeline))[0]


@pytest.mark.parametrize(
    "controls",
    [
        {"headers": [{"key": "host", "value": "evil.test"}]},
        {"headers": [{"key": "x", "value": "{{payload.text}}"}]},
        {"headers": [{"key": "a b", "value": "c"}]},
    ],
)
async def test_a_header_that_can_not_be_sent_fails_unsent(
    pipeline: Pipeline, scripted: ScriptedSender, controls: dict[str, Any]
) -> None:
    await make(pipeline, request(**controls), push())
    await pipeline.register("ada", "phone")
    await start(pipeline, "ada", payload={"text": "one\r\ntwo: three"})
    assert scripted.requests["api"] == []
    assert "http_request_failed" in (await events(pipeline))[0]


async def second_integration(pipeline: Pipeline) -> Integration:
    """One more push webhook, named `i-second-name`."""
    made = msgspec.structs.replace(
        integration("i-second", "push-webhook", credentials=pipeline.integration.credentials),
        environment_id=pipeline.environment_id,
    )
    await pipeline.worker.catalog.change(integrations.create, pipeline._vault, made)
    return made


async def give(pipeline: Pipeline, through: Integration, name: str, *tokens: str) -> None:
    def write(connection: Any) -> None:
        found = subscribers.ensure(connection, through.environment_id, [name], pipeline.clock())
        devices.append(connection, found[name].pk, through.id, list(tokens), pipeline.clock())

    await pipeline.database.write(write)


@pytest.mark.parametrize(("first", "tokens"), [(200, ["one"]), (400, ["one", "two"])])
async def test_the_next_integration_is_tried_when_nothing_arrived(
    pipeline: Pipeline, first: int, tokens: list[str]
) -> None:
    second = await second_integration(pipeline)
    await pipeline.register("ada", "one")
    await give(pipeline, second, "ada", "two")
    pipeline.sender.scripts["one"] = [HttpReply(first)]
    identifiers = [pipeline.integration.identifier, second.identifier]
    await make(pipeline, push("push1", integrations=identifiers), step("own", "custom", custom={}))
    await start(pipeline, "ada")
    assert pipeline.tokens_sent_to == tokens
    told = (await events(pipeline))[0]
    assert ("integration_failover" in told) == (first == 400)
    assert told[-1] == "custom_step_completed"


async def test_an_integration_without_a_device_is_passed_by(pipeline: Pipeline) -> None:
    second = await second_integration(pipeline)
    await pipeline.register("ada")
    await give(pipeline, second, "ada", "two")
    await make(pipeline, push(integrations=[pipeline.integration.identifier, second.identifier]))
    await start(pipeline, "ada")
    assert pipeline.tokens_sent_to == ["two"]


async def test_when_no_integration_brings_it_the_step_failed(pipeline: Pipeline) -> None:
    second = await second_integration(pipeline)
    await pipeline.register("ada", "one")
    await give(pipeline, second, "ada", "two")
    pipeline.sender.scripts |= {"one": [HttpReply(400)], "two": [HttpReply(400)]}
    await make(pipeline, push(integrations=[pipeline.integration.identifier, second.identifier]))
    await start(pipeline, "ada")
    assert (await events(pipeline))[0][-1] == "integration_failover_spent"
    assert pipeline.tokens_sent_to == ["one", "two"]
