"""Every code of the providers' references has its outcome: what a reply says, not which table holds it."""

import msgspec
import pytest

from clarion.model.http import HttpReply
from clarion.model.outcome import Outcome
from clarion.model.push import PushMessage
from clarion.providers import apns, expo, fcm, huawei, onesignal, pusher_beams, pushpad, web_push
from clarion.providers.registry import PROVIDERS
from rejections import (
    APNS,
    APPLE_AND_GOOGLE,
    AWAY,
    BY_STATUS,
    EXPO_REQUESTS,
    EXPO_TICKETS,
    FCM,
    HUAWEI,
    MOZILLA,
    SETUP,
    UNKNOWN,
)


def fcm_error(code: str) -> dict[str, object]:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    return {"error": {"message": "no", "details": [{"@type": kind, "errorCode": code}]}}


CASES = [
    *(("fcm", status, fcm_error(code), wanted) for (code, status), wanted in FCM.items()),
    *(("apns", status, {"reason": code}, wanted) for (code, status), wanted in APNS.items()),
    *(
        ("expo", 200, {"data": {"status": "error", "message": "no", "details": {"error": code}}}, wanted)
        for code, wanted in EXPO_TICKETS.items()
    ),
    *(
        ("expo", status, {"errors": [{"code": code, "message": "no"}]}, wanted)
        for (code, status), wanted in EXPO_REQUESTS.items()
    ),
    ("expo", 401, {"error": "invalid_token", "error_description": "no"}, SETUP),
    ("expo", 418, {"errors": [{"code": "NEW", "message": "no", "isTransient": True}]}, AWAY),
    ("expo", 418, {"errors": [{"code": "NEW", "message": "no"}]}, UNKNOWN),
    *(("huawei", 200, {"code": code, "msg": "no"}, wanted) for code, wanted in HUAWEI.items()),
    *(("web-push", status, {"errno": code}, wanted) for (code, status), wanted in MOZILLA.items()),
    *(("web-push", status, {"reason": code}, wanted) for (code, status), wanted in APPLE_AND_GOOGLE.items()),
    ("pusher-beams", 400, {"error": "Incomplete Request", "description": "no"}, SETUP),
    *(
        (provider, status, {}, wanted)
        for provider, statuses in BY_STATUS.items()
        for status, wanted in statuses.items()
    ),
]


@pytest.mark.parametrize(("provider", "status", "body", "wanted"), CASES)
def test_a_code_of_the_reference_has_its_outcome(
    provider: str, status: int, body: dict[str, object], wanted: Outcome
) -> None:
    reply = HttpReply(status, {"content-type": "application/json"}, msgspec.json.encode(body))
    verdict = PROVIDERS[provider].read(reply, PushMessage("Title", "Body"))
    assert verdict.outcome is wanted, verdict
    assert verdict.explanation


@pytest.mark.parametrize(
    ("table", "tried"),
    [
        (fcm.BY_ERROR_CODE, {code for code, _ in FCM}),
        (apns.BY_REASON, {code for code, _ in APNS}),
        (expo.BY_DETAIL, set(EXPO_TICKETS)),
        (expo.BY_CODE, {code for code, _ in EXPO_REQUESTS} | {"invalid_token"}),
        (huawei.BY_CODE, set(HUAWEI)),
        (web_push.BY_ERRNO, {code for code, _ in MOZILLA}),
        (web_push.BY_REASON, {code for code, _ in APPLE_AND_GOOGLE}),
        (onesignal.BY_STATUS, set(BY_STATUS["one-signal"])),
        (pusher_beams.BY_STATUS, set(BY_STATUS["pusher-beams"])),
        (pushpad.BY_STATUS, set(BY_STATUS["pushpad"])),
        (web_push.BY_STATUS, set(BY_STATUS["web-push"])),
    ],
)
def test_no_row_of_a_table_goes_untried(table: dict[object, object], tried: set[object]) -> None:
    assert set(table) <= tried
