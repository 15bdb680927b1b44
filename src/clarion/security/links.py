"""Tracking links: by one of them an app without a backend tells what became of one push, and of no other.

A link ends in a token: the environment, the integration and the message, and 16 bytes of a MAC over them
under a key that is made of the encryption key. Nobody can make one up, and nothing is stored for it.
"""

import base64
import binascii
from typing import NamedTuple

from clarion.security.vault import Vault

PATH = "/v1/track/"
_PURPOSE = "tracking link"
_ID_BYTES = 16
_MAC_BYTES = 16
_TOKEN_BYTES = 3 * _ID_BYTES + _MAC_BYTES


class Pushed(NamedTuple):
    """The message that a link is about."""

    environment_id: str
    integration_id: str
    message_id: str


class Links:
    """Makes links that begin with `public_url`, and reads their tokens."""

    def __init__(self, vault: Vault, public_url: str) -> None:
        self._vault = vault
        self._public_url = public_url.rstrip("/")

    @property
    def length(self) -> int:
        """Characters of a link."""
        return len(self._public_url) + len(PATH) + len(_encoded(bytes(_TOKEN_BYTES)))

    def to(self, pushed: Pushed) -> str:
        """The link for what became of a message."""
        named = b"".join(map(bytes.fromhex, pushed))
        token = _encoded(named + self._vault.mac(named, _PURPOSE)[:_MAC_BYTES])
        return self._public_url + PATH + token


def read(vault: Vault, token: str) -> Pushed | None:
    """The message that a token is about; None when nobody here made it."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        return None
    if len(raw) != _TOKEN_BYTES or _encoded(raw) != token:
        return None
    named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not vault.made(named, mac, _PURPOSE):
        return None
    return Pushed(*(named[start : start + _ID_BYTES].hex() for start in range(0, len(named), _ID_BYTES)))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
