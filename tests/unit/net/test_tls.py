import ssl
from pathlib import Path

import pytest

from clarion.errors import SettingsError
from clarion.net.tls import client_context


def test_names_are_checked_and_old_tls_is_not_spoken() -> None:
    context = client_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_an_unreadable_authority_file_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="CLARION_CA_FILE"):
        client_context(path)
