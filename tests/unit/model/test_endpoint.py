"""What addresses outside of push are made of."""

from typing import Any

import pytest

from clarion.model.endpoint import MOST_TEXT, SHAPES, Fault, fault_of, made_of

GOOD: dict[str, dict[str, Any]] = {
    "slack_channel": {"channelId": "C1"},
    "slack_user": {"userId": "U1"},
    "webhook": {"url": "https://example.com", "channel": "ops"},
    "phone": {"phoneNumber": "+49"},
    "ms_teams_channel": {"teamId": "t", "channelId": "c"},
    "ms_teams_user": {"userId": "u"},
    "telegram_chat": {"chatId": "1"},
    "webex_room": {"roomId": "r", "parentId": "p"},
    "webex_person": {"personEmail": "ada@example.com"},
    "line_user": {"userId": "u"},
    "pagerduty_service": {"routingKey": "k", "region": "eu"},
    "opsgenie_integration": {"apiKey": "k", "region": "us"},
    "grafana_oncall_integration": {"url": "https://example.com", "authToken": "t"},
    "tool_webhook": {"url": "https://example.com", "headers": {"a": "b"}, "method": "PUT"},
}


def test_there_is_an_example_of_every_type() -> None:
    assert GOOD.keys() == SHAPES.keys()


@pytest.mark.parametrize("kind", SHAPES)
def test_an_address_is_kept_without_what_is_nothing_to_its_type(kind: str) -> None:
    given = {**GOOD[kind], "other": 1}
    assert fault_of(kind, given) is None
    assert made_of(kind, given) == GOOD[kind]


@pytest.mark.parametrize("kind", SHAPES)
def test_every_part_that_a_type_demands_has_to_be_there(kind: str) -> None:
    for part in SHAPES[kind].required:
        left = {name: value for name, value in GOOD[kind].items() if name != part}
        assert fault_of(kind, left) == Fault(part, f"is required for {kind}")


@pytest.mark.parametrize(
    ("kind", "given", "part"),
    [
        ("slack_user", {"userId": 5}, "userId"),
        ("slack_user", {"userId": ""}, "userId"),
        ("slack_user", {"userId": "u" * (MOST_TEXT + 1)}, "userId"),
        ("webhook", {"url": "u", "channel": []}, "channel"),
        ("pagerduty_service", {"routingKey": "k", "region": "mars"}, "region"),
        ("tool_webhook", {"url": "u", "method": "GET"}, "method"),
        ("tool_webhook", {"url": "u", "headers": ["a"]}, "headers"),
        ("tool_webhook", {"url": "u", "headers": {"a": 1}}, "headers"),
        ("webex_person", {}, ""),
        ("webex_person", {"personId": "p", "personEmail": "e"}, ""),
    ],
)
def test_a_part_that_cannot_be_one_is_named(kind: str, given: dict[str, Any], part: str) -> None:
    fault = fault_of(kind, given)
    assert fault is not None
    assert fault.part == part
