"""Preferences with the official Python SDK."""

import secrets
from typing import Any

import pytest
from novu_py import Novu, models

from running import ClarionProcess


@pytest.fixture
def person(clarion: ClarionProcess) -> str:
    name = f"person-{secrets.token_hex(4)}"
    with clarion.client as client:
        client.post("/v2/subscribers", json={"subscriberId": name}).raise_for_status()
    return name


def push_of(found: models.GetSubscriberPreferencesDto) -> Any:
    return {item.workflow.identifier: item.channels.push for item in found.workflows}


def test_a_subscriber_chooses_for_everything_and_for_a_workflow(novu: Novu, person: str) -> None:
    calls = novu.subscribers.preferences
    assert push_of(calls.list(subscriber_id=person).result)["welcome"] is True
    off: Any = {"channels": {"push": False}, "schedule": {"is_enabled": False}}
    found = calls.update(subscriber_id=person, patch_subscriber_preferences_dto=off).result
    assert (found.global_.channels.push, push_of(found)["welcome"]) == (False, False)
    assert found.global_.schedule is not None
    assert found.global_.schedule.is_enabled is False
    on: Any = {"channels": {"push": True}, "workflow_id": "welcome"}
    found = calls.update(subscriber_id=person, patch_subscriber_preferences_dto=on).result
    assert (found.global_.channels.push, push_of(found)["welcome"]) == (False, True)
    assert (
        push_of(calls.list(subscriber_id=person, criticality=models.Criticality.ALL).result)["welcome"]
        is True
    )


def test_many_are_chosen_at_once(novu: Novu, person: str) -> None:
    body: Any = {"preferences": [{"workflow_id": "welcome", "channels": {"push": False}}]}
    calls = novu.subscribers.preferences
    (found,) = calls.bulk_update(subscriber_id=person, bulk_update_subscriber_preferences_dto=body).result
    assert isinstance(found.workflow, models.Workflow)
    assert (found.workflow.identifier, found.channels.push) == ("welcome", False)


def test_a_subscriber_that_is_not_there_has_none(novu: Novu) -> None:
    with pytest.raises(models.ErrorDto) as refused:
        novu.subscribers.preferences.list(subscriber_id="nobody-there")
    assert refused.value.data.status_code == 404
