from typing import Any

import pytest

from clarion.cli.arrival import one_line, push_of
from clarion.testing.kit import Seen


def fcm(**message: Any) -> Seen:
    return Seen("fcm", "phone", "id", 0, message)


def test_a_notification_is_read_with_its_data() -> None:
    push = push_of(fcm(notification={"title": "T", "body": "B"}, data={"text": "x"}))
    assert (push.phone, push.title, push.body, push.payload) == ("phone", "T", "B", {"text": "x"})


def test_androids_own_text_wins() -> None:
    message = {"notification": {"title": "T", "body": "B"}, "android": {"notification": {"title": "A"}}}
    push = push_of(fcm(**message))
    assert (push.title, push.body) == ("A", "B")


def test_a_silent_message_is_read_from_its_data() -> None:
    push = push_of(fcm(data={"title": "T", "body": "B"}))
    assert (push.title, push.body) == ("T", "B")


def test_a_webhook_is_read() -> None:
    body = {"title": "T", "content": "C", "payload": {"a": 1}}
    push = push_of(Seen("push-webhook", "phone", "id", 7, body))
    assert push == ("phone", "T", "C", {"a": 1}, 7)


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb\r\n\tc", "a b c"), ("\x1b[31mred\x07", "[31mred"), ("žluť  ☕", "žluť ☕")]
)
def test_text_is_one_line_without_control_characters(text: str, line: str) -> None:
    assert one_line(text) == line
