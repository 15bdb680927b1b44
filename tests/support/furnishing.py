"""Something of each kind in an environment, and one good body for every call that takes one."""

from collections.abc import Mapping
from typing import Any

from calling import PUSH, Api, Json, data
from clarion.api.admission import COOKIE
from clarion.echo.webhooks import fresh
from clarion.journal.port import Parked, Record
from clarion.model.member import Role
from clarion.model.webhook import PING, happened
from clarion.security.links import Links, Pushed
from clarion.store import webhook_deliveries

PASSWORD = "correct horse battery"
REMOTE_TOKEN = {"providerId": "push-webhook", "credentials": {"deviceTokens": ["t"]}}

BODIES: dict[str, Json] = {
    "trigger": {
        "name": "welcome",
        "to": {"subscriberId": "ada", "channels": []},
        "payload": {},
        "context": {"tenant": "acme", "app": {"id": "crm", "data": {}}},
        "dryRun": True,
    },
    "trigger_bulk": {"events": [{"name": "welcome", "to": "ada"}]},
    "trigger_broadcast": {"name": "welcome", "payload": {}},
    "create_subscriber": {"subscriberId": "ada", "data": {}, "channels": []},
    "create_subscribers_in_bulk": {"subscribers": [{"subscriberId": "bob"}]},
    "patch_subscriber": {"firstName": "Ada", "data": {}},
    "set_online": {"isOnline": True},
    "update_credentials": REMOTE_TOKEN,
    "append_credentials": REMOTE_TOKEN,
    "register_device": {"providerId": "push-webhook", "token": "t"},
    "patch_preferences": {
        "channels": {"push": True},
        "context": {"tenant": "acme"},
        "schedule": {"isEnabled": True, "weeklySchedule": {"monday": {"isEnabled": True, "hours": []}}},
    },
    "patch_preferences_in_bulk": {"preferences": [{"workflowId": "welcome", "channels": {"push": True}}]},
    "create_topic": {"key": "news", "name": "News"},
    "update_topic": {"name": "News"},
    "create_subscriptions": {
        "subscriptions": ["ada"],
        "context": {"tenant": "acme"},
        "preferences": ["welcome", {"filter": {"tags": ["a"]}, "condition": {"==": [1, 1]}}],
    },
    "update_subscription": {"name": "Mine", "preferences": [{"workflowId": "welcome", "enabled": False}]},
    "delete_subscriptions": {"subscriptions": ["ada"]},
    "create_integration": {"providerId": "fcm", "credentials": {}, "configurations": {}, "conditions": []},
    "update_integration": {"name": "Hook", "configurations": {}},
    "try_integration": {"token": "t"},
    "move_device": {"subscriberId": "bob"},
    "try_device": {"title": "Test"},
    "create_workflow": {"name": "W", "workflowId": "w", "steps": [PUSH], "payloadSchema": {}},
    "update_workflow": {
        "name": "Welcome",
        "active": True,
        "steps": [PUSH],
        "payloadSchema": {},
        "preferences": {},
    },
    "patch_workflow": {"active": True, "payloadSchema": {"type": "object"}},
    "preview_step": {
        "controlValues": {"subject": "{{payload.x}}"},
        "previewPayload": {"payload": {"x": {}}},
    },
    "sync_workflow": {"targetEnvironmentId": "$targetEnvironmentId"},
    "publish": {"resources": [{"resourceType": "REGULAR", "resourceId": "welcome"}]},
    "diff": {"sourceEnvironmentId": "$environmentId"},
    "track_activity": {"eventType": "opened", "eventId": "m"},
    "create_context": {"type": "app", "id": "erp", "data": {"x": 1}},
    "update_context": {"data": {"x": 1}},
    "create_channel_connection": {
        "integrationIdentifier": "hook",
        "subscriberId": "ada",
        "context": {"app": "crm"},
        "workspace": {"id": "T1", "name": "Acme"},
        "auth": {"accessToken": "x" * 20},
    },
    "update_channel_connection": {"workspace": {"id": "T2"}, "auth": {"accessToken": "y" * 20}},
    "create_channel_endpoint": {
        "integrationIdentifier": "hook",
        "subscriberId": "ada",
        "type": "slack_user",
        "endpoint": {"userId": "U1"},
        "context": {"app": "crm"},
    },
    "update_channel_endpoint": {"endpoint": {"userId": "U2"}},
    "create_webhook": {"url": "https://8.8.8.8/hooks", "events": ["message.sent"], "headers": {"X-A": "b"}},
    "update_webhook": {"events": [], "description": "All", "active": True},
    "replay_webhook": {"since": "2026-01-01", "status": "all"},
    "rotate_secret": {"overlapHours": 1},
    "create_environment": {"name": "Staging", "color": "#102030"},
    "create_key": {"name": "Shop"},
    "rotate_key": {"overlapHours": 1},
    "set_up": {"email": "ada@clarion.test", "password": PASSWORD, "name": "Ada"},
    "sign_in": {"email": "ada@clarion.test", "password": PASSWORD},
    "look_up_invitation": {"token": "$invitation_token"},
    "accept_invitation": {"token": "$invitation_token", "password": PASSWORD, "name": "Cyd"},
    "update_session": {"name": "Ada", "environmentId": "$environmentId"},
    "change_password": {"currentPassword": PASSWORD, "newPassword": PASSWORD},
    "update_member": {"name": "Ada", "role": "editor"},
    "create_invitation": {"email": "bob@clarion.test", "role": "viewer"},
    "update_environment": {"name": "Development", "color": "#102030"},
    "create_variable": {"key": "KEY", "values": [{"_environmentId": "$environmentId", "value": "v"}]},
    "set_frequency_caps": {
        "caps": [{"scope": "device", "most": 5, "window": {"amount": 1, "unit": "days"}, "passes": ["high"]}]
    },
    "update_variable": {"isSecret": True},
    "create_translation": {
        "resourceType": "workflow",
        "resourceId": "welcome",
        "locale": "de_AT",
        "content": {"title": "{{payload.x}}", "items": {"other": "x"}},
    },
    "import_master_translations": {"locale": "de", "masterJson": {"workflows": {"welcome": {"title": "x"}}}},
    "create_layout": {"layoutId": "another", "name": "Another"},
    "update_layout": {"name": "L", "controlValues": {"email": {"body": "{{content}}", "editorType": "html"}}},
    "duplicate_layout": {"name": "Copy", "layoutId": "copy"},
    "preview_layout": {"controlValues": {"email": {"body": '"{{content}}"', "editorType": "block"}}},
    "add_sandbox_phone": {"subscriberId": "ada"},
}
"""Where a text begins with `$`, the name of something furnished belongs."""


_FILE = ("de.json", b'{"workflows": {"welcome": {"title": "Hallo"}}}', "application/json")
FORMS: dict[str, Json] = {
    "upload_translations": {
        "data": {"resourceType": "workflow", "resourceId": "welcome"},
        "files": [("files", _FILE)],
    },
    "upload_master_translations": {"files": [("file", _FILE)]},
}
"""The same for calls that take a form, as HTTP libraries have it."""


def good_body(operation_id: str, names: Mapping[str, str]) -> Any:
    """The good body of a call, with what it names filled in."""
    return _filled(BODIES[operation_id], names)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, names) for inner in value]
    return names[value[1:]] if isinstance(value, str) and value.startswith("$") else value


QUERIES: dict[str, dict[str, str]] = {"explain": {"transactionId": "sent"}, "track": {"event": "opened"}}
"""What a call has to be asked with besides its path."""


async def furnish(api: Api) -> dict[str, str]:
    """One of everything in Development, with a trigger that has gone out and one that waits: the names that
    paths want, and other names of some of them."""
    dev = api.development
    integration, workflow = await dev.integration(), await dev.workflow()
    await dev.subscriber(firstName="Ada")
    tokens = {"providerId": "push-webhook", "deviceTokens": ["phone"]}
    data(await dev.put("/v1/subscribers/ada/credentials", tokens))
    device = data(await dev.post("/v1/subscribers/ada/devices", {**tokens, "token": "tablet"}), 201)
    assert (await dev.post("/v2/topics/news/subscriptions", {"subscriptions": ["ada"]})).status_code == 201
    for name in ("sent", "waiting"):
        trigger = {"name": "welcome", "to": "ada", "transactionId": name, "context": {"tenant": "acme"}}
        data(await dev.post("/v1/events/trigger", trigger), 201)
        if name == "sent":
            await api.deliver()
    for kind in ("connection", "endpoint"):
        own = {"identifier": "tk_news:si_ada", "context": {"app": "shop"}}
        given = {**BODIES[f"create_channel_{kind}"], **own}
        data(await dev.post(f"/v1/channel-{kind}s", given), 201)
    phone = data(await dev.post("/v1/sandbox/phones", {"subscriberId": "ada"}), 201)
    environment, target = await api.environment_id(), await api.environment_id("prod")
    key = data(await dev.post(f"/v1/environments/{environment}/keys", None), 201)
    spare = data(await dev.post("/v1/environments", {"name": "Spare", "color": "#102030"}), 201)
    webhook = data(await dev.post("/v1/webhooks", {"url": "https://8.8.8.8/hooks", "active": False}), 201)
    delivery = await _delivered(api, webhook["_id"])
    variable = data(await dev.post("/v1/environment-variables", {"key": "HOST"}))
    layout = data(await dev.post("/v2/layouts", {"layoutId": "frame", "name": "Frame"}), 201)
    translation = data(await dev.post("/v2/translations", BODIES["create_translation"]))
    parked = await _parked(api)
    (notification,) = (await dev.get("/v1/notifications")).json()["data"]
    message = (await dev.get("/v1/messages")).json()["data"][0]
    member = await _member(api)
    pushed = Pushed(environment, integration["_id"], message["_id"])
    link = Links(api.services.vault, "https://push.test").to(pushed)
    return {
        **member,
        "token": link.rpartition("/")[2],
        "subscriberId": "ada",
        "externalSubscriberId": "ada",
        "providerId": "push-webhook",
        "deviceId": device["id"],
        "phoneId": phone["id"],
        "parkedId": str(parked.id),
        "integrationId": integration["_id"],
        "environmentId": environment,
        "spare_environment": spare["_id"],
        "targetEnvironmentId": target,
        "keyId": key["_id"],
        "webhookId": webhook["_id"],
        "deliveryId": delivery,
        "variableKey": variable["key"],
        "layoutId": layout["layoutId"],
        **{name: translation[name] for name in ("resourceType", "resourceId", "locale")},
        "stepId": "push",
        "workflowId": "welcome",
        "workflow_id": workflow["_id"],
        "slug": workflow["slug"],
        "notificationId": notification["_id"],
        "messageId": message["_id"],
        "topicKey": "news",
        "identifier": "tk_news:si_ada",
        "type": "tenant",
        "id": "acme",
        "transactionId": "waiting",
        "transaction_id": "sent",
    }


async def _member(api: Api) -> dict[str, str]:
    """A member beside the owner, and somebody who is invited."""
    viewer = await api.new_member(Role.VIEWER)
    owner = await api.new_member(
        Role.OWNER, "ada@clarion.test", await api.services.accounts.passwords.hashed(PASSWORD)
    )
    cookie = {"cookie": f"{COOKIE}={await api.begin_session(owner.id)}"}
    given = {"email": "cyd@clarion.test", "role": "viewer"}
    invitation = data(await api.browser().post("/v1/invitations", given, headers=cookie), 201)
    (session,) = data(await api.browser().call("GET", "/v1/sessions", headers=cookie))
    return {
        "memberId": viewer.id,
        "owner": owner.id,
        "sessionId": session["_id"],
        "invitationId": invitation["_id"],
        "invitation_token": invitation["token"],
    }


async def _delivered(api: Api, webhook_id: str) -> str:
    """The id of a delivery to an endpoint."""
    endpoint = (await api.services.catalog.current()).webhooks[webhook_id]
    made = fresh(endpoint, happened(PING, {}, webhook_id, api.services.clock()), "{}")
    await api.services.database.write(webhook_deliveries.keep, [made])
    return made.id


async def _parked(api: Api) -> Parked:
    """A record that was set aside."""
    journal = api.services.journal
    await journal.append([Record("broken", b"no record")])
    (batch,) = await journal.claim("broken", 1)
    await journal.park(batch, "it can't be read")
    return (await journal.parked())[0]
