"""What the providers' references say of their codes: each code, its HTTP status, its outcome."""

from clarion.model.outcome import Outcome

DEAD, PAYLOAD, SETUP = Outcome.TOKEN_DEAD, Outcome.PAYLOAD_REJECTED, Outcome.CREDENTIALS_REJECTED
SLOW, AWAY, UNKNOWN = Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.UNKNOWN

FCM = {
    ("UNREGISTERED", 404): DEAD,
    ("SENDER_ID_MISMATCH", 403): DEAD,
    ("THIRD_PARTY_AUTH_ERROR", 401): SETUP,
    ("APNS_AUTH_ERROR", 401): SETUP,
    ("QUOTA_EXCEEDED", 429): SLOW,
    ("UNAVAILABLE", 503): AWAY,
    ("INTERNAL", 500): AWAY,
    ("UNSPECIFIED_ERROR", 400): UNKNOWN,
    ("UNSPECIFIED_ERROR", 500): UNKNOWN,
}
APNS = {
    ("BadCollapseId", 400): PAYLOAD,
    ("BadDeviceToken", 400): DEAD,
    ("BadExpirationDate", 400): PAYLOAD,
    ("BadMessageId", 400): PAYLOAD,
    ("BadPriority", 400): PAYLOAD,
    ("BadTopic", 400): SETUP,
    ("DeviceTokenNotForTopic", 400): DEAD,
    ("DuplicateHeaders", 400): PAYLOAD,
    ("IdleTimeout", 400): AWAY,
    ("InvalidPushType", 400): PAYLOAD,
    ("MissingDeviceToken", 400): PAYLOAD,
    ("MissingTopic", 400): SETUP,
    ("PayloadEmpty", 400): PAYLOAD,
    ("TopicDisallowed", 400): SETUP,
    ("BadCertificate", 403): SETUP,
    ("BadCertificateEnvironment", 403): SETUP,
    ("ExpiredProviderToken", 403): SETUP,
    ("Forbidden", 403): SETUP,
    ("InvalidProviderToken", 403): SETUP,
    ("MissingProviderToken", 403): SETUP,
    ("UnrelatedKeyIdInToken", 403): SETUP,
    ("BadEnvironmentKeyIdInToken", 403): SETUP,
    ("BadEnvironmentKeyInToken", 403): SETUP,
    ("BadPath", 404): PAYLOAD,
    ("MethodNotAllowed", 405): PAYLOAD,
    ("ExpiredToken", 410): DEAD,
    ("Unregistered", 410): DEAD,
    ("PayloadTooLarge", 413): PAYLOAD,
    ("TooManyProviderTokenUpdates", 429): SLOW,
    ("TooManyRequests", 429): SLOW,
    ("InternalServerError", 500): AWAY,
    ("ServiceUnavailable", 503): AWAY,
    ("Shutdown", 503): AWAY,
}
EXPO_TICKETS = {
    "DeviceNotRegistered": DEAD,
    "MessageTooBig": PAYLOAD,
    "MessageRateExceeded": SLOW,
    "MismatchSenderId": SETUP,
    "InvalidCredentials": SETUP,
    "InvalidProviderToken": SETUP,
    "DeveloperError": PAYLOAD,
    "ExpoError": AWAY,
    "ProviderError": AWAY,
    "SomethingNew": UNKNOWN,
}
EXPO_REQUESTS = {
    ("PUSH_TOO_MANY_EXPERIENCE_IDS", 400): PAYLOAD,
    ("PUSH_TOO_MANY_NOTIFICATIONS", 400): PAYLOAD,
    ("PUSH_TOO_MANY_RECEIPTS", 400): PAYLOAD,
    ("VALIDATION_ERROR", 400): PAYLOAD,
    ("API_ERROR", 400): PAYLOAD,
    ("UNAUTHORIZED", 401): SETUP,
    ("UNAUTHORIZED", 403): SETUP,
    ("TOO_MANY_REQUESTS", 429): SLOW,
    ("INTERNAL_SERVER_ERROR", 500): AWAY,
}
HUAWEI = {
    "80300007": DEAD,
    "80100001": PAYLOAD,
    "80100003": PAYLOAD,
    "80100004": PAYLOAD,
    "80100013": PAYLOAD,
    "80100016": PAYLOAD,
    "80100017": SLOW,
    "80100018": PAYLOAD,
    "80200001": SETUP,
    "80200003": SETUP,
    "80200005": SETUP,
    "80300002": SETUP,
    "80300008": PAYLOAD,
    "80300010": PAYLOAD,
    "80300011": PAYLOAD,
    "80300013": SETUP,
    "80600003": AWAY,
    "81000001": AWAY,
    "89999999": UNKNOWN,
}
MOZILLA = {
    (101, 400): PAYLOAD,
    (108, 400): PAYLOAD,
    (110, 400): PAYLOAD,
    (111, 400): PAYLOAD,
    (112, 400): PAYLOAD,
    (113, 400): PAYLOAD,
    (114, 400): PAYLOAD,
    (109, 401): SETUP,
    (102, 404): DEAD,
    (103, 410): DEAD,
    (105, 410): DEAD,
    (106, 410): DEAD,
    (104, 413): PAYLOAD,
    (999, 500): AWAY,
    (900, 502): AWAY,
    (901, 502): AWAY,
    (902, 502): AWAY,
    (903, 502): AWAY,
    (201, 503): AWAY,
    (202, 503): AWAY,
}
APPLE_AND_GOOGLE = {
    ("BadTtl", 400): PAYLOAD,
    ("BadUrgency", 400): PAYLOAD,
    ("BadWebPushRequest", 400): PAYLOAD,
    ("BadWebPushTopic", 400): PAYLOAD,
    ("VapidPkHashMismatch", 400): DEAD,
    ("UnauthorizedRegistration", 400): DEAD,
    ("BadJwtToken", 403): SETUP,
    ("BadVapidPublicKey", 403): SETUP,
    ("PayloadTooLarge", 413): PAYLOAD,
    ("TooManyRequests", 429): SLOW,
}
BY_STATUS = {
    "fcm": {401: SETUP, 403: SETUP, 404: SETUP, 429: SLOW, 500: AWAY, 502: AWAY, 503: AWAY, 504: AWAY},
    "expo": {502: AWAY, 503: AWAY, 504: AWAY},
    "one-signal": {
        400: PAYLOAD, 401: SETUP, 403: SETUP, 404: PAYLOAD, 409: AWAY, 429: SLOW, 500: AWAY, 502: AWAY,
        503: AWAY, 504: AWAY,
    },
    "pusher-beams": {
        400: PAYLOAD, 401: SETUP, 402: SETUP, 404: SETUP, 422: PAYLOAD, 429: SLOW, 500: AWAY, 502: AWAY,
        503: AWAY, 504: AWAY,
    },
    "pushpad": {
        400: PAYLOAD, 401: SETUP, 402: SETUP, 403: SETUP, 404: SETUP, 422: PAYLOAD, 429: SLOW, 500: AWAY,
        502: AWAY, 503: AWAY, 504: AWAY,
    },
    "push-webhook": {
        400: PAYLOAD, 401: SETUP, 403: SETUP, 404: SETUP, 410: SETUP, 413: PAYLOAD, 422: PAYLOAD, 429: SLOW,
        500: AWAY, 502: AWAY, 503: AWAY, 504: AWAY,
    },
    "huawei": {401: SETUP, 404: SETUP, 500: AWAY, 502: AWAY, 503: SLOW},
    "web-push": {
        400: PAYLOAD, 401: SETUP, 403: SETUP, 404: DEAD, 406: SLOW, 410: DEAD, 413: PAYLOAD, 429: SLOW,
        500: AWAY, 502: AWAY, 503: AWAY, 504: AWAY,
    },
}  # fmt: skip
"""What the status alone says."""


def asked_by_code(provider: str, codes: dict[tuple[str, int], Outcome] | None = None) -> dict[str, Outcome]:
    """What a stand-in can be asked for by `code`: the codes, and the statuses that have an outcome alone."""
    statuses = {str(status): wanted for status, wanted in BY_STATUS.get(provider, {}).items()}
    return statuses | {code: wanted for (code, _), wanted in (codes or {}).items()}
