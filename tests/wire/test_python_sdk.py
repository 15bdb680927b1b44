"""The flows of the documentation, with the official Python SDK against a running server."""

import secrets
from typing import Any

import pytest
from novu_py import Novu, models

from clarion.testing.kit import EmulatorThread
from clarion.testing.phones import Shown
from running import ClarionProcess, wait_for


@pytest.fixture
def person() -> str:
    """A subscriber nobody else uses; the SDK puts ids into paths without quoting them."""
    return f"user|{secrets.token_hex(4)}@example.com"


def token(word: str = "phone") -> str:
    return f"{word}-{secrets.token_hex(8)}"


def credentials(tokens: list[str], identifier: str | None = None) -> dict[str, Any]:
    named = {"integration_identifier": identifier} if identifier else {}
    return {"provider_id": "fcm", "credentials": {"device_tokens": tokens}, **named}


def trigger(novu: Novu, to: Any, text: str = "hi", **more: Any) -> str:
    request = {"workflow_id": "welcome", "to": to, "payload": {"text": text}, **more}
    answer = novu.trigger(trigger_event_request_dto=request).result  # type: ignore[arg-type]
    assert answer.acknowledged
    assert answer.status == "processed"
    assert answer.transaction_id
    return answer.transaction_id


def messages(novu: Novu, transaction_id: str, count: int) -> list[Any]:
    """The messages of a transaction once that many have their final outcome."""

    def look() -> list[Any] | None:
        answer = novu.messages.retrieve(request={"transaction_id": [transaction_id], "limit": 50})
        found = answer.result.data
        return found if len(found) == count and all(item.status != "warning" for item in found) else None

    return wait_for(look, 15)


def activity(novu: Novu, transaction_id: str) -> Any:
    """The one notification of a transaction, once its push step has ended."""

    def look() -> Any:
        rows = novu.notifications.list(request={"transaction_id": transaction_id}).result.data
        ended = rows and rows[0].jobs and rows[0].jobs[-1].status not in ("pending", "running")
        return rows[0] if ended else None

    return wait_for(look, 15)


def shown(emulators: EmulatorThread, device: str) -> list[Shown]:
    return wait_for(lambda: emulators.shown(device) or None, 15)


def tokens_of(novu: Novu, person: str) -> dict[str, list[str]]:
    found = novu.subscribers.retrieve(subscriber_id=person).result
    return {
        channel.integration_identifier or "": channel.credentials.device_tokens or []
        for channel in found.channels or []
    }


def test_a_trigger_registers_devices_just_in_time_and_reaches_them(
    novu: Novu, person: str, emulators: EmulatorThread
) -> None:
    phones = [token(), token()]
    channel = {
        "provider_id": "fcm",
        "integration_identifier": "fcm-older",
        "credentials": {"device_tokens": phones},
    }
    to = {"subscriber_id": person, "first_name": "Ada", "channels": [channel]}
    transaction = trigger(novu, to, "first")
    for phone in phones:
        (push,) = shown(emulators, phone)
        assert (push.title, push.body) == ("Hello Ada", "first")
        assert push.message_id
    sent = messages(novu, transaction, 2)
    assert {item.status for item in sent} == {"sent"}
    assert sorted(item.device_tokens[0] for item in sent) == sorted(phones)
    assert tokens_of(novu, person) == {"fcm-older": phones}


def test_credentials_without_an_identifier_go_to_the_newest_integration(novu: Novu, person: str) -> None:
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": person})
    first, second = token(), token()
    update = novu.subscribers.credentials.update
    update(subscriber_id=person, update_subscriber_channel_request_dto=credentials([first, first]))  # type: ignore[arg-type]
    update(
        subscriber_id=person,
        update_subscriber_channel_request_dto=credentials([second], "fcm-older"),  # type: ignore[arg-type]
    )
    assert tokens_of(novu, person) == {"fcm-newer": [first], "fcm-older": [second]}


def test_one_token_is_removed_by_reading_filtering_and_updating(novu: Novu, person: str) -> None:
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": person})
    keep, drop = token(), token()
    call: Any = novu.subscribers.credentials
    call.append(subscriber_id=person, update_subscriber_channel_request_dto=credentials([keep]))
    call.append(subscriber_id=person, update_subscriber_channel_request_dto=credentials([drop, keep]))
    present = tokens_of(novu, person)["fcm-newer"]
    assert present == [keep, drop]
    left = [item for item in present if item != drop]
    call.update(subscriber_id=person, update_subscriber_channel_request_dto=credentials(left))
    assert tokens_of(novu, person) == {"fcm-newer": [keep]}


def test_an_empty_update_removes_all_tokens_and_an_empty_append_none(novu: Novu, person: str) -> None:
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": person})
    call: Any = novu.subscribers.credentials
    call.update(subscriber_id=person, update_subscriber_channel_request_dto=credentials([token()]))
    call.append(subscriber_id=person, update_subscriber_channel_request_dto=credentials([]))
    assert len(tokens_of(novu, person)["fcm-newer"]) == 1
    call.update(subscriber_id=person, update_subscriber_channel_request_dto=credentials([]))
    assert tokens_of(novu, person) == {"fcm-newer": []}
    call.delete(subscriber_id=person, provider_id="fcm")
    assert tokens_of(novu, person) == {}


def test_a_push_goes_to_every_device_of_every_integration(
    novu: Novu, person: str, emulators: EmulatorThread
) -> None:
    older, newer, hook = token(), token(), token("endpoint")
    channels = [
        {"provider_id": "fcm", "integration_identifier": name, "credentials": {"device_tokens": [phone]}}
        for name, phone in (("fcm-older", older), ("fcm-newer", newer))
    ]
    channels.append({"provider_id": "push-webhook", "credentials": {"device_tokens": [hook]}})
    transaction = trigger(novu, {"subscriber_id": person, "channels": channels})
    for device in (older, newer, hook):
        assert len(shown(emulators, device)) == 1
    assert {item.provider_id for item in messages(novu, transaction, 3)} == {"fcm", "push-webhook"}


def test_the_101st_token_is_refused_and_nothing_changes(novu: Novu, person: str) -> None:
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": person})
    call: Any = novu.subscribers.credentials
    hundred = [token() for _ in range(100)]
    call.update(subscriber_id=person, update_subscriber_channel_request_dto=credentials(hundred))
    with pytest.raises(models.ErrorDto) as caught:
        call.append(subscriber_id=person, update_subscriber_channel_request_dto=credentials([token()]))
    assert caught.value.data.status_code == 400
    body = caught.value.raw_response.json()
    assert (body["currentCount"], body["limit"]) == (101, 100)
    assert tokens_of(novu, person) == {"fcm-newer": hundred}


def test_too_many_tokens_in_a_trigger_fail_that_recipient_visibly_and_nobody_else(
    novu: Novu, person: str, emulators: EmulatorThread
) -> None:
    phone = token()
    many = [{"provider_id": "fcm", "credentials": {"device_tokens": [token() for _ in range(101)]}}]
    one = [{"provider_id": "fcm", "credentials": {"device_tokens": [phone]}}]
    greedy = f"greedy-{person}"
    to = [{"subscriber_id": greedy, "channels": many}, {"subscriber_id": person, "channels": one}]
    transaction = trigger(novu, to)
    assert len(shown(emulators, phone)) == 1

    def look() -> Any:
        rows = novu.notifications.list(request={"transaction_id": transaction, "subscriber_ids": [greedy]})
        return rows.result.data or None

    job = wait_for(look, 15)[0].jobs[-1]
    assert job.status == "failed"
    assert "Device tokens of the trigger were refused" in [line.detail for line in job.execution_details]
    assert tokens_of(novu, greedy) == {}


def test_a_dead_token_is_gone_after_a_send_and_the_trace_says_so(
    novu: Novu, person: str, emulators: EmulatorThread
) -> None:
    dead, alive = token("dead"), token()
    channel = {"provider_id": "fcm", "credentials": {"device_tokens": [dead, alive]}}
    transaction = trigger(novu, {"subscriber_id": person, "channels": [channel]})
    assert len(shown(emulators, alive)) == 1
    by_token = {item.device_tokens[0]: item for item in messages(novu, transaction, 2)}
    assert (by_token[dead].status, by_token[dead].error_id) == ("error", "UNREGISTERED")
    assert by_token[alive].status == "sent"
    assert tokens_of(novu, person) == {"fcm-newer": [alive]}
    job = activity(novu, transaction).jobs[-1]
    assert job.status == "completed"
    assert "Invalid device token removed" in [line.detail for line in job.execution_details]


def test_a_subscriber_without_devices_is_skipped_with_the_reason(novu: Novu, person: str) -> None:
    job = activity(novu, trigger(novu, person)).jobs[-1]
    assert job.status == "skipped"
    details = [(line.detail, line.status) for line in job.execution_details]
    assert ("Subscriber does not have a configured channel", "Warning") in details


def test_what_a_provider_can_not_take_yet_is_sent_again(
    novu: Novu, person: str, emulators: EmulatorThread
) -> None:
    flaky, throttled, reset = token("flaky"), token("throttled"), token("reset")
    channel = {"provider_id": "fcm", "credentials": {"device_tokens": [flaky, throttled, reset]}}
    transaction = trigger(novu, {"subscriber_id": person, "channels": [channel]})
    for device in (flaky, throttled, reset):
        assert len(shown(emulators, device)) == 1
    assert {item.status for item in messages(novu, transaction, 3)} == {"sent"}


def test_a_repeated_transaction_sends_once(novu: Novu, person: str, emulators: EmulatorThread) -> None:
    phone, name = token(), f"order-{secrets.token_hex(4)}"
    to = {
        "subscriber_id": person,
        "channels": [{"provider_id": "fcm", "credentials": {"device_tokens": [phone]}}],
    }
    for _ in range(3):
        assert trigger(novu, to, transaction_id=name) == name
    shown(emulators, phone)
    assert len(messages(novu, name, 1)) == 1
    assert [item.token for item in emulators.messages()].count(phone) == 1


def test_a_bulk_call_answers_for_each_event(novu: Novu, person: str, emulators: EmulatorThread) -> None:
    phone = token()
    to = {
        "subscriber_id": person,
        "channels": [{"provider_id": "fcm", "credentials": {"device_tokens": [phone]}}],
    }
    events = [
        {"workflow_id": "welcome", "to": to, "payload": {"text": "bulk"}},
        {"workflow_id": "no-such-workflow", "to": person},
    ]
    request: Any = {"events": events}
    good, bad = novu.trigger_bulk(bulk_trigger_event_dto=request).result
    assert (good.status, bad.status, bad.error) == ("processed", "error", ["workflow_not_found"])
    assert shown(emulators, phone)[0].body == "bulk"


def test_unknown_workflows_and_subscribers_raise_the_typed_errors(novu: Novu) -> None:
    with pytest.raises(models.ValidationErrorDto) as unknown_workflow:
        novu.trigger(trigger_event_request_dto={"workflow_id": "nothing", "to": "x"})
    assert unknown_workflow.value.data.message == "workflow_not_found"
    with pytest.raises(models.ErrorDto) as unknown_person:
        novu.subscribers.retrieve(subscriber_id="nobody")
    assert unknown_person.value.data.status_code == 404
    with pytest.raises(models.PayloadValidationExceptionDto):
        novu.trigger(trigger_event_request_dto={"workflow_id": "welcome", "to": ["x"] * 101})


def test_cancelling_what_is_over_says_there_was_nothing(novu: Novu, person: str) -> None:
    transaction = trigger(novu, person)
    activity(novu, transaction)
    assert novu.cancel(transaction_id=transaction).result is False


def test_cancelling_stops_what_waits_to_be_sent_again(
    novu: Novu, person: str, clarion: ClarionProcess
) -> None:
    down = token("down")
    channel = {"provider_id": "fcm", "credentials": {"device_tokens": [down]}}
    transaction = trigger(novu, {"subscriber_id": person, "channels": [channel]})
    wait_for(
        lambda: novu.messages.retrieve(request={"transaction_id": [transaction]}).result.data or None, 15
    )
    assert novu.cancel(transaction_id=transaction).result is True
    job = activity(novu, transaction).jobs[-1]
    assert job.status == "canceled"


def test_the_management_calls_parse(novu: Novu, person: str) -> None:
    created = novu.subscribers.create(
        create_subscriber_request_dto={"subscriber_id": person, "email": "a@b.c", "data": {"plan": "pro"}}
    ).result
    assert (created.subscriber_id, created.data) == (person, {"plan": "pro"})
    changed: Any = novu.subscribers.patch(
        subscriber_id=person, patch_subscriber_request_dto={"first_name": "Bo", "email": None}
    ).result
    assert changed.first_name == "Bo"
    assert not changed.email
    page = novu.subscribers.search(request={"subscriber_id": person, "limit": 5}).result
    assert [item.subscriber_id for item in page.data] == [person]
    bulk: Any = {
        "subscribers": [{"subscriber_id": person}, {"subscriber_id": f"new-{person}"}, {"subscriber_id": " "}]
    }
    written = novu.subscribers.create_bulk(bulk_subscriber_create_dto=bulk).result
    assert (len(written.updated), len(written.created), len(written.failed)) == (1, 1, 1)
    assert novu.subscribers.delete(subscriber_id=person).result.acknowledged
    assert {item.identifier for item in novu.integrations.list().result} >= {"fcm-older", "fcm-newer", "hook"}
    assert {item.name for item in novu.environments.list().result} == {"Development", "Production"}
    listed = novu.workflows.list(request={"query": "welc"}).result
    assert [item.workflow_id for item in listed.workflows] == ["welcome"]
    assert novu.workflows.get(workflow_id="welcome").result.steps[0].type == "push"


def test_a_call_repeated_under_its_key_is_made_once(
    novu: Novu, person: str, emulators: EmulatorThread
) -> None:
    phone = token()
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": person})
    own: Any = credentials([phone])
    novu.subscribers.credentials.update(subscriber_id=person, update_subscriber_channel_request_dto=own)
    request: Any = {"workflow_id": "welcome", "to": person, "payload": {"text": "once"}}
    key = secrets.token_hex(8)
    answers = [novu.trigger(trigger_event_request_dto=request, idempotency_key=key) for _ in range(3)]
    (transaction_id,) = {answer.result.transaction_id for answer in answers}
    assert [answer.headers.get("idempotency-replay") for answer in answers] == [None, ["true"], ["true"]]
    messages(novu, transaction_id or "", 1)
    assert len(shown(emulators, phone)) == 1
    request["payload"] = {"text": "twice"}
    with pytest.raises(models.ValidationErrorDto):
        novu.trigger(trigger_event_request_dto=request, idempotency_key=key)
