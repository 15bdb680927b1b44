"""What most tests of a running Clarion begin with: an integration of FCM, and the workflow `news`."""

from typing import Any

import httpx

from clarion.testing.kit import EmulatorThread

PUSH = {"name": "Push", "type": "push", "controlValues": {"subject": "Hello", "body": "{{payload.text}}"}}


def connect_fcm(client: httpx.Client, emulators: EmulatorThread) -> str:
    """Make an integration of the stand-in of FCM; its `_id`."""
    given = {
        "name": "FCM",
        "providerId": "fcm",
        "credentials": {"serviceAccount": emulators.service_account()},
        "active": True,
    }
    answer = client.post("/v1/integrations", json=given).raise_for_status()
    return str(answer.json()["data"]["_id"])


def make_news(client: httpx.Client, *steps: Any) -> None:
    """Make the workflow, of one push unless others are given."""
    given = {"name": "News", "workflowId": "news", "active": True, "steps": steps or [PUSH]}
    client.post("/v2/workflows", json=given).raise_for_status()
