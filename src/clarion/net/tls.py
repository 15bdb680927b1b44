"""TLS towards providers and webhooks."""

import ssl
import tempfile
from functools import cache
from pathlib import Path

from clarion.errors import SettingsError


@cache
def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """The machine's trust roots plus those of `ca_file` (PEM), TLS 1.2 or newer, HTTP/2 preferred.

    One for all clients of a process: reading the roots takes tens of milliseconds.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    if ca_file is not None:
        _trust(context, ca_file)
    return context


def identified(context: ssl.SSLContext, pem: bytes) -> ssl.SSLContext:
    """The same trust with a certificate of our own to show. `ValueError` when it can't be used."""
    own = ssl.create_default_context()
    own.minimum_version = context.minimum_version
    own.set_alpn_protocols(["h2", "http/1.1"])
    roots = context.get_ca_certs(binary_form=True)
    if roots:
        own.load_verify_locations(cadata=b"".join(roots))
    with tempfile.NamedTemporaryFile() as file:  # OpenSSL reads certificates from files only; mode 0600
        file.write(pem)
        file.flush()
        try:
            own.load_cert_chain(file.name)
        except ssl.SSLError as error:
            raise ValueError(f"the certificate and its key can't be used: {error}") from error
    return own


def _trust(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError too
        raise SettingsError(
            f"CLARION_CA_FILE: give a readable PEM file, {ca_file} is not: {error}"
        ) from error
