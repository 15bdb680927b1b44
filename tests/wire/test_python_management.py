"""Environments, publishing and steps with the official Python SDK."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from novu_py import Novu, models

from running import ClarionProcess, wait_for


@pytest.fixture
def workflow(clarion: ClarionProcess) -> Iterator[str]:
    """A workflow of Development with one push step, `order`."""
    name = f"flow-{secrets.token_hex(4)}"
    controls = {"subject": "Order {{payload.id}}", "body": "For {{subscriber.firstName}}"}
    step = {"name": "Order", "stepId": "order", "type": "push", "controlValues": controls}
    body = {"name": name, "workflowId": name, "active": True, "tags": [name], "steps": [step]}
    with clarion.client as client:
        client.post("/v2/workflows", json=body).raise_for_status()
    yield name
    with clarion.client as client:
        client.delete(f"/v2/workflows/{name}").raise_for_status()


@pytest.fixture
def staging(novu: Novu) -> Iterator[str]:
    """One more environment."""
    given: Any = {"name": f"Staging {secrets.token_hex(4)}", "color": "#c0392b"}
    made = novu.environments.create(create_environment_request_dto=given).result
    assert made.api_keys
    assert made.api_keys[0].key
    yield made.id
    novu.environments.delete(environment_id=made.id)
    assert made.id not in [item.id for item in novu.environments.list().result]


def test_an_environment_is_made_changed_and_filled(novu: Novu, staging: str, workflow: str) -> None:
    change: Any = {"name": f"QA {staging[-6:]}"}
    changed = novu.environments.update(environment_id=staging, update_environment_request_dto=change).result
    assert changed.name == change["name"]
    tags = novu.environments.get_tags(environment_id=staging).result
    assert tags == []
    wanted: Any = {"resources": [{"resource_type": "REGULAR", "resource_id": workflow}]}
    found = novu.environments.diff(target_environment_id=staging, diff_environment_request_dto={}).result
    assert workflow in [item.source_resource.name for item in found.resources if item.source_resource]
    published = novu.environments.publish(
        target_environment_id=staging, publish_environment_request_dto=wanted
    ).result
    assert (published.summary.successful, published.summary.failed) == (1, 0)
    assert [tag.name for tag in novu.environments.get_tags(environment_id=staging).result] == [workflow]
    target: Any = {"target_environment_id": staging}
    synced = novu.workflows.sync(workflow_id=workflow, sync_workflow_dto=target).result
    assert synced.workflow_id == workflow


def test_a_step_is_read_and_previewed(novu: Novu, workflow: str) -> None:
    step = novu.workflows.steps.retrieve(workflow_id=workflow, step_id="order").result
    assert (step.step_id, step.type, step.workflow_id) == ("order", "push", workflow)
    data: Any = {"preview_payload": {"payload": {"id": 7}}}
    shown = novu.workflows.steps.generate_preview(
        workflow_id=workflow, step_id="order", generate_preview_request_dto=data
    ).result
    assert "Order 7" in shown.model_dump_json()


def test_no_integration_is_primary(novu: Novu) -> None:
    (first, *_) = novu.integrations.list().result
    with pytest.raises(models.ErrorDto) as refused:
        novu.integrations.set_as_primary(integration_id=first.id or "")
    assert refused.value.data.status_code == 400


def test_a_subscriber_is_online(novu: Novu) -> None:
    name = f"person-{secrets.token_hex(4)}"
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": name})
    online: Any = {"is_online": True}
    found = novu.subscribers.properties.update_online_flag(
        subscriber_id=name, update_subscriber_online_flag_request_dto=online
    ).result
    assert found.is_online is True


def test_a_phone_reports(novu: Novu) -> None:
    environment = next(item.id for item in novu.environments.list().result if item.type == "dev")
    (integration, *_) = novu.integrations.list().result
    found = novu.activity.track(
        environment_id=environment,
        integration_id=integration.id or "",
        request_body={"eventType": "opened", "eventId": "0" * 32},
    )
    assert [item.event.status for item in found] == [models.Status.OPENED]


def test_a_variable_is_made_and_used(novu: Novu, workflow: str) -> None:
    key = f"KEY_{secrets.token_hex(4)}"
    environment = next(item.id for item in novu.environments.list().result if item.type == "dev")
    given: Any = {"key": key, "values": [{"environment_id": environment, "value": "x"}]}
    made = novu.environment_variables.create(create_environment_variable_request_dto=given).result
    assert (made.key, made.is_secret, made.values[0].value) == (key, False, "x")
    change: Any = {"is_secret": True}
    changed = novu.environment_variables.update(
        variable_key=key, update_environment_variable_request_dto=change
    ).result
    assert changed.is_secret
    assert key in [item.key for item in novu.environment_variables.list().result]
    assert novu.environment_variables.retrieve(variable_key=key).result.values[0].value != "x"
    assert novu.environment_variables.usage(variable_key=key).result.workflows == []
    novu.environment_variables.delete(variable_key=key)


def test_an_integration_is_configured_by_itself(novu: Novu, clarion: ClarionProcess) -> None:
    made = next(item for item in novu.integrations.list().result if item.identifier == "hook")
    configure = novu.integrations.integrations_controller_auto_configure_integration
    assert made.id
    found: Any = configure(integration_id=made.id).result
    assert found.success
    with clarion.client as client:
        back: Any = {"configurations": {}}
        client.put(f"/v1/integrations/{made.id}", json=back).raise_for_status()


def test_a_workflow_tells_when_it_was_last_triggered(novu: Novu, workflow: str) -> None:
    assert novu.workflows.get(workflow_id=workflow).result.last_triggered_at is None
    request: Any = {"workflow_id": workflow, "to": f"person-{workflow}"}
    novu.trigger(trigger_event_request_dto=request)

    def triggered() -> Any:
        return novu.workflows.get(workflow_id=workflow).result.last_triggered_at

    assert wait_for(triggered, 10)
