import pytest

from clarion.security.links import PATH, Links, Pushed, read
from clarion.security.vault import Vault

KEY, OTHER = bytes(32), bytes(range(32))
PUSHED = Pushed("e" * 32, "1" * 32, "a5" * 16)


def token(vault: Vault) -> str:
    return Links(vault, "https://push.example.com/").to(PUSHED).rpartition("/")[2]


def test_a_link_names_its_message() -> None:
    links = Links(Vault(KEY), "https://push.example.com/")
    link = links.to(PUSHED)
    assert link.startswith(f"https://push.example.com{PATH}")
    assert (len(link), read(Vault(KEY), token(Vault(KEY)))) == (links.length, PUSHED)


def test_a_link_stays_good_when_the_key_is_changed() -> None:
    assert read(Vault(OTHER, [KEY]), token(Vault(KEY))) == PUSHED
    assert read(Vault(OTHER), token(Vault(KEY))) is None


def test_a_link_of_another_message_is_not_had_by_changing_one() -> None:
    made = token(Vault(KEY))
    for place in range(len(made)):
        changed = made[:place] + ("A" if made[place] != "A" else "B") + made[place + 1 :]
        assert read(Vault(KEY), changed) is None


@pytest.mark.parametrize("text", ["", "x", "ä", "A" * 86, "A" * 85, "A" * 10_000, "=" * 86, "../../etc"])
def test_what_nobody_made_is_nothing(text: str) -> None:
    assert read(Vault(KEY), text) is None


def test_the_same_bytes_are_written_in_one_way_only() -> None:
    made = token(Vault(KEY))
    assert read(Vault(KEY), made + "=") is None
    assert read(Vault(KEY), made + "==") is None
