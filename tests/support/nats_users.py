"""Operator, account and user of a NATS server, as `nsc` would make them."""

import base64
import binascii
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OPERATOR, _ACCOUNT, _USER = 14 << 3, 0, 20 << 3
_SEED = 18 << 3
_CONFIG = """
operator: {operator}
system_account: {system}
resolver: MEMORY
resolver_preload: {{ {system}: {system_jwt}, {account}: {account_jwt} }}
"""


class _Identity:
    def __init__(self, kind: int) -> None:
        self._kind = kind
        self._key = Ed25519PrivateKey.generate()

    @property
    def name(self) -> str:
        return _text(bytes([self._kind]) + self._key.public_key().public_bytes_raw())

    @property
    def seed(self) -> str:
        kinds = bytes([_SEED | self._kind >> 5, (self._kind & 31) << 3])
        return _text(kinds + self._key.private_bytes_raw())

    def issue(self, subject: "_Identity", kind: str, **nats: Any) -> str:
        claims = {"jti": "t", "iat": 1, "iss": self.name, "name": kind, "sub": subject.name}
        claims |= {"nats": {"type": kind, "version": 2, **nats}}
        parts = [{"typ": "JWT", "alg": "ed25519-nkey"}, claims]
        signed = ".".join(_url(msgspec.json.encode(part)) for part in parts)
        return f"{signed}.{_url(self._key.sign(signed.encode()))}"


def guarded(directory: Path) -> tuple[str, Path]:
    """The configuration of a server that lets one user in, and that user's `.creds` file."""
    operator, system, account, user = map(_Identity, (_OPERATOR, _ACCOUNT, _ACCOUNT, _USER))
    unlimited = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True}
    unlimited |= {
        "conn": -1,
        "leaf": -1,
        "mem_storage": -1,
        "disk_storage": -1,
        "streams": -1,
        "consumer": -1,
    }
    config = _CONFIG.format(
        operator=operator.issue(operator, "operator"),
        system=system.name,
        system_jwt=operator.issue(
            system, "account", limits={**unlimited, "mem_storage": 0, "disk_storage": 0}
        ),
        account=account.name,
        account_jwt=operator.issue(account, "account", limits=unlimited),
    )
    file = directory / "clarion.creds"
    jwt = account.issue(user, "user", subs=-1, data=-1, payload=-1)
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
    return config, file


def _text(raw: bytes) -> str:
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
