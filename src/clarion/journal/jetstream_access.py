"""How Clarion shows NATS servers who it is: a `.creds` file, authorities of its own, a client certificate.

The file's format: https://docs.nats.io/using-nats/developer/connecting/creds; a seed is base32 of two
bytes of kind, 32 of an Ed25519 key and two of CRC-16/XMODEM:
https://github.com/nats-io/nkeys/blob/main/README.md
"""

import base64
import binascii
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clarion.errors import SettingsError

_BLOCK = r"-+BEGIN {}-+\s+(\S+)\s+-+END {}-+"
_JWT = re.compile(_BLOCK.format("NATS USER JWT", "NATS USER JWT"))
_SEED = re.compile(_BLOCK.format("USER NKEY SEED", "USER NKEY SEED"))
_SEED_BYTES = 36
_USER_SEED = "SU"


class Access(NamedTuple):
    """What connecting to the servers takes beside their address."""

    tls: ssl.SSLContext | None = None
    credentials: Path | None = None


ADDRESS_ONLY = Access()
"""User and password, if any, stand in the address; the system's authorities are trusted."""


class Credentials(NamedTuple):
    """A user's JWT, and the key that answers the server's challenge."""

    jwt: str
    key: Ed25519PrivateKey

    def __repr__(self) -> str:
        return "Credentials(...)"

    def token(self) -> bytes:
        """The JWT, as the client asks for it."""
        return self.jwt.encode()

    def sign(self, nonce: str) -> bytes:
        """The answer to a challenge."""
        return base64.b64encode(self.key.sign(nonce.encode()))


def credentials(file: Path) -> Credentials:
    """What a `.creds` file holds. `SettingsError` says what is wrong with it, and nothing it holds."""
    text = _read(file, "CLARION_JOURNAL_CREDENTIALS_FILE")
    jwt, seed = _JWT.search(text), _SEED.search(text)
    if jwt is None or seed is None:
        raise SettingsError(
            f"CLARION_JOURNAL_CREDENTIALS_FILE: {file} is no .creds file with a user's JWT and seed:"
            " make one with `nsc generate creds`"
        )
    return Credentials(jwt[1], _key(seed[1], file))


def tls(authorities: Path | None, certificate: Path | None) -> ssl.SSLContext | None:
    """The TLS context, None when nothing but the system's authorities is asked for."""
    if authorities is None and certificate is None:
        return None
    context = ssl.create_default_context()
    if authorities:
        _load("CLARION_JOURNAL_CA_FILE", authorities, lambda: context.load_verify_locations(authorities))
    if certificate:
        _load("CLARION_JOURNAL_CERTIFICATE_FILE", certificate, lambda: context.load_cert_chain(certificate))
    return context


def _load(setting: str, file: Path, load: Callable[[], None]) -> None:
    try:
        load()
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(f"{setting}: {file} can't be used: {error.strerror or error}") from None


def _read(file: Path, setting: str) -> str:
    try:
        return file.read_text("ascii")
    except OSError as error:
        raise SettingsError(f"{setting}: {file} can't be read: {error.strerror}") from None
    except ValueError:
        raise SettingsError(f"{setting}: {file} is not plain text") from None


def _key(seed: str, file: Path) -> Ed25519PrivateKey:
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except ValueError:
        raw = b""
    intact = len(raw) == _SEED_BYTES and binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")
    if not intact or not seed.startswith(_USER_SEED):
        raise SettingsError(f"CLARION_JOURNAL_CREDENTIALS_FILE: the seed in {file} is damaged: copy it anew")
    return Ed25519PrivateKey.from_private_bytes(raw[2:-2])
