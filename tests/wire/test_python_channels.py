"""Channel connections and channel endpoints with the official Python SDK."""

import secrets
from typing import Any

import pytest
from novu_py import Novu, models

STRICT: Any = None
"""For `retries`: an error is looked at, never tried again."""


@pytest.fixture
def person(novu: Novu) -> str:
    name = f"person-{secrets.token_hex(4)}"
    given: Any = {"subscriber_id": name}
    novu.subscribers.create(create_subscriber_request_dto=given)
    return name


def test_a_connection_is_made_read_changed_listed_and_removed(novu: Novu, person: str) -> None:
    given: Any = {
        "integration_identifier": "hook",
        "subscriber_id": person,
        "context": {"tenant": person},
        "workspace": {"id": "T1", "name": "Acme"},
        "auth": {"access_token": "xoxb-0123456789"},
    }
    create = novu.channel_connections.create
    made = create(create_channel_connection_request_dto=given).result
    assert (made.subscriber_id, made.context_keys) == (person, [f"tenant:{person}"])
    assert (made.provider_id, made.channel) == ("push-webhook", "push")
    with pytest.raises(models.ErrorDto) as taken:
        create(create_channel_connection_request_dto=given, retries=STRICT)
    assert taken.value.data.status_code == 409
    assert novu.channel_connections.retrieve(identifier=made.identifier).result == made
    change: Any = {"workspace": {"id": "T2"}, "auth": {"access_token": "xoxb-9876543210"}}
    changed = novu.channel_connections.update(
        identifier=made.identifier, update_channel_connection_request_dto=change
    ).result
    assert changed.workspace.id == "T2"
    asked: Any = {"context_keys": [f"tenant:{person}"], "connection_mode": "subscriber", "limit": 5}
    page = novu.channel_connections.list(request=asked).result
    assert ([item.identifier for item in page.data], page.total_count) == ([made.identifier], 1)
    novu.channel_connections.delete(identifier=made.identifier)
    with pytest.raises(models.ErrorDto) as gone:
        novu.channel_connections.retrieve(identifier=made.identifier, retries=STRICT)
    assert gone.value.data.status_code == 404


ENDPOINTS: list[tuple[str, dict[str, Any]]] = [
    ("slack_channel", {"channel_id": "C1"}),
    ("slack_user", {"user_id": "U1"}),
    ("webhook", {"url": "https://example.com", "channel": "ops"}),
    ("phone", {"phone_number": "+49"}),
    ("ms_teams_channel", {"team_id": "t", "channel_id": "c"}),
    ("ms_teams_user", {"user_id": "u"}),
    ("telegram_chat", {"chat_id": "1"}),
    ("webex_room", {"room_id": "r"}),
    ("webex_person", {"person_email": "ada@example.com"}),
    ("line_user", {"user_id": "u"}),
    ("pagerduty_service", {"routing_key": "k" * 32, "region": "eu"}),
    ("opsgenie_integration", {"api_key": "k" * 32, "region": "us"}),
    ("grafana_oncall_integration", {"url": "https://example.com", "auth_token": "t" * 20}),
    ("tool_webhook", {"url": "https://example.com", "method": "PUT"}),
]


@pytest.mark.parametrize(("kind", "address"), ENDPOINTS)
def test_an_endpoint_of_every_type_is_made_and_read(
    novu: Novu, person: str, kind: str, address: dict[str, Any]
) -> None:
    given: Any = {
        "integration_identifier": "hook",
        "subscriber_id": person,
        "type": kind,
        "endpoint": address,
    }
    made = novu.channel_endpoints.create(request_body=given).result
    assert (made.type, made.subscriber_id) == (kind, person)
    assert novu.channel_endpoints.retrieve(identifier=made.identifier).result == made


def test_an_endpoint_is_changed_listed_and_removed(novu: Novu) -> None:
    person = f"person-{secrets.token_hex(4)}"
    given: Any = {
        "integration_identifier": "hook",
        "subscriber_id": person,
        "create_subscriber_if_missing": True,
        "type": "slack_user",
        "endpoint": {"user_id": "U1"},
    }
    made = novu.channel_endpoints.create(request_body=given).result
    change: Any = {"endpoint": {"user_id": "U2"}}
    changed: Any = novu.channel_endpoints.update(
        identifier=made.identifier, update_channel_endpoint_request_dto=change
    ).result
    assert changed.endpoint.user_id == "U2"
    asked: Any = {"subscriber_id": person}
    page = novu.channel_endpoints.list(request=asked).result
    assert ([item.identifier for item in page.data], page.total_count) == ([made.identifier], 1)
    novu.channel_endpoints.delete(identifier=made.identifier)
    with pytest.raises(models.ErrorDto) as gone:
        novu.channel_endpoints.retrieve(identifier=made.identifier, retries=STRICT)
    assert gone.value.data.status_code == 404
