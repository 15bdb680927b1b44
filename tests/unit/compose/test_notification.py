from typing import Any

import msgspec
import pytest

from clarion.compose.notification import Composed, Composer
from clarion.model.people import Channel, Integration, Subscriber
from clarion.model.push import Personal, with_own
from clarion.model.trace import Detail, Event
from clarion.model.trigger import Person, Trigger
from clarion.model.workflow import Step, Workflow
from pushing import NOW, channel, integration, subscriber, trigger, workflow

INTEGRATIONS = {
    "i1": integration("i1"),
    "i2": integration("i2", "push-webhook"),
    "off": integration("off", active=False),
}
ADA = subscriber(1, first_name="Ada")


def composer(
    given: Trigger,
    flow: Workflow | None = None,
    integrations: dict[str, Integration] = INTEGRATIONS,
    wants: frozenset[str] = frozenset(),
) -> Composer:
    return Composer(given, flow or workflow(), integrations, wants, NOW)


def compose(*channels: Channel, person: Subscriber = ADA, **fields: Any) -> Composed:
    return composer(trigger("person-1", **fields)).compose(person, channels)


def events(composed: Composed) -> list[str]:
    return [detail.event for detail in composed.details]


def test_every_token_of_every_channel_gets_a_message() -> None:
    composed = compose(
        channel("a", "b"),
        channel("c", provider_id="push-webhook", integration_id="i2"),
        payload={"text": "Hi"},
    )
    sent = [(item.integration_id, item.token, item.device_id) for item in composed.planned]
    assert sent == [("i1", "a", 1), ("i1", "b", 2), ("i2", "c", 1)]
    assert {(item.content.title, item.content.body) for item in composed.planned} == {("News", "Hi")}
    assert len({item.message_id for item in composed.planned}) == 3
    assert composed.details == []


def test_an_integration_that_is_off_or_gone_is_left_out_and_the_others_go_on() -> None:
    composed = compose(channel("a", integration_id="off"), channel("b", integration_id="gone"), channel("c"))
    assert [item.token for item in composed.planned] == ["c"]
    assert composed.details == [
        Detail(Event.NO_INTEGRATION.code, NOW, "push", "fcm", raw={"integrationIdentifier": "off-name"}),
        Detail(Event.NO_INTEGRATION.code, NOW, "push", "fcm", raw={"integrationIdentifier": "gone-name"}),
    ]


def test_an_entry_without_tokens_is_missing_them() -> None:
    composed = compose(channel())
    assert composed.planned == []
    assert composed.details == [
        Detail(Event.NO_TOKENS.code, NOW, "push", "fcm", raw={"integrationIdentifier": "i1-name"})
    ]


@pytest.mark.parametrize("channels", [(), (channel("a", provider_id="slack"),)])
def test_who_has_no_push_entry_has_no_channel(channels: tuple[Channel, ...]) -> None:
    composed = compose(*channels)
    assert (composed.planned, events(composed)) == ([], [Event.NO_CHANNEL.code])


def test_tokens_of_the_trigger_stand_in_for_the_stored_and_known_ones_keep_their_device() -> None:
    overrides = {"fcm": {"deviceTokens": ["new", "b", "new", "", 7], "sound": "ping"}}
    composed = compose(
        channel("a", "b"),
        channel("c", provider_id="push-webhook", integration_id="i2"),
        overrides=overrides,
    )
    assert [(item.token, item.device_id) for item in composed.planned] == [("new", 0), ("b", 2), ("c", 1)]
    assert composed.planned[0].content.legacy == {"sound": "ping"}
    assert composed.planned[2].content.legacy == {}


def test_an_empty_list_of_tokens_in_the_trigger_sends_to_none() -> None:
    composed = compose(channel("a"), overrides={"fcm": {"deviceTokens": []}})
    assert (composed.planned, events(composed)) == ([], [Event.NO_TOKENS.code])


def test_ids_are_the_same_in_a_second_run_and_others_for_another_trigger_or_person() -> None:
    given = trigger("person-1")
    first, second = (composer(given).compose(ADA, [channel("a", "b")]) for _ in range(2))
    assert (first.id, [item.message_id for item in first.planned]) == (
        second.id,
        [item.message_id for item in second.planned],
    )
    other_person = composer(given).compose(subscriber(2), [channel("a", "b")])
    other_trigger = composer(trigger("person-1")).compose(ADA, [channel("a", "b")])
    runs = (first, other_person, other_trigger)
    assert len({run.id for run in runs}) == 3
    assert len({item.message_id for run in runs for item in run.planned}) == 6


def test_what_recipients_share_is_one_object() -> None:
    one = composer(trigger("person-1", "person-2"))
    planned = [one.compose(subscriber(pk), [channel("a", "b")]).planned for pk in (1, 2)]
    assert len({id(item.content) for part in planned for item in part}) == 1
    assert {item.personal for part in planned for item in part} == {None}


@pytest.mark.parametrize(
    "subject",
    [
        "Hi {{subscriber.firstName}}",
        "{% assign n = 'subscriber' %}Hi {{ [n].firstName }}",
        "Hi {{ [payload.who].firstName }}",
    ],
)
def test_a_template_that_names_the_subscriber_is_personal(subject: str) -> None:
    one = composer(trigger(payload={"text": "Hello", "who": "subscriber"}), workflow(subject))
    ada, bob = (
        one.compose(subscriber(pk, first_name=name), [channel("a")]).planned[0]
        for pk, name in ((1, "Ada"), (2, "Bob"))
    )
    assert ada.content is bob.content
    assert (ada.personal, bob.personal) == (Personal("Hi Ada", "Hello"), Personal("Hi Bob", "Hello"))


def test_a_provider_that_wants_the_subscriber_gets_the_profile_and_the_words_stay_shared() -> None:
    one = composer(trigger(), wants=frozenset({"push-webhook"}))
    hook = channel("h", provider_id="push-webhook", integration_id="i2", webhook_url="https://own.test")
    fcm, webhook = one.compose(ADA, [channel("a"), hook]).planned
    profile = {"_id": ADA.id, "subscriberId": "person-1", "firstName": "Ada"}
    assert fcm.personal is None
    assert webhook.personal == Personal(None, None, profile, "https://own.test")
    assert webhook.content.title == "News"


@pytest.mark.parametrize("body", ["{{ payload.text | nosuch }}", "{{ subscriber.firstName | nosuch }}"])
def test_a_template_that_fails_fails_its_step_only(body: str) -> None:
    second = Step("t" * 32, "second", "Second", "push", {"subject": "Still", "body": "here"})
    given = composer(trigger(), workflow("News", body, second))
    composed = given.compose(ADA, [channel("a")])
    assert [(item.step_id, item.content.title) for item in composed.planned] == [("second", "Still")]
    (failed,) = composed.details
    assert (failed.event, failed.step_id) == (Event.CONTENT_FAILED.code, "push")
    assert failed.raw is not None
    assert "nosuch" in failed.raw["error"]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("{{ payload.text | modulo: 1.5 }}", True),
        ("{{ payload.text | base64_decode }}", "u7s"),
        ("{{ payload.text | round }}", "1e400"),
        ("{% for i in (1..3) limit: payload.text %}{{ i }}{% endfor %}", -1),
    ],
)
def test_a_value_no_filter_can_take_fails_the_step_and_not_its_neighbours(body: str, value: object) -> None:
    composed = composer(trigger(payload={"text": value}), workflow("News", body)).compose(ADA, [channel("a")])
    assert (composed.planned, events(composed)) == ([], [Event.CONTENT_FAILED.code])


def test_overrides_too_deep_to_merge_fail_the_step() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"a": deep}
    overrides = {"providers": {"fcm": deep}, "steps": {"push": {"providers": {"fcm": deep}}}}
    composed = compose(channel("a"), overrides=overrides)
    assert (composed.planned, events(composed)) == ([], [Event.CONTENT_FAILED.code])


def overriding(providers: dict[str, Any], body: str = "{{payload.text}}") -> Workflow:
    controls = {"subject": "News", "body": body, "providers": providers}
    return msgspec.structs.replace(workflow(), steps=[Step("s" * 32, "push", "Push", "push", controls)])


def test_a_steps_overrides_reach_its_provider_alone_and_those_of_the_trigger_win() -> None:
    own = {"fcm": {"android": {"ttl": "1s", "tag": "t"}, "_passthrough": {"headers": {"x": "1"}}}}
    overrides = {"providers": {"fcm": {"android": {"ttl": "9s"}}}}
    one = composer(trigger(overrides=overrides, payload={"text": "Hi"}), overriding(own))
    fcm, hook = one.compose(
        ADA, [channel("a"), channel("b", provider_id="push-webhook", integration_id="i2")]
    ).planned
    assert fcm.content.override == {"android": {"ttl": "9s", "tag": "t"}}
    assert fcm.content.passthrough == {"headers": {"x": "1"}}
    assert (hook.content.override, hook.personal) == ({}, None)


def test_templates_in_overrides_are_rendered_once_for_all_where_they_name_nobody() -> None:
    own = {"fcm": {"android": {"tag": "{{payload.text}}", "list": ["{{text}}", 1]}}}
    for body in ("{{payload.text}}", "{{subscriber.firstName}}"):
        one = composer(trigger(payload={"text": "Hi"}), overriding(own, body))
        planned = [one.compose(subscriber(pk), [channel("a")]).planned[0] for pk in (1, 2)]
        assert planned[0].content is planned[1].content
        assert planned[0].content.override == {"android": {"tag": "Hi", "list": ["Hi", 1]}}
        assert {item.personal.override for item in planned if item.personal} <= {None}


def test_an_override_that_names_the_subscriber_is_their_own() -> None:
    own = {"fcm": {"android": {"tag": "{{subscriber.firstName}}"}, "_passthrough": {"query": {"q": "1"}}}}
    given = trigger(overrides={"providers": {"fcm": {"name": "n"}}}, payload={"text": "Hi"})
    one = composer(given, overriding(own))
    ada, bob = (
        one.compose(subscriber(pk, first_name=name), [channel("a")]).planned[0]
        for pk, name in ((1, "Ada"), (2, "Bob"))
    )
    assert ada.content is bob.content
    assert ada.content.override == {"name": "n"}
    for planned, name in ((ada, "Ada"), (bob, "Bob")):
        message = with_own(planned.content, planned.personal)
        assert message.override == {"android": {"tag": name}, "name": "n"}
        assert message.passthrough == {"query": {"q": "1"}}
        assert message.body == "Hi"


def test_an_override_of_one_provider_makes_nothing_of_another_personal() -> None:
    own = {"push-webhook": {"who": "{{subscriber.firstName}}"}, "fcm": {"android": {"tag": "t"}}}
    one = composer(trigger(payload={"text": "Hi"}), overriding(own))
    fcm, hook = one.compose(
        ADA, [channel("a"), channel("b", provider_id="push-webhook", integration_id="i2")]
    ).planned
    assert fcm.content.override == {"android": {"tag": "t"}}
    assert fcm.personal == Personal("News", "Hi")
    assert hook.personal == Personal("News", "Hi", override={"who": "Ada"}, passthrough={})


def test_an_override_that_fails_fails_its_step() -> None:
    one = composer(
        trigger(payload={"text": "Hi"}), overriding({"fcm": {"a": "{{ payload.text | divided_by: 0 }}"}})
    )
    composed = one.compose(ADA, [channel("a")])
    assert (composed.planned, events(composed)) == ([], [Event.CONTENT_FAILED.code])


def test_payload_keys_can_be_named_alone_but_hide_nothing_of_ours() -> None:
    payload = {
        "text": "own",
        "subscriber": "no",
        "payload": "no",
        "step": "no",
        "workflow": "no",
        "self": "me",
    }
    subject = "{{text}} {{self}} {{subscriber.firstName}}"
    body = "{{payload.text}} {{step.total_count}} {{workflow.name}}"
    given = trigger(payload=payload, actor=Person("boss"))
    (planned,) = composer(given, workflow(subject, body)).compose(ADA, [channel("a")]).planned
    assert planned.personal == Personal("own me Ada", "own 0 News")
    assert planned.content.payload == payload


def test_steps_that_push_nothing_are_passed_by() -> None:
    email = Step("m" * 32, "mail", "Mail", "email", {"subject": "{{ nonsense", "body": ""})
    composed = composer(trigger(), workflow("News", "x", email)).compose(ADA, [channel("a")])
    assert ([item.step_id for item in composed.planned], composed.details) == (["push"], [])
