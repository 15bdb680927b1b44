"""What the parsers of Novu's SDKs demand of answers: required keys, types, closed enums, no stray null."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

Json = dict[str, Any]

STR: Json = {"type": "string"}
NUM: Json = {"type": "number"}
BOOL: Json = {"type": "boolean"}
OBJECT: Json = {"type": "object"}
NULL: Json = {"type": "null"}


def one_of(*values: str) -> Json:
    """A closed enum."""
    return {"enum": list(values)}


def listed(item: Json) -> Json:
    """A list."""
    return {"type": "array", "items": item}


def nullable(kind: Json) -> Json:
    """That, or null."""
    return {"anyOf": [kind, NULL]}


def model(
    required: Mapping[str, Json], omittable: Mapping[str, Json] = {}, clearable: Mapping[str, Json] = {}
) -> Json:
    """An object. Keys beyond these are ignored; `omittable` ones may be absent, `clearable` ones null too."""
    optional = {**omittable, **{name: nullable(kind) for name, kind in clearable.items()}}
    return {"type": "object", "required": [*required], "properties": {**required, **optional}}


def cursor_page(item: Json) -> Json:
    """A list that is read behind a cursor."""
    counted = {"totalCount": NUM, "totalCountCapped": BOOL}
    return model({"data": listed(item), **counted, "next": nullable(STR), "previous": nullable(STR)})


def check(demanded: Json, document: Any) -> None:
    """`ValidationError` names the key that a parser would stumble over."""
    Draft202012Validator(demanded).validate(document)


PUSH_PROVIDER = one_of(
    "fcm", "apns", "expo", "one-signal", "pushpad", "push-webhook", "pusher-beams", "appio"
)
CHANNEL = one_of("in_app", "email", "sms", "chat", "push", "tool")
STEP_TYPE = one_of(
    *("in_app", "email", "sms", "chat", "push", "tool", "digest", "trigger", "delay", "throttle", "custom"),
    "http_request",
)
SEVERITY = one_of("high", "medium", "low", "none")
ORIGIN = one_of("novu-cloud", "novu-cloud-v1", "external")
WORKFLOW_STATUS = one_of("ACTIVE", "INACTIVE", "ERROR")

TRIGGERED = model(
    {
        "acknowledged": BOOL,
        "status": one_of(
            "error",
            "trigger_not_active",
            "no_workflow_active_steps_defined",
            "no_workflow_steps_defined",
            "processed",
            "no_tenant_found",
            "invalid_recipients",
        ),
    },
    {"transactionId": STR, "error": listed(STR)},
)

SUBSCRIBER = model(
    {
        "subscriberId": STR,
        "_organizationId": STR,
        "_environmentId": STR,
        "deleted": BOOL,
        "createdAt": STR,
        "updatedAt": STR,
    },
    {
        "_id": STR,
        "channels": listed(
            model(
                {
                    "providerId": PUSH_PROVIDER,
                    "credentials": model({}, {"webhookUrl": STR, "deviceTokens": listed(STR)}),
                    "_integrationId": STR,
                },
                {"integrationIdentifier": STR},
            )
        ),
    },
    {
        **dict.fromkeys(
            ("firstName", "lastName", "email", "phone", "avatar", "locale", "timezone", "lastOnlineAt"), STR
        ),
        "isOnline": BOOL,
        "data": OBJECT,
    },
)
SUBSCRIBER_PAGE = cursor_page(SUBSCRIBER)
_NAMED = model({"subscriberId": STR})
SUBSCRIBERS_IN_BULK = model(
    {
        "updated": listed(_NAMED),
        "created": listed(_NAMED),
        "failed": listed(model({}, {"message": STR, "subscriberId": STR})),
    }
)
REMOVED = model({"acknowledged": BOOL, "status": STR})

INTEGRATION = model(
    {
        "_environmentId": STR,
        "_organizationId": STR,
        "name": STR,
        "identifier": STR,
        "providerId": STR,
        "active": BOOL,
        "deleted": BOOL,
        "primary": BOOL,
    },
    {
        "_id": STR,
        "channel": CHANNEL,
        "credentials": {"type": "object", "additionalProperties": {"type": ["string", "boolean", "object"]}},
        "configurations": OBJECT,
        "conditions": listed(OBJECT),
    },
)

_CONTROLS = model({}, {"skip": OBJECT, "subject": STR, "body": STR})
_PREFERENCES = model(
    {"all": model({}, {"enabled": BOOL, "readOnly": BOOL}), "channels": {"additionalProperties": OBJECT}}
)
WORKFLOW = model(
    {
        **dict.fromkeys(("name", "_id", "workflowId", "slug", "updatedAt", "createdAt"), STR),
        "steps": listed(
            model(
                {
                    **dict.fromkeys(("stepId", "_id", "name", "slug", "workflowId"), STR),
                    "workflowDatabaseId": STR,
                    "controls": model({"values": _CONTROLS}),
                    "variables": OBJECT,
                    "type": one_of("push"),
                    "origin": ORIGIN,
                },
                {"controlValues": _CONTROLS},
            )
        ),
        "origin": ORIGIN,
        "preferences": model({"default": _PREFERENCES}, {}, {"user": _PREFERENCES}),
        "status": WORKFLOW_STATUS,
        "severity": SEVERITY,
    },
    {
        "description": STR,
        "tags": listed(STR),
        "active": BOOL,
        "validatePayload": BOOL,
        "isTranslationEnabled": BOOL,
    },
    {"payloadSchema": OBJECT},
)
WORKFLOW_LIST = model(
    {
        "workflows": listed(
            model(
                {
                    **dict.fromkeys(("name", "updatedAt", "createdAt", "_id", "workflowId", "slug"), STR),
                    "status": WORKFLOW_STATUS,
                    "origin": ORIGIN,
                    "stepTypeOverviews": listed(STEP_TYPE),
                    "steps": listed(model({"slug": STR, "type": STR})),
                },
                {"tags": listed(STR), "isTranslationEnabled": BOOL},
            )
        ),
        "totalCount": NUM,
    }
)

_PAGE: Json = {"hasMore": BOOL, "pageSize": NUM, "page": NUM}
MESSAGE = model(
    {
        **dict.fromkeys(("_environmentId", "_organizationId", "_notificationId"), STR),
        **dict.fromkeys(("_subscriberId", "createdAt", "transactionId"), STR),
        "channel": CHANNEL,
        "read": BOOL,
        "seen": BOOL,
        "cta": OBJECT,
        "status": one_of("sent", "error", "warning"),
    },
    {
        **dict.fromkeys(("_id", "templateIdentifier", "title", "errorId", "errorText"), STR),
        "providerId": PUSH_PROVIDER,
        "deliveredAt": listed(STR),
        "deviceTokens": listed(STR),
        "contextKeys": listed(STR),
    },
    {"_templateId": STR, "content": STR},
)
MESSAGE_PAGE = model({**_PAGE, "data": listed(MESSAGE)})
_JOB = model(
    {
        "_id": STR,
        "type": STEP_TYPE,
        "executionDetails": listed(
            model(
                {
                    "_id": STR,
                    "status": one_of("Success", "Warning", "Failed", "Pending", "Queued", "ReadConfirmation"),
                    "detail": STR,
                    "isRetry": BOOL,
                    "isTest": BOOL,
                    "source": one_of("Credentials", "Internal", "Payload", "Webhook"),
                },
                {"createdAt": STR, "providerId": PUSH_PROVIDER},
                {"raw": STR},
            )
        ),
        "step": model({"_id": STR, "active": BOOL, "filters": listed(OBJECT), "_templateId": STR}),
        "providerId": one_of(*PUSH_PROVIDER["enum"], "novu"),
        "status": one_of(
            *("pending", "queued", "running", "completed", "failed", "delayed", "canceled", "merged"),
            "skipped",
        ),
    },
    {"updatedAt": STR},
)
NOTIFICATION = model(
    dict.fromkeys(("_environmentId", "_organizationId", "_subscriberId", "transactionId"), STR),
    {
        **dict.fromkeys(("_id", "_templateId", "createdAt", "updatedAt"), STR),
        "channels": listed(STEP_TYPE),
        "subscriber": model(
            {"subscriberId": STR, "_id": STR},
            dict.fromkeys(("firstName", "lastName", "email", "phone"), STR),
        ),
        "template": model(
            {
                "name": STR,
                "triggers": listed(
                    model({"type": one_of("event"), "identifier": STR, "variables": listed(OBJECT)})
                ),
            },
            {"_id": STR, "origin": ORIGIN},
        ),
        "jobs": listed(_JOB),
        "payload": OBJECT,
        "tags": listed(STR),
        "to": OBJECT,
        "severity": SEVERITY,
    },
)
NOTIFICATION_PAGE = model({**_PAGE, "data": listed(NOTIFICATION)})

ENVIRONMENT = model(
    dict.fromkeys(("_id", "name", "_organizationId", "identifier"), STR),
    {"apiKeys": listed(model({"key": STR, "_userId": STR})), "_parentId": STR, "slug": STR},
    {"type": one_of("dev", "prod")},
)

_CHANNEL_CHOICES = model({}, dict.fromkeys(CHANNEL["enum"], BOOL))
_DAY = model({"isEnabled": BOOL}, {"hours": listed(model({"start": STR, "end": STR}))})
_WEEK = model(
    {},
    dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), _DAY),
)
_SCHEDULE = model({"isEnabled": BOOL}, {"weeklySchedule": _WEEK})
_OVERRIDE = model({"channel": CHANNEL, "source": one_of("subscriber", "template", "workflowOverride")})
_WORKFLOW_INFO = model({"slug": STR, "identifier": STR, "name": STR}, {"updatedAt": STR})
PREFERENCES = model(
    {
        "global": model({"enabled": BOOL, "channels": _CHANNEL_CHOICES}, {"schedule": _SCHEDULE}),
        "workflows": listed(
            model(
                {
                    "enabled": BOOL,
                    "channels": _CHANNEL_CHOICES,
                    "overrides": listed(_OVERRIDE),
                    "workflow": _WORKFLOW_INFO,
                },
                {"updatedAt": STR},
            )
        ),
    }
)
_PREFERENCE_WORKFLOW = model(
    {"id": STR, "identifier": STR, "name": STR, "critical": BOOL, "severity": SEVERITY},
    {"tags": listed(STR), "data": OBJECT},
)
CHOSEN_PREFERENCE = model(
    {"level": one_of("global", "template"), "enabled": BOOL, "channels": _CHANNEL_CHOICES},
    {},
    {"workflow": _PREFERENCE_WORKFLOW, "condition": OBJECT},
)

_RESULT: Json = {"resourceType": one_of("REGULAR", "ECHO", "BRIDGE"), "resourceId": STR, "resourceName": STR}
PUBLISHED = model(
    {
        "results": listed(
            model(
                {
                    "resourceType": one_of("REGULAR", "ECHO", "BRIDGE"),
                    "successful": listed(
                        model({**_RESULT, "action": one_of("created", "updated", "skipped", "deleted")})
                    ),
                    "failed": listed(model({**_RESULT, "error": STR})),
                    "skipped": listed(model({**_RESULT, "reason": STR})),
                    "totalProcessed": NUM,
                }
            )
        ),
        "summary": model(dict.fromkeys(("resources", "successful", "failed", "skipped"), NUM)),
    }
)
_REF = model({}, {}, {"id": STR, "name": STR, "updatedAt": STR})
_CHANGE = model(
    {
        "resourceType": one_of("REGULAR", "ECHO", "BRIDGE"),
        "action": one_of("added", "modified", "deleted", "unchanged", "moved"),
    },
    {"diffs": OBJECT, "stepType": STR, "previousIndex": NUM, "newIndex": NUM},
    {"sourceResource": _REF, "targetResource": _REF},
)
DIFF = model(
    {
        "sourceEnvironmentId": STR,
        "targetEnvironmentId": STR,
        "resources": listed(
            model(
                {
                    "resourceType": one_of("REGULAR", "ECHO", "BRIDGE"),
                    "changes": listed(_CHANGE),
                    "summary": model(dict.fromkeys(("added", "modified", "deleted", "unchanged"), NUM)),
                },
                {},
                {"sourceResource": _REF, "targetResource": _REF},
            )
        ),
        "summary": model({"totalEntities": NUM, "totalChanges": NUM, "hasChanges": BOOL}),
    }
)
_ISSUE = model(
    {"issueType": one_of("ILLEGAL_VARIABLE_IN_CONTROL_VALUE", "MISSING_VALUE"), "message": STR},
    {"variableName": STR, "severity": one_of("error", "warning")},
)
STEP_DETAIL = model(
    {
        **dict.fromkeys(("stepId", "_id", "name", "slug", "workflowId", "workflowDatabaseId"), STR),
        "type": STEP_TYPE,
        "origin": ORIGIN,
        "controls": model({}, {"dataSchema": OBJECT, "uiSchema": OBJECT}),
        "variables": OBJECT,
    },
    {
        "controlValues": OBJECT,
        "issues": model({}, {"controls": {"type": "object", "additionalProperties": listed(_ISSUE)}}),
    },
)
PREVIEW = model(
    {
        "previewPayloadExample": model(
            {}, dict.fromkeys(("subscriber", "actor", "payload", "context"), OBJECT)
        ),
        "result": OBJECT,
    }
)

TRANSLATION = model(
    {
        **dict.fromkeys(("resourceId", "locale", "createdAt", "updatedAt"), STR),
        "resourceType": one_of("workflow", "layout"),
        "content": OBJECT,
    }
)
TRANSLATION_GROUP = model(
    {
        **dict.fromkeys(("resourceId", "resourceName", "createdAt", "updatedAt"), STR),
        "resourceType": one_of("workflow", "layout"),
        "locales": listed(STR),
    },
    {"outdatedLocales": listed(STR)},
)
UPLOADED = model(
    {**dict.fromkeys(("totalFiles", "successfulUploads", "failedUploads"), NUM), "errors": listed(STR)}
)
MASTER = model({"workflows": OBJECT, "layouts": OBJECT})
IMPORTED = model({"success": BOOL, "message": STR}, {"successful": listed(STR), "failed": listed(STR)})

_EMAIL = model({"body": STR, "editorType": one_of("html", "block")})
LAYOUT = model(
    {
        **dict.fromkeys(("_id", "layoutId", "slug", "name", "createdAt", "updatedAt"), STR),
        **dict.fromkeys(("isDefault", "isTranslationEnabled"), BOOL),
        "origin": ORIGIN,
        "type": one_of("REGULAR", "ECHO", "BRIDGE"),
        "controls": model({"values": model({}, {"email": _EMAIL})}, {"dataSchema": OBJECT}),
    },
    {},
    {"variables": OBJECT},
)
LAYOUTS = model({"layouts": listed(LAYOUT), "totalCount": NUM})
LAYOUT_PREVIEW = model(
    {
        "previewPayloadExample": model({}, {"subscriber": OBJECT}),
        "result": model({}, {"type": one_of("email"), "preview": model({"body": STR})}),
    },
    {},
    {"schema": OBJECT},
)
USAGE = model({"workflows": listed(model({"name": STR, "workflowId": STR}))})

_EVENT = model(
    {
        "status": one_of(
            *("opened", "rejected", "sent", "deferred", "delivered", "bounced", "dropped", "clicked"),
            *("blocked", "spam", "unsubscribed", "delayed", "complaint", "created", "accepted", "queued"),
            *("sending", "failed", "undelivered", "dismissed"),
        ),
        "date": STR,
    },
    {"externalId": STR, "attempts": NUM, "response": STR, "row": STR},
)
TRACKED = model({"id": STR, "event": _EVENT})

VARIABLE = model(
    {
        **dict.fromkeys(("_id", "_organizationId", "key", "type", "createdAt", "updatedAt"), STR),
        "isSecret": BOOL,
        "values": listed(model({"_environmentId": STR, "value": STR})),
    }
)

CONTEXT = model({"type": STR, "id": STR, "data": OBJECT, "createdAt": STR, "updatedAt": STR})

CONTEXTS = cursor_page(CONTEXT)

_OWNED = {
    **dict.fromkeys(("identifier", "createdAt", "updatedAt"), STR),
    "contextKeys": listed(STR),
    "channel": nullable(CHANNEL),
    "providerId": nullable(PUSH_PROVIDER),
    "integrationIdentifier": nullable(STR),
    "subscriberId": nullable(STR),
}
CONNECTION = model(
    {
        **_OWNED,
        "workspace": model({"id": STR}, {"name": STR, "botUserId": STR}),
        "auth": model({"accessToken": STR}, dict.fromkeys(("refreshToken", "expiresAt"), STR)),
    }
)
ENDPOINT = model({**_OWNED, "type": STR, "endpoint": OBJECT, "connectionIdentifier": nullable(STR)})
