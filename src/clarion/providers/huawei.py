"""Huawei Push Kit (HMS), v1: Android with HMS Core, HarmonyOS 3 and 4.

https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
https://developer.huawei.com/consumer/en/doc/HMSCore-Guides/oauth2-0000001212610981

`huawei_receipts` holds what it tells later.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from clarion.errors import CredentialsInvalid
from clarion.model.callback import Told
from clarion.model.clock import SECOND, Millis
from clarion.model.http import HttpReply, HttpRequest, Received
from clarion.model.outcome import Outcome, Verdict
from clarion.model.push import PLAIN, Json, Presentation, PushMessage, Target, stated
from clarion.providers.huawei_receipts import GROUP, Receipts, signed, told_by
from clarion.providers.port import (
    MOST_RAW,
    WEIGHED,
    AccessToken,
    Callback,
    Credentials,
    Defaults,
    Field,
    aimed,
    decoded,
    merge,
    passed_headers,
    wait_of,
    with_passed_query,
)

ORIGIN = "https://push-api.cloud.huawei.com"
TOKEN_URL = "https://oauth-login.cloud.huawei.com/oauth2/v3/token"  # noqa: S105 - an address
MOST_BYTES = 4096
"""What `message` may hold besides its tokens, as UTF-8 JSON."""

SUCCESS = "80000000"
PARTIAL = "80100000"

BY_CODE: dict[str, tuple[Outcome, str]] = {
    "80300007": (
        Outcome.TOKEN_DEAD,
        "The token is invalid or belongs to another app; check the app id if every device answers so.",
    ),
    "80100001": (Outcome.PAYLOAD_REJECTED, "Huawei refused a parameter; see the answer for its name."),
    "80100003": (Outcome.PAYLOAD_REJECTED, "Huawei refused the message's structure; see the answer."),
    "80100004": (Outcome.PAYLOAD_REJECTED, 'android.ttl is wrong: it is seconds as text, like "3600s".'),
    "80100013": (Outcome.PAYLOAD_REJECTED, "android.collapse_key is wrong: it is a number from -1 to 100."),
    "80100016": (Outcome.PAYLOAD_REJECTED, "Huawei judged the content sensitive; word it otherwise."),
    "80100017": (Outcome.THROTTLED, "More than 100 messages to topics are under way."),
    "80100018": (Outcome.PAYLOAD_REJECTED, "Huawei's review refused the signature in the content."),
    "80200001": (Outcome.CREDENTIALS_REJECTED, "Huawei refused the access token; check app id and secret."),
    "80200003": (Outcome.CREDENTIALS_REJECTED, "The access token expired; check this machine's clock."),
    "80200005": (Outcome.CREDENTIALS_REJECTED, "The JWT expired; check this machine's clock."),
    "80300002": (
        Outcome.CREDENTIALS_REJECTED,
        "The app may not send; enable Push Kit for it and for the region of its users.",
    ),
    "80300008": (Outcome.PAYLOAD_REJECTED, "The message is larger than 4,096 bytes."),
    "80300010": (Outcome.PAYLOAD_REJECTED, "The message names no token or more than 1,000."),
    "80300011": (
        Outcome.PAYLOAD_REJECTED,
        "The app may not send with urgency HIGH; leave it out or apply for it at Huawei.",
    ),
    "80300013": (Outcome.CREDENTIALS_REJECTED, "The receipt address is wrong; correct it in the console."),
    "80600003": (Outcome.UNAVAILABLE, "Huawei's account server failed."),
    "81000001": (Outcome.UNAVAILABLE, "Huawei had an internal error."),
}
"""The answer's `code` → what it means, whatever the HTTP status."""

BY_STATUS: dict[int, tuple[Outcome, str]] = {
    400: (Outcome.PAYLOAD_REJECTED, "Huawei refused the request; see the answer."),
    401: (Outcome.CREDENTIALS_REJECTED, "Huawei refused the access token; check app id and secret."),
    404: (Outcome.CREDENTIALS_REJECTED, "Huawei knows no such app; check the app id."),
    500: (Outcome.UNAVAILABLE, "Huawei had an internal error."),
    502: (Outcome.UNAVAILABLE, "A front end of Huawei had trouble."),
    503: (Outcome.THROTTLED, "Huawei controls the flow: the app sends too fast."),
}
"""HTTP status → what it means when there is no known code."""

BY_SUB_ERROR: dict[str, str] = {
    "12304": "Huawei refused the client secret; copy it again from AppGallery Connect.",
    "20002": "The client id is malformed; it is a number of at most 64 digits.",
    "20003": "Huawei knows no such client id; check applicationId.",
    "20171": "Huawei misses the client secret; set secretKey.",
}
"""`sub_error` of a refused token request → what to do."""

BY_TOKEN_STATUS: dict[int, tuple[Outcome, str]] = {
    403: (Outcome.CREDENTIALS_REJECTED, "Huawei's account server refuses this network; see its policy."),
    500: (Outcome.UNAVAILABLE, "Huawei's account server had an internal error."),
    502: (Outcome.UNAVAILABLE, "Huawei's account server had trouble."),
    503: (Outcome.THROTTLED, "Huawei's account server controls the flow."),
    504: (Outcome.UNAVAILABLE, "Huawei's account server had trouble."),
    590: (Outcome.UNAVAILABLE, "Huawei's account server had trouble."),
}
"""HTTP status of the token endpoint → what it means."""

_STALE = frozenset({"80200001", "80200003", "80200005"})
_CLIENT_ID = re.compile("[0-9]{1,64}")
_AIMS = frozenset({"token", "topic", "condition"})
_DIRECTIONS = frozenset({"type"})
"""Overrides that say how to build the message and are not sent."""


class HuaweiCredentials(Credentials, frozen=True):
    """The OAuth client of one app, and what signs its receipts where they are set up."""

    client_id: str
    client_secret: str
    callback_user: str = ""
    callback_secret: str = ""

    public = ("client_id",)

    @property
    def receipts(self) -> bool:
        """Whether Huawei tells what becomes of messages."""
        return bool(self.callback_user and self.callback_secret)


class Huawei(Defaults):
    """Huawei Push Kit."""

    id = "huawei"
    of_triggers = _AIMS
    name = "Huawei Push Kit"
    most_bytes: int | None = MOST_BYTES
    docs = "https://developer.huawei.com/consumer/en/hms/huawei-pushkit/"
    addressed_by = "Push Kit token"
    fields = (
        Field("applicationId", "App ID", "AppGallery Connect → the project → General information; a number."),
        Field("secretKey", "Client secret", "On the same page, under OAuth 2.0 client ID.", "secret"),
        Field(
            "callbackUser",
            "Receipts: callback user name",
            "AppGallery Connect → Push Kit → Settings → message receipt. Only with receipts.",
            required=False,
        ),
        Field("callbackSecret", "Receipts: callback key", "On the same page.", "secret", False),
    )
    callback = Callback(
        "callbackSecret",
        "AppGallery Connect → the project → Grow → Push Kit → Settings → message receipt: this address, and a"
        " callback user name and key of your own, which go into the integration too.",
        thanks={"code": "0", "message": "success"},
    )
    callback_body = Receipts
    most_per_request = 1000
    shares_body = True
    setup_codes = frozenset({"80300007"})

    def credentials(self, stored: Json) -> HuaweiCredentials:
        client_id = str(stored.get("applicationId") or "").strip()
        if not _CLIENT_ID.fullmatch(client_id):
            raise CredentialsInvalid("applicationId", "give the client id of the app, a number")
        secret = str(stored.get("secretKey") or "").strip()
        if not secret:
            raise CredentialsInvalid("secretKey", "paste the client secret from AppGallery Connect")
        user, key = (str(stored.get(name) or "").strip() for name in ("callbackUser", "callbackSecret"))
        return HuaweiCredentials(client_id, secret, user, key)

    def authorize(self, credentials: HuaweiCredentials, now: Millis) -> HttpRequest:
        """The OAuth client credentials grant."""
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
        headers = (("content-type", "application/x-www-form-urlencoded"),)
        return HttpRequest("POST", TOKEN_URL, headers, urlencode(form).encode())

    def read_authorization(self, reply: HttpReply, now: Millis) -> AccessToken | Verdict:
        answer = decoded(reply.body)
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if reply.status == 200 and isinstance(token, str) and isinstance(lifetime, int):
            return AccessToken(token, now + lifetime * SECOND)
        sub_error = str(answer.get("sub_error", ""))
        outcome, explanation = _refused(reply.status, sub_error)
        wait = wait_of(reply, outcome)
        return Verdict(outcome, sub_error or f"http_{reply.status}", explanation, retry_after=wait)

    def build(
        self, credentials: HuaweiCredentials, message: PushMessage, target: Target, token: str
    ) -> HttpRequest:
        identity = {"__nvMessageId": target.message_id}
        tag = target.message_id if credentials.receipts else None
        composed = _composed(message, [target.token], target.message_id, identity, tag)
        return _request(credentials, message, composed, token)

    def weight(self, message: PushMessage) -> int:
        identity = {"__nvMessageId": WEIGHED.message_id}
        return _size(_composed(message, [], WEIGHED.message_id, identity, GROUP + WEIGHED.message_id))

    def read(self, reply: HttpReply, message: PushMessage) -> Verdict:
        answer = decoded(reply.body)
        code, request_id = str(answer.get("code", "")), str(answer.get("requestId", ""))
        raw = reply.body.decode(errors="replace")
        if code == SUCCESS:
            return Verdict(Outcome.ACCEPTED, provider_message_id=request_id)
        if code == PARTIAL:
            told = partial(answer)
            refused = bool(told.illegal_tokens) and not told.success  # of a request for one device
            verdict = _of_device(refused, told)
            return msgspec.structs.replace(
                verdict, provider_message_id=request_id, raw=_without(told.illegal_tokens, raw)[:MOST_RAW]
            )
        outcome, explanation = _classified(reply.status, code)
        return Verdict(
            outcome,
            code or f"http_{reply.status}",
            explanation,
            provider_message_id=request_id,
            retry_after=wait_of(reply, outcome),
            stale_authorization=code in _STALE or (reply.status == 401 and code not in BY_CODE),
            raw=raw[:MOST_RAW],
        )

    def batchable(self, credentials: HuaweiCredentials, message: PushMessage) -> bool:
        """Not what overrides send to others."""
        others = (message.legacy, message.override, _message_of(message.passthrough.get("body", {})))
        return not any(_AIMS & given.keys() for given in others)

    def build_many(
        self, credentials: HuaweiCredentials, messages: Sequence[tuple[PushMessage, Target]], token: str
    ) -> HttpRequest:
        message, first = messages[0]
        tag = GROUP + first.group if credentials.receipts else None
        composed = _composed(message, [target.token for _, target in messages], first.group, {}, tag)
        return _request(credentials, message, composed, token)

    def read_many(self, reply: HttpReply, messages: Sequence[tuple[PushMessage, Target]]) -> list[Verdict]:
        """Tokens that a partial failure lists are dead, the others were taken."""
        answer = decoded(reply.body)
        if str(answer.get("code", "")) != PARTIAL:
            return [self.read(reply, messages[0][0])] * len(messages)
        told = partial(answer)
        request_id = str(answer.get("requestId", ""))
        illegal = frozenset(told.illegal_tokens)
        return [
            msgspec.structs.replace(_of_device(target.token in illegal, told), provider_message_id=request_id)
            for _, target in messages
        ]

    def signed(self, credentials: HuaweiCredentials, call: Received, now: Millis) -> bool:
        """By a header; none is without the secret."""
        shown = call.headers.get("x-huawei-callback-id", "")
        user, secret = credentials.callback_user, credentials.callback_secret
        return credentials.receipts and signed(shown, user, secret, now)

    def told(self, credentials: HuaweiCredentials, said: Receipts) -> list[Told]:
        """Of each device."""
        return [told for receipt in said.statuses for told in told_by(receipt)]


def _of_device(refused: bool, told: "Partial") -> Verdict:
    """What a partial failure says of one of its devices."""
    if refused:
        return Verdict(Outcome.TOKEN_DEAD, PARTIAL, "Huawei says that the token is not valid.")
    if told.success:
        return Verdict(Outcome.ACCEPTED, PARTIAL)
    return Verdict(Outcome.UNKNOWN, PARTIAL, "Huawei refused some tokens without saying which.")


def _request(credentials: HuaweiCredentials, message: PushMessage, composed: Json, token: str) -> HttpRequest:
    passed = message.passthrough.get("body", {})
    body: Json = merge({"validate_only": False, "message": composed}, passed)
    layers = (message.legacy, message.override, _message_of(passed))
    if whole := _message_of(body):
        body["message"] = aimed(whole, _AIMS, *layers)
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json;charset=UTF-8",
    }
    headers |= passed_headers(message)
    encoded = msgspec.json.encode(body)
    return HttpRequest("POST", _url(credentials, message), tuple(headers.items()), encoded)


def _message_of(passed: Json) -> Json:
    whole = passed.get("message")
    return whole if isinstance(whole, dict) else {}


def _url(credentials: HuaweiCredentials, message: PushMessage) -> str:
    url = f"{ORIGIN}/v1/{credentials.client_id}/messages:send"
    return with_passed_query(url, message)


def _composed(
    message: PushMessage, tokens: Sequence[str], message_id: str, identity: Json, tag: str | None
) -> Json:
    """Title and body unless `type` is data; the payload where it fits; the tag that receipts name it by."""
    own = merge(_routed(message.legacy), _routed(message.override))
    data = own.pop("data", {})
    look = message.presentation
    kind = message.override.get("type", message.legacy.get("type", "data" if look.silent else None))
    shown = {} if kind == "data" else _shown(message, look.collapse_id or message_id)
    shown = shown if look is PLAIN else merge(shown, _looks(look, shows=kind != "data"))
    tagged = {"android": {"bi_tag": tag}} if tag else {}
    body: Json = merge(merge({"token": list(tokens), **shown}, tagged), own)
    if not isinstance(data, dict):
        return body | {"data": data}
    said = {"title": message.title, "body": message.body} if kind == "data" else {}
    data = said | stated(url=look.url) | data | identity
    full = body | {"data": _text(message.payload | data)}
    return full if _size(full) <= MOST_BYTES else body | {"data": _text(data)}


def _shown(message: PushMessage, message_id: str) -> Json:
    """The tag makes a repeat replace the first one; a collapse key has 100 values only, and would mix
    up different messages."""
    notification = {"title": message.title, "body": message.body, "tag": message_id}
    return {"android": {"notification": notification | {"click_action": {"type": 3}}}}


def _looks(look: Presentation, *, shows: bool) -> Json:
    """How it looks and travels. Huawei's own `category` means something else, so it is left to overrides."""
    url = look.url if look.url and look.url.startswith("https://") else None
    notification = stated(
        image=look.image,
        icon=look.icon,
        sound=look.sound,
        badge=stated(set_num=look.badge),
        channel_id=look.channel_id,
        group=look.thread,
        click_action={"type": 2, "url": url} if url else None,
    )
    urgency = None if look.high is None else "HIGH" if look.high else "NORMAL"
    ttl = None if look.ttl is None else f"{look.ttl}s"
    return stated(android=stated(urgency=urgency, ttl=ttl, notification=notification if shows else None))


def _routed(overrides: Json) -> Json:
    return {key: value for key, value in overrides.items() if key not in _DIRECTIONS}


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _size(body: Json) -> int:
    return len(msgspec.json.encode({key: value for key, value in body.items() if key != "token"}))


class Partial(msgspec.Struct, frozen=True):
    """What became of a request's tokens when Huawei refused some of them."""

    success: int = 0
    failure: int = 0
    illegal_tokens: tuple[str, ...] = ()


def partial(answer: Json) -> Partial:
    """The answer's `msg`, JSON as text; empty when it is anything else."""
    try:
        return msgspec.json.decode(str(answer.get("msg", "")), type=Partial)
    except (ValueError, RecursionError):
        return Partial()


def _without(tokens: tuple[str, ...], raw: str) -> str:
    """The answer with its tokens cut to their beginning."""
    for token in tokens:
        raw = raw.replace(token, f"{token[:6]}…") if token else raw
    return raw


def _classified(status: int, code: str) -> tuple[Outcome, str]:
    if code in BY_CODE:
        return BY_CODE[code]
    if not code and status in BY_STATUS:
        return BY_STATUS[status]
    if status >= 400 and status in BY_STATUS and BY_STATUS[status][0].retryable:
        return BY_STATUS[status]
    return Outcome.UNKNOWN, f"Huawei answered {code or status}, which its documentation doesn't list."


def _refused(status: int, sub_error: str) -> tuple[Outcome, str]:
    if sub_error in BY_SUB_ERROR:
        return Outcome.CREDENTIALS_REJECTED, BY_SUB_ERROR[sub_error]
    if status in BY_TOKEN_STATUS:
        return BY_TOKEN_STATUS[status]
    if 400 <= status < 500:
        return Outcome.CREDENTIALS_REJECTED, "Huawei refused the client id or the client secret."
    return Outcome.UNKNOWN, f"Huawei's account server answered {status}."
