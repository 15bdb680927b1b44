"""What templates can name: payload, subscriber, actor, tenant, context, step, workflow, env."""

from collections.abc import Mapping
from typing import Any

from clarion.compose.overrides import severity_of
from clarion.model.clock import iso
from clarion.model.people import Subscriber
from clarion.model.push import Json
from clarion.model.trigger import Trigger
from clarion.model.workflow import Workflow

STEP: Json = {"digest": False, "events": [], "total_count": 0}
"""A step that no digest came before."""


OWN = ("steps", "step")
"""What differs between the runs of a workflow: what its steps came to, and what a digest gathered."""


def variables(trigger: Trigger, workflow: Workflow, env: Mapping[str, str]) -> Json:
    """What is the same for every recipient. Payload keys can also be named without `payload`."""
    return {
        **trigger.payload,
        "payload": trigger.payload,
        "actor": {"subscriberId": trigger.actor.subscriber_id} if trigger.actor else {},
        "tenant": trigger.tenant,
        "context": trigger.context,
        "step": STEP,
        "env": env,
        "workflow": described(workflow) | {"severity": severity_of(trigger.overrides, workflow)},
    }


def described(workflow: Workflow) -> Json:
    """A workflow as templates see it."""
    return {
        "name": workflow.name,
        "workflowId": workflow.workflow_id,
        "description": workflow.description,
        "tags": workflow.tags,
        "severity": workflow.severity,
    }


def profile(subscriber: Subscriber) -> Json:
    """A subscriber as templates and push webhooks see them; what isn't known is left out."""
    seen: dict[str, Any] = {
        "_id": subscriber.id,
        "subscriberId": subscriber.subscriber_id,
        "firstName": subscriber.first_name,
        "lastName": subscriber.last_name,
        "email": subscriber.email,
        "phone": subscriber.phone,
        "avatar": subscriber.avatar,
        "locale": subscriber.locale,
        "timezone": subscriber.timezone,
        "data": subscriber.data,
        "isOnline": subscriber.is_online,
        "lastOnlineAt": iso(subscriber.last_online_at) if subscriber.last_online_at else None,
    }
    return {name: value for name, value in seen.items() if value is not None}
