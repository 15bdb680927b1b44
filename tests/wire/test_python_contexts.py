"""Contexts with the official Python SDK."""

import secrets
from typing import Any

import pytest
from novu_py import Novu, models

from clarion.testing.kit import EmulatorThread
from running import ClarionProcess, wait_for

STRICT: Any = None
"""For `retries`: an error is looked at, never tried again."""


@pytest.fixture
def acme() -> str:
    return f"acme-{secrets.token_hex(4)}"


def fcm(token: str) -> Any:
    return [{"provider_id": "fcm", "credentials": {"device_tokens": [token]}}]


def test_a_context_is_made_read_changed_listed_and_removed(novu: Novu, acme: str) -> None:
    given: Any = {"type": "tenant", "id": acme, "data": {"name": "Acme"}}
    made = novu.contexts.create(create_context_request_dto=given).result
    assert (made.type, made.id, made.data) == ("tenant", acme, {"name": "Acme"})
    with pytest.raises(models.ErrorDto) as taken:
        novu.contexts.create(create_context_request_dto=given, retries=STRICT)
    assert taken.value.data.status_code == 409
    assert novu.contexts.retrieve(id=acme, type_="tenant").result == made
    change: Any = {"data": {"name": "Acme 2"}}
    changed = novu.contexts.update(id=acme, type_="tenant", update_context_request_dto=change).result
    assert changed.data == {"name": "Acme 2"}
    asked: Any = {"id": acme, "limit": 5}
    page = novu.contexts.list(request=asked).result
    assert ([item.id for item in page.data], page.total_count, page.next) == ([acme], 1, None)
    novu.contexts.delete(id=acme, type_="tenant")
    with pytest.raises(models.ErrorDto) as gone:
        novu.contexts.retrieve(id=acme, type_="tenant", retries=STRICT)
    assert gone.value.data.status_code == 404


def test_what_a_trigger_sends_in_a_context_is_found_by_it(
    novu: Novu, clarion: ClarionProcess, emulators: EmulatorThread, acme: str
) -> None:
    person, token = f"person-{acme}", f"phone-{acme}"
    request: Any = {
        "workflow_id": "welcome",
        "to": {"subscriber_id": person, "channels": fcm(token)},
        "payload": {"text": "hi"},
        "context": {"tenant": {"id": acme, "data": {"name": "Acme"}}, "app": "crm"},
    }
    novu.trigger(trigger_event_request_dto=request)
    keys = [f"tenant:{acme}", "app:crm"]

    def found() -> Any:
        asked: Any = {"context_keys": keys}
        return novu.messages.retrieve(request=asked).result.data or None

    (message,) = wait_for(found, 10)
    assert token in [arrived.token for arrived in emulators.messages()]
    assert message.context_keys == sorted(keys)
    asked: Any = {"context_keys": keys}
    (row,) = novu.notifications.list(request=asked).result.data
    assert (row.transaction_id, row.context_keys) == (message.transaction_id, sorted(keys))
    assert novu.contexts.retrieve(id=acme, type_="tenant").result.data == {"name": "Acme"}
