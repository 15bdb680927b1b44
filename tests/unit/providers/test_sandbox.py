"""Virtual phones: what is put on them, and what a removed one means."""

import msgspec
import pytest

from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage, Target
from clarion.providers.sandbox import Sandbox, SandboxCredentials

PROVIDER = Sandbox()


def test_a_push_says_everything_it_was_told() -> None:
    message = PushMessage(
        "Title",
        "Body",
        {"key": "value"},
        override={"image": "https://pictures.test/1"},
        passthrough={"body": {"extra": 1}},
    )
    request = PROVIDER.build(SandboxCredentials(), message, Target("m1", "phone/1"), "")
    assert request.url == "https://sandbox.invalid/phones/phone%2F1/pushes"
    assert msgspec.json.decode(request.body) == {
        "messageId": "m1",
        "title": "Title",
        "body": "Body",
        "data": {"key": "value", "__nvMessageId": "m1"},
        "image": "https://pictures.test/1",
        "extra": 1,
    }


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, Outcome.ACCEPTED), (410, Outcome.TOKEN_DEAD), (500, Outcome.UNKNOWN)],
)
def test_a_removed_phone_is_dead(status: int, outcome: Outcome) -> None:
    assert PROVIDER.read(HttpReply(status), PushMessage("", "")).outcome is outcome
