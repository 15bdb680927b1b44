"""A strict stand-in of Firebase Cloud Messaging, HTTP v1, and of the token endpoint it needs.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
"""

import re
import secrets
from typing import Any

import msgspec

from clarion.model.clock import Clock, Millis, system_clock
from clarion.model.push import Json
from clarion.testing.emulator import Emulator
from clarion.testing.exchange import Answer, Reply, Request, json_reply
from clarion.testing.faults import Faults, Word, by_code, spelled
from clarion.testing.fcm_fields import Problem, Submission, checked, reach
from clarion.testing.oauth import TOKEN_URI, TokenEndpoint

MOST_TOKEN_LENGTH = 4096

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_TYPE = "type.googleapis.com/"
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


def _error(status: int, message: str, *details: Json, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    error: Json = {"code": status, "message": message, "status": _STATUSES.get(status, "INTERNAL")}
    if details:
        error["details"] = list(details)
    return json_reply(status, {"error": error}, *headers)


def _fcm_error(code: str) -> Json:
    return {"@type": f"{_TYPE}google.firebase.fcm.v1.FcmError", "errorCode": code}


_UNREGISTERED = _error(404, "Requested entity was not found.", _fcm_error("UNREGISTERED"))
_MALFORMED = _error(
    400, "The registration token is not a valid FCM registration token", _fcm_error("INVALID_ARGUMENT")
)
_OTHER_SENDER = _error(403, "SenderId mismatch", _fcm_error("SENDER_ID_MISMATCH"))

CODES = by_code(
    {
        code: _error(status, code, _fcm_error(code))
        for code, status in {
            "UNREGISTERED": 404,
            "SENDER_ID_MISMATCH": 403,
            "INVALID_ARGUMENT": 400,
            "THIRD_PARTY_AUTH_ERROR": 401,
            "APNS_AUTH_ERROR": 401,
            "QUOTA_EXCEEDED": 429,
            "UNAVAILABLE": 503,
            "INTERNAL": 500,
            "UNSPECIFIED_ERROR": 500,
        }.items()
    },
    lambda status: _error(status, f"Error {status}"),
)
"""What a token can ask for by `code`."""

REFUSALS: dict[Word, Reply] = {
    Word.DEAD: _UNREGISTERED,
    Word.MALFORMED: _MALFORMED,
    Word.OTHERSENDER: _OTHER_SENDER,
    Word.IOSNOKEY: _error(
        401,
        "Auth error from APNS or Web Push Service",
        _fcm_error("THIRD_PARTY_AUTH_ERROR"),
        {
            "@type": f"{_TYPE}google.firebase.fcm.v1.ApnsError",
            "statusCode": 403,
            "reason": "InvalidProviderToken",
        },
    ),
    Word.THROTTLED: _error(
        429,
        "Quota exceeded for quota metric 'messages'",
        _fcm_error("QUOTA_EXCEEDED"),
        headers=(("retry-after", "1"),),
    ),
    Word.FLAKY: _error(503, "The service is currently unavailable.", _fcm_error("UNAVAILABLE")),
    Word.DOWN: _error(503, "The service is currently unavailable.", _fcm_error("UNAVAILABLE")),
    Word.HTML: Reply(
        502, (("content-type", "text/html; charset=UTF-8"),), b"<html><title>Error 502</title></html>"
    ),
}
"""The fault words that FCM answers with an error."""


class AcceptedMessage(msgspec.Struct, frozen=True):
    """A message FCM took. `message` is as it was sent; `token` is empty for a topic or a condition."""

    token: str
    message: Json
    at: Millis
    name: str


class FcmEmulator(Emulator[AcceptedMessage]):
    """One Firebase project, more when `service_account` is asked for others.

    Every well-formed token is registered, unless `strict_registration`. A message is accepted when its
    request is taken: a late answer (`slow`) doesn't mean that the device gets it late.
    `unavailable_retry_after` (seconds) goes with every 503; FCM often sends none.
    """

    def __init__(
        self,
        project: str = "demo-app",
        *,
        token_uri: str = TOKEN_URI,
        access_token_seconds: int = 3599,
        strict_registration: bool = False,
        unavailable_retry_after: int | None = None,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(Faults(REFUSALS, unavailable_retry_after, CODES), clock)
        self.project = project
        self.oauth = TokenEndpoint(token_uri, access_token_seconds, clock)
        self.strict_registration = strict_registration
        self._projects = {project}
        self._registered: dict[str, str] = {}

    @property
    def mints(self) -> int:
        """How many access tokens were issued."""
        return self.oauth.mints

    def service_account(self, project: str | None = None) -> str:
        """A service account document that this emulator accepts; another project becomes known by it."""
        name = project or self.project
        self._projects.add(name)
        return self.oauth.service_account(name)

    def register(self, token: str, project: str | None = None) -> None:
        """Make a token known, for this project or for another one (SENDER_ID_MISMATCH)."""
        self._registered[token] = project or self.project

    def unregister(self, token: str) -> None:
        """Make a registered token unknown again, as when the app is uninstalled."""
        self._registered.pop(token, None)

    def revoke_all(self) -> None:
        """Make every access token issued so far invalid: the next request gets 401."""
        self.oauth.revoke_all()

    async def handle(self, request: Request) -> Answer:
        """Answer a request to the token endpoint or to the send endpoint."""
        if request.route == "/token":
            return self.oauth.handle(request)
        return self._send(request)

    def _send(self, request: Request) -> Answer:
        place = _SEND.fullmatch(request.route)
        if place is None:
            return _error(404, "The requested URL was not found on this server.")
        project = place[1]
        refusal = self._not_allowed(request, project)
        submission = checked(request.body) if refusal is None else None
        if isinstance(submission, Submission):
            token, answer = submission.token, self._answer(submission, project)
        else:
            token = _token_in(request.body)
            answer = refusal or _bad_request(submission)
        self._note(token, answer)
        return answer

    def _not_allowed(self, request: Request, project: str) -> Reply | None:
        if request.method != "POST":
            return _error(405, "Use POST.", headers=(("allow", "POST"),))
        if project not in self._projects:
            return _error(404, "Requested entity was not found.")
        scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
        granted = self.oauth.granted(access_token.strip()) if scheme.lower() == "bearer" else None
        if granted is None:
            return _error(401, "Request had invalid authentication credentials.", _CREDENTIALS_EXPIRED)
        if granted.project != project:
            return _error(403, f"Permission 'cloudmessaging.messages.create' denied on '{project}'.")
        return None

    def _answer(self, submission: Submission, project: str) -> Answer:
        if reach(submission.message, "topic") or reach(submission.message, "condition"):
            return self._accept(submission, project)
        token = submission.token
        if not _well_formed(token):
            return _MALFORMED
        owner = self._registered.get(token)
        if owner is None and self.strict_registration and spelled(token) is None:
            return _UNREGISTERED
        if owner is not None and owner != project:
            return _OTHER_SENDER
        return self._faults.answer(token, lambda: self._accept(submission, project))

    def _accept(self, submission: Submission, project: str) -> Reply:
        if submission.validate_only:
            return json_reply(200, {"name": f"projects/{project}/messages/fake_message_id"})
        at = self._clock()
        name = f"projects/{project}/messages/0:{at * 1000}%{secrets.token_hex(8)}"
        self.record.add(AcceptedMessage(submission.token, submission.message, at, name))
        return json_reply(200, {"name": name})


_CREDENTIALS_EXPIRED = {
    "@type": f"{_TYPE}google.rpc.ErrorInfo",
    "reason": "ACCESS_TOKEN_EXPIRED",
    "domain": "googleapis.com",
}


def _bad_request(problem: Problem | None) -> Reply:
    assert problem is not None
    if not problem.violations:
        return _error(400, problem.message)
    named = [{"field": entry.field, "description": entry.description} for entry in problem.violations]
    return _error(400, problem.message, {"@type": f"{_TYPE}google.rpc.BadRequest", "fieldViolations": named})


def _well_formed(token: str) -> bool:
    return 0 < len(token) <= MOST_TOKEN_LENGTH and not any(letter.isspace() for letter in token)


def _token_in(body: bytes) -> str:
    """The token of a request that was refused before its fields were looked at, where it has one."""
    try:
        request: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ""
    token = reach(request, "message", "token") if isinstance(request, dict) else None
    return token if isinstance(token, str) else ""
