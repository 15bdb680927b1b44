import re
from pathlib import Path

from clarion.cli.provider_pages import _TABLES, page
from clarion.providers.registry import PROVIDERS

DOCS = Path(__file__).parents[3] / "docs"

CODES = {
    "fcm": "UNREGISTERED SENDER_ID_MISMATCH QUOTA_EXCEEDED UNAVAILABLE INTERNAL THIRD_PARTY_AUTH_ERROR",
    "apns": "BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic"
    " DeviceTokenNotForTopic DuplicateHeaders IdleTimeout InvalidPushType MissingDeviceToken MissingTopic"
    " PayloadEmpty TopicDisallowed BadCertificate BadCertificateEnvironment ExpiredProviderToken Forbidden"
    " InvalidProviderToken MissingProviderToken BadPath MethodNotAllowed ExpiredToken Unregistered"
    " PayloadTooLarge TooManyProviderTokenUpdates TooManyRequests InternalServerError ServiceUnavailable"
    " Shutdown UnrelatedKeyIdInToken BadEnvironmentKeyIdInToken",
    "expo": "DeviceNotRegistered MessageTooBig MessageRateExceeded MismatchSenderId InvalidCredentials"
    " PUSH_TOO_MANY_EXPERIENCE_IDS PUSH_TOO_MANY_NOTIFICATIONS PUSH_TOO_MANY_RECEIPTS VALIDATION_ERROR"
    " TOO_MANY_REQUESTS UNAUTHORIZED DeveloperError ExpoError ProviderError InvalidProviderToken",
    "one-signal": "400 401 403 404 429 500 503",
    "pusher-beams": "400 401 404 422 429 500",
    "pushpad": "401 402 403 404 422 429",
    "web-push": "400 401 403 404 410 413 429 500 503 102 103 105 106 109 VapidPkHashMismatch BadJwtToken"
    " dropped channelthrottled",
    "huawei": "80100003 80100004 80200001 80200003 80300002 80300007 80300008 80300010 81000001 80100017",
}
"""What each provider's documentation lists."""


def test_the_page_of_the_documentation_is_current() -> None:
    assert (DOCS / "providers.md").read_text() == page(), "clarion providers --markdown > docs/providers.md"


def test_every_documented_code_has_an_outcome_and_says_what_to_do() -> None:
    assert set(CODES) == set(_TABLES)
    for provider, codes in CODES.items():
        known = {part for table in _TABLES[provider] for code in table for part in _parts(code)}
        assert [code for code in codes.split() if code not in known] == [], provider
        for table in _TABLES[provider]:
            assert all(explanation.endswith(".") for _, explanation in table.values())


def test_every_provider_has_a_section() -> None:
    assert re.findall(r"^## .*\(`(.+)`\)$", page(), re.MULTILINE) == list(PROVIDERS)


def _parts(code: object) -> list[str]:
    return [str(part) for part in code] if isinstance(code, tuple) else [str(code)]
