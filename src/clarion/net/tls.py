"""TLS towards providers and webhooks."""

import ssl
from pathlib import Path

from clarion.errors import SettingsError


def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """The machine's trust roots plus those of `ca_file` (PEM), TLS 1.2 or newer, HTTP/2 preferred."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    if ca_file is not None:
        _trust(context, ca_file)
    return context


def _trust(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError too
        raise SettingsError(
            f"CLARION_CA_FILE: give a readable PEM file, {ca_file} is not: {error}"
        ) from error
