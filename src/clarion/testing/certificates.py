"""A private certificate authority, kept in a directory, for servers that only tests talk to."""

import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from clarion.errors import ClarionError

NAMES = ("localhost", "127.0.0.1", "::1")
"""Whom a server certificate names unless told otherwise."""

_LEAST_VALIDITY = timedelta(days=7)
_PUBLIC = "ca.pem"
_PRIVATE = "ca-key.pem"


class AuthorityUnreadable(ClarionError):
    """The kept authority is damaged; delete its directory and a new one is made."""


class Authority:
    """Issues server certificates. Clients trust it by `ca_file` and by nothing else."""

    def __init__(self, authority: trustme.CA, ca_file: Path) -> None:
        self._authority = authority
        self.ca_file = ca_file

    @classmethod
    def kept_in(cls, directory: Path) -> "Authority":
        """The authority of this directory, made on the first call and anew when it is about to expire."""
        directory.mkdir(parents=True, exist_ok=True)
        private, public = directory / _PRIVATE, directory / _PUBLIC
        if not private.exists():
            _settle(private, _made(), renew=False)
        if _expires(private) - datetime.now(UTC) < _LEAST_VALIDITY:
            _settle(private, _made(), renew=True)
        authority = _loaded(private)
        certificate = authority.cert_pem.bytes()
        if not public.exists() or public.read_bytes() != certificate:
            _settle(public, certificate, renew=True, mode=0o644)
        return cls(authority, public)

    def server_context(self, *names: str) -> ssl.SSLContext:
        """TLS for a server that offers HTTP/2 and HTTP/1.1 under a fresh certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", "http/1.1"])
        self._authority.issue_cert(*(names or NAMES)).configure_cert(context)
        self._authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def client_certificate(self, name: str, password: str) -> bytes:
        """A certificate for a client of that name with its key, as a .p12 file."""
        made = self._authority.issue_cert(common_name=name)
        key = load_pem_private_key(made.private_key_pem.bytes(), None)
        certificate = x509.load_pem_x509_certificate(made.cert_chain_pems[0].bytes())
        assert isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey)
        return serialize_key_and_certificates(
            name.encode(), key, certificate, None, BestAvailableEncryption(password.encode())
        )

    def client_context(self, *protocols: str) -> ssl.SSLContext:
        """TLS for a client that trusts this authority only; `protocols` are offered by ALPN."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


def _made() -> bytes:
    """A new authority: key and certificate in one file, so that the two can't come apart."""
    authority = trustme.CA(organization_name="Clarion test kit")
    return authority.private_key_pem.bytes() + authority.cert_pem.bytes()


def _settle(path: Path, content: bytes, *, renew: bool, mode: int = 0o600) -> None:
    """Write whole or not at all. Without `renew`, a file another process made meanwhile stays."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, mode)
        if renew:
            os.replace(temporary, path)
        else:
            _link_unless_there(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _link_unless_there(temporary: str, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return


def _expires(private: Path) -> datetime:
    try:
        return x509.load_pem_x509_certificate(private.read_bytes()).not_valid_after_utc
    except ValueError:
        raise _unreadable(private) from None


def _loaded(private: Path) -> trustme.CA:
    content = private.read_bytes()
    start = content.find(b"-----BEGIN CERTIFICATE-----")
    try:
        return trustme.CA.from_pem(content[start:], content[:start])
    except ValueError:
        raise _unreadable(private) from None


def _unreadable(private: Path) -> AuthorityUnreadable:
    return AuthorityUnreadable(
        f"{private} holds no key and certificate; delete {private.parent} to make a new authority"
    )
