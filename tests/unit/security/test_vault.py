import base64
import stat
from pathlib import Path

import pytest

from clarion.errors import SecretUnreadable, SettingsError
from clarion.security.keys import fingerprint, masked, new_key
from clarion.security.vault import Vault, load_or_create_key, parse_key

KEY = bytes(range(32))


def test_a_sealed_secret_opens_where_it_was_sealed_for() -> None:
    vault = Vault(KEY)
    assert vault.open(vault.seal(b"p8", "integration:1"), "integration:1") == b"p8"


def test_a_sealed_secret_does_not_contain_the_secret() -> None:
    assert b"private" not in Vault(KEY).seal(b"private", "a")


def test_a_secret_moved_to_another_place_does_not_open() -> None:
    vault = Vault(KEY)
    with pytest.raises(SecretUnreadable, match="altered or moved"):
        vault.open(vault.seal(b"p8", "integration:1"), "integration:2")


def test_another_key_is_told_from_an_altered_secret() -> None:
    with pytest.raises(SecretUnreadable, match="CLARION_ENCRYPTION_KEY"):
        Vault(bytes(32)).open(Vault(KEY).seal(b"p8", "a"), "a")


def test_an_altered_secret_does_not_open() -> None:
    sealed = bytearray(Vault(KEY).seal(b"p8", "a"))
    sealed[-1] ^= 1
    with pytest.raises(SecretUnreadable, match="altered"):
        Vault(KEY).open(bytes(sealed), "a")


@pytest.mark.parametrize("text", ["", "short", "!" * 44, base64.b64encode(bytes(31)).decode()])
def test_a_key_of_the_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="32 random bytes"):
        parse_key(text)


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    key = load_or_create_key(tmp_path)
    assert load_or_create_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "encryption.key").stat().st_mode) == 0o600


def test_api_keys_are_distinct_and_found_by_hash() -> None:
    first, second = new_key(), new_key()
    assert first != second
    assert len(fingerprint(first)) == 64
    assert first not in fingerprint(first)
    assert masked(first)[4:-2] == "…"
