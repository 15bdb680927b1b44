"""Secrets at rest: AES-256-GCM under keys that never enter the database.

A sealed secret is `version(1) | key id(8) | nonce(12) | ciphertext`. It opens only in the place it
was sealed for: the place is authenticated with it.
"""

import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clarion.errors import SecretUnreadable, SettingsError

_VERSION = b"\x01"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_CODE_BYTES = 10
_HEADER = 1 + 8
KEY_FILE = "encryption.key"


class Vault:
    """Seals secrets with one key, and opens what that or an older key sealed.

    `reread` tells of keys that came to be since: it is asked when a secret names one that isn't known.
    """

    def __init__(
        self, key: bytes, older: Iterable[bytes] = (), reread: Callable[[], Iterable[bytes]] = tuple
    ) -> None:
        self._key = key
        self._cipher = AESGCM(key)
        self._keys = tuple(dict.fromkeys((key, *older)))
        self._ciphers = {key_id(old): AESGCM(old) for old in self._keys}
        self._reread = reread
        self.header = _VERSION + key_id(key)
        """What everything sealed with the current key begins with."""

    def seal(self, secret: bytes, place: str) -> bytes:
        """Encrypt `secret` for `place` (for example `integration:<id>`)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self.header + nonce + self._cipher.encrypt(nonce, secret, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what was sealed for `place`; `SecretUnreadable` without its key or in another place."""
        cipher = self._cipher_of(sealed[:_HEADER])
        nonce, ciphertext = sealed[_HEADER : _HEADER + _NONCE_BYTES], sealed[_HEADER + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, ciphertext, place.encode())
        except InvalidTag as error:
            raise SecretUnreadable(f"the secret stored for {place} was altered or moved") from error

    def code(self, purpose: str) -> str:
        """16 characters for somebody to type in who proves that they see what Clarion prints: the same in all
        processes with the key, and kept nowhere."""
        mac = hmac.digest(self._key, f"clarion code {purpose}".encode(), "sha256")
        return base64.b32encode(mac[:_CODE_BYTES]).decode()

    def mac(self, text: bytes, purpose: str) -> bytes:
        """32 bytes that only who has the key can make of a text."""
        return _mac(self._key, text, purpose)

    def made(self, text: bytes, mac: bytes, purpose: str) -> bool:
        """Whether the beginning of a MAC of a text is of this key or an older one."""
        return any(hmac.compare_digest(_mac(key, text, purpose)[: len(mac)], mac) for key in self._keys)

    def _cipher_of(self, header: bytes) -> AESGCM:
        version, identity = header[:1], header[1:]
        if version == _VERSION and identity not in self._ciphers:
            self._ciphers |= {key_id(key): AESGCM(key) for key in self._reread()}
        if version != _VERSION or identity not in self._ciphers:
            raise SecretUnreadable(
                f"a stored secret was sealed with another key ({identity.hex()}): restore encryption.key,"
                " set CLARION_ENCRYPTION_KEY to what it held, or list the key in CLARION_OLD_ENCRYPTION_KEYS"
            )
        return self._ciphers[identity]


def _mac(key: bytes, text: bytes, purpose: str) -> bytes:
    """Under a key of its own for each purpose."""
    own = hmac.digest(key, f"clarion key {purpose}".encode(), "sha256")
    return hmac.digest(own, text, "sha256")


def key_id(key: bytes) -> bytes:
    """The name of a key, 8 bytes that tell nothing of it: it stands before what the key sealed."""
    return blake2b(key, digest_size=8, person=b"clarion-key-id").digest()


def key_id_of(sealed: bytes) -> bytes:
    """The name of the key that sealed a secret."""
    return sealed[1:_HEADER]


def new_key() -> bytes:
    """A fresh encryption key."""
    return secrets.token_bytes(_KEY_BYTES)


def parse_keys(text: str, where: str) -> list[bytes]:
    """Encryption keys, each 32 bytes in base64 (either alphabet), separated by commas or white space."""
    return [_parsed(word, where) for word in text.replace(",", " ").split()]


def parse_key(text: str) -> bytes:
    """The encryption key from its setting."""
    return _parsed(text, "CLARION_ENCRYPTION_KEY")


def load_or_create_keys(data_dir: Path) -> list[bytes]:
    """The keys kept in the data directory, the current one first; one is made, mode 0600, the first time."""
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load_keys(data_dir)
    with os.fdopen(handle, "w") as file:
        file.write(keys_text([new_key()]))
        file.flush()
        os.fsync(file.fileno())
    return load_keys(data_dir)


def load_keys(data_dir: Path) -> list[bytes]:
    """The keys kept in the data directory, the current one first."""
    path = data_dir / KEY_FILE
    keys = parse_keys(path.read_text(), str(path)) if path.exists() else []
    if not keys:
        raise SettingsError(f"{path} holds no key: restore it from your copy")
    return keys


def keys_text(keys: Iterable[bytes]) -> str:
    """What the file of the data directory holds: a key a line, the current one first."""
    return "".join(base64.b64encode(key).decode() + "\n" for key in keys)


def _parsed(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError(
            f"{where} must be 32 random bytes in base64; make a key with: openssl rand -base64 32"
        )
    return key
