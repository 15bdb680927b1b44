"""Google's token endpoint for service accounts: the JWT bearer grant (RFC 7523), checked strictly."""

import secrets
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple
from urllib.parse import parse_qs

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clarion.model.clock import SECOND, Clock, Millis
from clarion.testing.exchange import Reply, Request, json_reply
from clarion.testing.signatures import SIGNATURE_ONLY

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/firebase.messaging",
        "https://www.googleapis.com/auth/cloud-platform",
    }
)
MOST_ASSERTION_SECONDS = 3600
MOST_SECONDS_AHEAD = 300

_FORM = "application/x-www-form-urlencoded"


class Claims(msgspec.Struct, frozen=True):
    """What an assertion must say; times in seconds since 1970."""

    iss: str
    aud: str
    scope: str
    iat: int
    exp: int


class Granted(NamedTuple):
    """An access token's project, and when the token ends."""

    project: str
    expires_at: Millis


class _Refused(Exception):
    """A token request that gets no token; `code` is OAuth's."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class TokenEndpoint:
    """Issues random access tokens to the service accounts it made itself.

    `lifetime` (seconds) may be changed at any time; `mints` counts the tokens issued.
    """

    def __init__(self, token_uri: str, lifetime: int, clock: Clock) -> None:
        self.lifetime = lifetime
        self.mints = 0
        self._token_uri = token_uri
        self._clock = clock
        self._key_id = secrets.token_hex(20)
        self._projects: dict[str, str] = {}
        self._granted: dict[str, Granted] = {}

    @cached_property
    def _key(self) -> RSAPrivateKey:
        return generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _private_pem(self) -> str:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def service_account(self, project: str) -> str:
        """A service account document of the project, as Firebase's console gives it for download."""
        email = f"clarion@{project}.iam.gserviceaccount.com"
        self._projects[email] = project
        document = {
            "type": "service_account",
            "project_id": project,
            "private_key_id": self._key_id,
            "private_key": self._private_pem,
            "client_email": email,
            "token_uri": self._token_uri,
            "universe_domain": "googleapis.com",
        }
        return msgspec.json.encode(document).decode()

    def granted(self, access_token: str) -> Granted | None:
        """What a token was granted for; None when it is unknown, revoked or past its end."""
        granted = self._granted.get(access_token)
        return granted if granted is not None and granted.expires_at > self._clock() else None

    def revoke_all(self) -> None:
        """Make every token issued so far invalid."""
        self._granted.clear()

    def handle(self, request: Request) -> Reply:
        if request.method != "POST":
            return json_reply(405, {"error": "invalid_request"}, ("allow", "POST"))
        try:
            claims = self._verified(_assertion(request))
            return self._mint(self._projects[claims.iss])
        except _Refused as refused:
            return json_reply(400, {"error": refused.code, "error_description": refused.description})

    def _mint(self, project: str) -> Reply:
        self.mints += 1
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self._granted[token] = Granted(project, self._clock() + self.lifetime * SECOND)
        return json_reply(200, {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"})

    def _verified(self, assertion: str) -> Claims:
        try:
            if jwt.get_unverified_header(assertion).get("kid", self._key_id) != self._key_id:
                raise _Refused("invalid_grant", "The header's kid names a key this account doesn't have.")
            claims = jwt.decode(assertion, self._key.public_key(), ["RS256"], options=SIGNATURE_ONLY)
            known = msgspec.convert(claims, Claims)
        except jwt.InvalidTokenError:
            raise _Refused("invalid_grant", "Invalid JWT Signature.") from None
        except msgspec.ValidationError as error:
            raise _Refused("invalid_grant", f"The assertion's claims are wrong: {error}") from None
        if known.iss not in self._projects:
            raise _Refused("invalid_grant", "Invalid grant: account not found")
        now = self._clock() // SECOND
        for holds, code, description in _RULES:
            if not holds(known, self._token_uri, now):
                raise _Refused(code, description)
        return known


def _assertion(request: Request) -> str:
    """The form's assertion, of a form that says exactly what it must."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _Refused("invalid_request", f"The content type must be {_FORM}.")
    form = parse_qs(request.body.decode("latin-1"))
    if form.get("grant_type") != [GRANT_TYPE]:
        raise _Refused("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}.")
    assertions = form.get("assertion", [])
    if len(assertions) != 1:
        raise _Refused("invalid_request", "Exactly one assertion is needed.")
    return assertions[0]


_RULES: tuple[tuple[Callable[[Claims, str, int], bool], str, str], ...] = (
    (lambda c, uri, now: c.aud == uri, "invalid_grant", "aud must be the token endpoint's URL."),
    (
        lambda c, uri, now: 0 < c.exp - c.iat <= MOST_ASSERTION_SECONDS,
        "invalid_grant",
        "exp must be after iat, by 3600 s at most.",
    ),
    (
        lambda c, uri, now: c.iat <= now + MOST_SECONDS_AHEAD,
        "invalid_grant",
        "iat is more than 5 minutes ahead; check the clock.",
    ),
    (lambda c, uri, now: c.exp > now, "invalid_grant", "exp has passed; check the clock."),
    (
        lambda c, uri, now: not SCOPES.isdisjoint(c.scope.split()),
        "invalid_scope",
        "scope must hold one of " + ", ".join(sorted(SCOPES)),
    ),
)
"""What must hold of the claims, at a token URI and a second, and the answer when it doesn't."""
