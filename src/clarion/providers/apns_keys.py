"""Who sends to APNs: a key that signs tokens, or a certificate.

https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
"""

import base64
import re
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from clarion.errors import CredentialsInvalid
from clarion.model.clock import SECOND, Millis
from clarion.model.http import ClientIdentity
from clarion.model.push import Json
from clarion.providers.key_files import NOT_READABLE
from clarion.providers.port import Credentials


class ApnsKey(Credentials, frozen=True):
    """A .p8 key (PEM, EC P-256) and whose it is, or a certificate; the app and environment it sends for."""

    private_key: str
    key_id: str
    team_id: str
    bundle_id: str
    production: bool
    identity: ClientIdentity | None = None

    public = ("key_id", "team_id", "bundle_id", "production")


_ID = re.compile("[A-Z0-9]{10}")
_BUNDLE = re.compile("[A-Za-z0-9._-]+")
_LABEL = re.compile("-----BEGIN ([A-Z0-9 ]+)-----")
_FRAMED = re.compile("-----BEGIN ((?:EC )?PRIVATE KEY)-----(.*)-----END \\1-----", re.DOTALL)
_ESCAPED = re.compile(r"\\+[rn]")
_AROUND = " \t\r\n\"'"
_PKCS12 = b"\x02\x01\x03\x30"
"""How a PKCS #12 file goes on after its outer length: version 3, then a sequence (RFC 7292, 4)."""

_PASTE = "paste the whole .p8 file from Apple, its BEGIN line to its END line"
_NO_CERTIFICATE = (
    "this is a certificate: give it as certificate, the .p12 file in base64, or make a .p8 key instead"
)


def read_key(stored: Json) -> ApnsKey:
    """What was stored: a certificate where there is one, else a key; `CredentialsInvalid` names the field."""
    return _by_certificate(stored) if stored.get("certificate") else _by_key(stored)


def signed_token(key: ApnsKey, issued: Millis) -> str:
    """The JWT of a key as of a moment. The signature is deterministic (RFC 6979), so every process makes the
    same."""
    head = _encoded({"alg": "ES256", "kid": key.key_id})
    claims = _encoded({"iss": key.team_id, "iat": issued // SECOND})
    return f"{head}.{claims}.{_signature(key, f'{head}.{claims}'.encode())}"


def _text(stored: Json, key: str, form: re.Pattern[str], reason: str) -> str:
    value = stored.get(key)
    text = value.strip() if isinstance(value, str) else ""
    if not form.fullmatch(text):
        raise CredentialsInvalid(key, reason)
    return text


def _by_key(stored: Json) -> ApnsKey:
    return ApnsKey(
        private_key=_private_key(stored.get("secretKey")),
        key_id=_text(stored, "apiKey", _ID, "give the Key ID: 10 capital letters and digits"),
        team_id=_text(stored, "projectName", _ID, "give the Team ID: 10 capital letters and digits"),
        bundle_id=_text(stored, "applicationId", _BUNDLE, "give the app's Bundle ID, com.example.app"),
        production=_switch(stored.get("secure")),
    )


def _by_certificate(stored: Json) -> ApnsKey:
    """Credentials that are a certificate: the .p12 file in base64, and its password."""
    return ApnsKey(
        private_key="",
        key_id="",
        team_id="",
        bundle_id=_text(stored, "applicationId", _BUNDLE, "give the app's Bundle ID, com.example.app"),
        production=_switch(stored.get("secure")),
        identity=_identity(stored.get("certificate"), str(stored.get("certificatePassword") or "")),
    )


def _identity(value: Any, password: str) -> ClientIdentity:
    try:
        der = base64.b64decode("".join(value.split()) if isinstance(value, str) else "", validate=True)
    except ValueError:
        raise CredentialsInvalid("certificate", "paste the .p12 file in base64") from None
    try:
        key, certificate, others = load_key_and_certificates(der, password.encode() or None)
    except NOT_READABLE as error:
        wrong = "certificatePassword" if "password" in str(error).lower() else "certificate"
        reason = "it doesn't open the .p12 file" if wrong == "certificatePassword" else "it is no .p12 file"
        raise CredentialsInvalid(wrong, reason) from None
    if key is None or certificate is None:
        raise CredentialsInvalid("certificate", "export the certificate together with its private key")
    chain = b"".join(item.public_bytes(Encoding.PEM) for item in (certificate, *others))
    own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ClientIdentity(certificate.fingerprint(hashes.SHA256()).hex(), chain + own)


def _switch(value: Any) -> bool:
    known = {None: False, "": False, "false": False, "true": True}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str | None) or value not in known:
        raise CredentialsInvalid("secure", "give true for production or false for the sandbox")
    return known[value]


def _private_key(value: Any) -> str:
    """The key as PEM, mended where only its line breaks are broken."""
    text = _ESCAPED.sub("\n", value).strip(_AROUND) if isinstance(value, str) else ""
    if not text:
        raise CredentialsInvalid("secretKey", _PASTE)
    der = _der(text)
    try:
        key = load_der_private_key(der, None)
    except NOT_READABLE:
        raise CredentialsInvalid("secretKey", f"it is not a private key: {_PASTE}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CredentialsInvalid(
            "secretKey", "it is not an APNs key, which is an elliptic curve key on P-256"
        )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _der(text: str) -> bytes:
    """What stands between the frame's lines. Without any frame there is no doubt either."""
    label = _LABEL.search(text)
    if "CERTIFICATE" in text:
        raise CredentialsInvalid("secretKey", _NO_CERTIFICATE)
    if label and label[1].startswith("ENCRYPTED"):
        raise CredentialsInvalid("secretKey", "the key is encrypted: paste the .p8 file as Apple gave it")
    framed = _FRAMED.fullmatch(text)
    inner = framed[2] if framed else text
    try:
        der = base64.b64decode("".join(inner.split()), validate=True)
    except ValueError:
        raise CredentialsInvalid("secretKey", f"it is incomplete or changed: {_PASTE}") from None
    if _PKCS12 in der[:10]:
        raise CredentialsInvalid("secretKey", _NO_CERTIFICATE)
    return der


def _encoded(document: Json) -> str:
    return _base64url(msgspec.json.encode(document))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(credentials: ApnsKey, signed: bytes) -> str:
    """ES256 (RFC 7518, 3.4): r and s, 32 bytes each."""
    key = load_pem_private_key(credentials.private_key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return _base64url(b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der)))
