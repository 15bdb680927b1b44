"""Secrets at rest: AES-256-GCM under a key that never enters the database.

A sealed secret is `version(1) | key id(8) | nonce(12) | ciphertext`. It opens only in the place it
was sealed for: the place is authenticated with it.
"""

import base64
import binascii
import os
import secrets
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clarion.errors import SecretUnreadable, SettingsError

_VERSION = b"\x01"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_HEADER = 1 + 8
KEY_FILE = "encryption.key"


class Vault:
    """Seals and opens secrets with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._key_id = blake2b(key, digest_size=8, person=b"clarion-key-id").digest()

    def seal(self, secret: bytes, place: str) -> bytes:
        """Encrypt `secret` for `place` (for example `integration:<id>`)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + self._key_id + nonce + self._cipher.encrypt(nonce, secret, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for `place`; `SecretUnreadable` under another key or in another place."""
        if sealed[:1] != _VERSION or sealed[1:_HEADER] != self._key_id:
            raise SecretUnreadable(
                "a stored secret was sealed with another key: restore encryption.key,"
                " or set CLARION_ENCRYPTION_KEY to what it held"
            )
        nonce, ciphertext = sealed[_HEADER : _HEADER + _NONCE_BYTES], sealed[_HEADER + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, place.encode())
        except InvalidTag as error:
            raise SecretUnreadable(f"the secret stored for {place} was altered or moved") from error


def parse_key(text: str) -> bytes:
    """An encryption key from its setting: 32 bytes, base64 (either alphabet)."""
    try:
        key = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError(
            "CLARION_ENCRYPTION_KEY must be 32 random bytes in base64; make one with: openssl rand -base64 32"
        )
    return key


def load_or_create_key(data_dir: Path) -> bytes:
    """The key kept in the data directory, made with mode 0600 the first time."""
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return parse_key(path.read_text())
    with os.fdopen(handle, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return parse_key(path.read_text())
