"""Workflows whose steps take time, made and run with the official Python SDK against a running server."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from novu_py import Novu

from clarion.testing.kit import EmulatorThread
from running import KEY, ClarionProcess, wait_for

PUSH = {"name": "Push", "step_id": "push", "type": "push"}


@pytest.fixture
def made(novu: Novu) -> Iterator[list[str]]:
    """The workflows that a test makes; they go with it."""
    names: list[str] = []
    yield names
    for name in names:
        novu.workflows.delete(workflow_id=name)


def flow(
    novu: Novu, made: list[str], *steps: dict[str, Any], body: str = "{{payload.text}}", **more: Any
) -> str:
    name = f"flow-{secrets.token_hex(6)}"
    push = {**PUSH, "control_values": {"subject": "News", "body": body, **more}}
    request: Any = {"name": name, "workflow_id": name, "active": True, "steps": [*steps, push]}
    answer = novu.workflows.create(create_workflow_dto=request).result
    assert [step.type for step in answer.steps] == [*(step["type"] for step in steps), "push"]
    read = novu.workflows.get(workflow_id=name).result
    assert [step.step_id for step in read.steps] == [*(step["step_id"] for step in steps), "push"]
    made.append(name)
    return name


def step(kind: str, **controls: Any) -> dict[str, Any]:
    return {"name": kind, "step_id": f"{kind}-step", "type": kind, "control_values": controls}


def phone() -> tuple[str, dict[str, Any]]:
    device = f"phone-{secrets.token_hex(8)}"
    channel = {"provider_id": "fcm", "credentials": {"device_tokens": [device]}}
    return device, {"subscriber_id": f"user-{secrets.token_hex(4)}", "channels": [channel]}


def trigger(novu: Novu, name: str, to: Any, **more: Any) -> str:
    request: Any = {"workflow_id": name, "to": to, "payload": {"text": "hi"}, **more}
    answer = novu.trigger(trigger_event_request_dto=request).result
    assert (answer.status, answer.acknowledged) == ("processed", True)
    assert answer.transaction_id
    return answer.transaction_id


def jobs(novu: Novu, transaction: str, *statuses: str) -> list[Any]:
    """The jobs behind the trigger, once they stand like this."""

    def look() -> list[Any] | None:
        rows = novu.notifications.list(request={"transaction_id": transaction}).result.data
        found = list(rows[0].jobs or [])[1:] if rows else []
        return found if [job.status for job in found] == list(statuses) else None

    return wait_for(look, 20)


def bodies(emulators: EmulatorThread, device: str, count: int) -> list[str]:
    def look() -> list[str] | None:
        found = [
            item.message["notification"]["body"] for item in emulators.messages() if item.token == device
        ]
        return found if len(found) >= count else None

    return wait_for(look, 20)


def test_a_delay_is_waited_for(novu: Novu, made: list[str], emulators: EmulatorThread) -> None:
    name = flow(novu, made, step("delay", type="regular", amount=1, unit="seconds"))
    device, person = phone()
    transaction = trigger(novu, name, person)
    found = jobs(novu, transaction, "completed", "completed")
    assert [job.type for job in found] == ["delay", "push"]
    details = [item.detail for item in found[0].execution_details]
    assert details[-2:] == ["Step delayed", "Delay is finished"]
    assert bodies(emulators, device, 1) == ["hi"]


def test_a_delay_is_cancelled(novu: Novu, made: list[str]) -> None:
    name = flow(novu, made, step("delay", type="regular", amount=1, unit="hours"))
    transaction = trigger(novu, name, phone()[1])
    jobs(novu, transaction, "delayed", "pending")
    assert novu.cancel(transaction_id=transaction).result is True
    jobs(novu, transaction, "canceled", "canceled")
    assert novu.cancel(transaction_id=transaction).result is False


def test_a_digest_gathers(novu: Novu, made: list[str], emulators: EmulatorThread) -> None:
    gather = step("digest", type="regular", amount=2, unit="seconds", digestKey="payload.text")
    name = flow(novu, made, gather, body="{{step.total_count}} of {{step.events[1].payload.text}}")
    device, person = phone()
    first, second = (trigger(novu, name, person) for _ in range(2))
    jobs(novu, first, "completed", "completed")
    jobs(novu, second, "merged", "merged")
    assert bodies(emulators, device, 1) == ["2 of hi"]


def test_a_throttle_holds_back(novu: Novu, made: list[str], emulators: EmulatorThread) -> None:
    name = flow(novu, made, step("throttle", type="fixed", amount=1, unit="minutes", threshold=1))
    device, person = phone()
    jobs(novu, trigger(novu, name, person), "completed", "completed")
    jobs(novu, trigger(novu, name, person), "skipped", "skipped")
    assert bodies(emulators, device, 1) == ["hi"]


def test_a_request_and_a_custom_step_are_heard_of(
    novu: Novu, made: list[str], emulators: EmulatorThread, clarion: ClarionProcess
) -> None:
    asked = step("http_request", method="GET", url=f"{clarion.url}/v1/health-check")
    own = step("custom", custom={"greeting": "Hello {{payload.text}}"})
    said = "{{steps['http_request-step'].statusCode}} {{steps['custom-step'].greeting}}"
    name = flow(novu, made, asked, own, body=said)
    device, person = phone()
    jobs(novu, trigger(novu, name, person), "completed", "completed", "completed")
    assert bodies(emulators, device, 1) == ["200 Hello hi"]


def test_a_push_overrides_its_provider_below_the_trigger(
    novu: Novu, made: list[str], emulators: EmulatorThread, clarion: ClarionProcess
) -> None:
    """The SDK knows no overrides of a step, and reads a workflow that has some."""
    own = {"fcm": {"android": {"collapse_key": "{{payload.text}}", "ttl": "60s"}}}
    name = f"flow-{secrets.token_hex(6)}"
    push = {"name": "Push", "type": "push", "controlValues": {"body": "hi", "providers": own}}
    given = {"name": name, "workflowId": name, "active": True, "steps": [push]}
    headers = {"authorization": f"ApiKey {KEY}"}
    httpx.post(f"{clarion.url}/v2/workflows", json=given, headers=headers).raise_for_status()
    made.append(name)
    assert novu.workflows.get(workflow_id=name).result.steps[0].type == "push"
    device, person = phone()
    trigger(novu, name, person, overrides={"providers": {"fcm": {"android": {"ttl": "5s"}}}})
    bodies(emulators, device, 1)
    (sent,) = [item.message["android"] for item in emulators.messages() if item.token == device]
    assert (sent["collapse_key"], sent["ttl"]) == ("hi", "5s")


def test_a_push_follows_where_the_first_did_not_arrive(
    novu: Novu, made: list[str], emulators: EmulatorThread
) -> None:
    rule = {"==": [{"var": "steps.push-step.delivered"}, False]}
    name = flow(novu, made, step("push", subject="First", body="first"), skip=rule)
    device, person = phone()
    jobs(novu, trigger(novu, name, person), "completed", "skipped")
    assert bodies(emulators, device, 1) == ["first"]
    unregistered = {"subscriber_id": f"user-{secrets.token_hex(4)}"}
    transaction = trigger(novu, name, unregistered)
    (_, second) = jobs(novu, transaction, "skipped", "skipped")
    details = [item.detail for item in second.execution_details]
    assert "Subscriber does not have a configured channel" in details


def test_a_trigger_waits_for_its_time(novu: Novu, made: list[str]) -> None:
    name = flow(novu, made)
    transaction = trigger(novu, name, phone()[1], overrides={"push": {"sendAt": "2027-01-01T00:00:00Z"}})
    jobs(novu, transaction, "pending")
    assert novu.cancel(transaction_id=transaction).result is True
    jobs(novu, transaction, "canceled")
