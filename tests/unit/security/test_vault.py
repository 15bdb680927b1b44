import base64
import stat
from pathlib import Path

import pytest

from clarion.errors import SecretUnreadable, SettingsError
from clarion.security.keys import fingerprint, masked, new_key
from clarion.security.vault import Vault, key_id, keys_text, load_or_create_keys, parse_key, parse_keys

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


def test_an_older_key_still_opens_what_it_sealed_and_seals_no_more() -> None:
    sealed = Vault(KEY).seal(b"p8", "a")
    vault = Vault(bytes(32), [KEY])
    assert vault.open(sealed, "a") == b"p8"
    again = vault.seal(b"p8", "a")
    assert again.startswith(vault.header)
    assert key_id(bytes(32)) in again
    with pytest.raises(SecretUnreadable, match=key_id(bytes(32)).hex()):
        Vault(KEY).open(again, "a")


def test_a_key_that_came_to_be_since_is_read_when_it_is_met() -> None:
    known = [KEY]
    vault = Vault(KEY, reread=lambda: known)
    sealed = Vault(bytes(32)).seal(b"p8", "a")
    with pytest.raises(SecretUnreadable):
        vault.open(sealed, "a")
    known.append(bytes(32))
    assert vault.open(sealed, "a") == b"p8"
    assert vault.seal(b"p8", "a").startswith(Vault(KEY).header)


def test_keys_are_read_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "encryption.key").write_text(keys_text([KEY, bytes(32)]))
    assert load_or_create_keys(tmp_path) == [KEY, bytes(32)]
    assert parse_keys(keys_text([KEY, bytes(32)]).replace("\n", ","), "here") == [KEY, bytes(32)]


def test_an_empty_key_file_is_no_reason_for_a_new_key(tmp_path: Path) -> None:
    (tmp_path / "encryption.key").touch()
    with pytest.raises(SettingsError, match="restore it"):
        load_or_create_keys(tmp_path)


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
    keys = load_or_create_keys(tmp_path)
    assert load_or_create_keys(tmp_path) == keys
    assert len(keys) == 1
    assert stat.S_IMODE((tmp_path / "encryption.key").stat().st_mode) == 0o600


def test_api_keys_are_distinct_and_found_by_hash() -> None:
    first, second = new_key(), new_key()
    assert first != second
    assert len(fingerprint(first)) == 64
    assert first not in fingerprint(first)
    assert masked(first)[4:-2] == "…"


def test_a_code_is_told_by_the_key_and_by_nothing_less() -> None:
    code = Vault(KEY).code("set-up")
    assert len(code) == 16
    assert code == Vault(KEY).code("set-up")
    assert code not in (Vault(KEY).code("another"), Vault(KEY[::-1]).code("set-up"))
