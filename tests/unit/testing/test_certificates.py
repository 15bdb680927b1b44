import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from clarion.testing import certificates
from clarion.testing.certificates import Authority, AuthorityUnreadable


def test_the_authority_is_made_once_and_kept(tmp_path: Path) -> None:
    first = Authority.kept_in(tmp_path / "new" / "ca")
    certificate = first.ca_file.read_bytes()
    assert Authority.kept_in(tmp_path / "new" / "ca").ca_file.read_bytes() == certificate
    assert sorted(path.name for path in first.ca_file.parent.iterdir()) == ["ca-key.pem", "ca.pem"]


def test_only_the_owner_may_read_the_key(tmp_path: Path) -> None:
    Authority.kept_in(tmp_path)
    assert stat.S_IMODE((tmp_path / "ca-key.pem").stat().st_mode) == 0o600


def test_the_public_file_holds_no_key(tmp_path: Path) -> None:
    assert b"PRIVATE" not in Authority.kept_in(tmp_path).ca_file.read_bytes()


def test_an_authority_about_to_expire_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Authority.kept_in(tmp_path).ca_file.read_bytes()
    left = x509.load_pem_x509_certificate(first).not_valid_after_utc - datetime.now(UTC)
    monkeypatch.setattr(certificates, "_LEAST_VALIDITY", left + timedelta(days=1))
    assert Authority.kept_in(tmp_path).ca_file.read_bytes() != first


def test_a_lost_public_file_is_written_again(tmp_path: Path) -> None:
    first = Authority.kept_in(tmp_path).ca_file.read_bytes()
    (tmp_path / "ca.pem").unlink()
    assert Authority.kept_in(tmp_path).ca_file.read_bytes() == first


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_a_damaged_authority_says_what_to_delete(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "ca-key.pem").write_bytes(damage)
    with pytest.raises(AuthorityUnreadable, match=f"delete {tmp_path}"):
        Authority.kept_in(tmp_path)
