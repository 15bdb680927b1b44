from typing import Any

import msgspec
import pytest

from clarion.journal.summary import accepted_at
from clarion.model.ids import new_id
from clarion.model.push import Delivery, Send
from clarion.model.trigger import Accepted, Chunk, Page
from pushing import NOW, trigger

TRIGGER = new_id(NOW)
SEND = Send("m" * 32, "n" * 32, TRIGGER, "s" * 32, 1, 1, "phone", 0)


@pytest.mark.parametrize(
    "record",
    [
        Accepted([trigger("ada", id=TRIGGER), trigger("eve", id=new_id(NOW + 1))]),
        Page(TRIGGER, 0),
        Chunk(TRIGGER, 0, 500),
        Delivery("e" * 32, "i1", NOW, [], [SEND]),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_of_any_stage_tells_when_its_trigger_was_accepted(record: Any) -> None:
    assert accepted_at(msgspec.msgpack.encode(record)) == NOW


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", msgspec.msgpack.encode([1]), msgspec.msgpack.encode({"trigger_id": "not hex"})]
)
def test_a_record_that_does_not_tell_is_of_no_age(body: bytes) -> None:
    assert accepted_at(body) is None
