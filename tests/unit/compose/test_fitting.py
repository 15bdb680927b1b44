from typing import Any

import msgspec
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from clarion.compose.fitting import ELLIPSIS, Limit, fitted, surely_fits
from clarion.model.push import PushMessage
from clarion.providers.port import Provider
from clarion.providers.registry import PROVIDERS

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1e9\U0001f1ea"
ACCENT = "e\u0301"
LIMITED = [provider for provider in PROVIDERS.values() if provider.most_bytes is not None]


def weight(message: PushMessage) -> int:
    return len(msgspec.json.encode(message))


def limit(room: int) -> Limit:
    """Room for so many bytes of words."""
    return Limit(weight(PushMessage("", "")) + room, weight)


def test_what_fits_is_the_same_object() -> None:
    message = PushMessage("News", "Hello")
    assert fitted(message, limit(9)) is message


@pytest.mark.parametrize("whole", [FAMILY, FLAG, ACCENT])
def test_a_character_as_people_see_it_is_kept_whole_or_left_out(whole: str) -> None:
    for room in range(4, 80):
        said = fitted(PushMessage("", whole * 10), limit(room)).body
        assert said.removesuffix(ELLIPSIS) == whole * (len(said) // len(whole))


def test_the_body_gives_way_before_the_title() -> None:
    message = PushMessage("T" * 20, "B" * 100)
    assert fitted(message, limit(60)) == PushMessage("T" * 20, "B" * 37 + ELLIPSIS)
    assert fitted(message, limit(15)) == PushMessage("T" * 12 + ELLIPSIS, "")


def test_where_no_cut_would_do_it_stays_as_it_was() -> None:
    message = PushMessage("Title", "Body", {"x": "y" * 100})
    assert fitted(message, limit(20)) is message


def test_blanks_before_the_cut_go() -> None:
    assert fitted(PushMessage("", "one two three"), limit(7)).body == "one" + ELLIPSIS


@given(st.text(max_size=60), st.text(max_size=300), st.integers(0, 400))
def test_it_fits_is_a_beginning_and_is_as_long_as_can_be(title: str, body: str, room: int) -> None:
    bound, message = limit(room), PushMessage(title, body)
    found = fitted(message, bound)
    assert weight(found) <= bound.most
    if found is message:
        return
    kept = found.body.removesuffix(ELLIPSIS)
    assert body.startswith(kept)
    clusters = regex.findall(r"\X", body)
    starts = {"".join(clusters[:count]).rstrip() for count in range(len(clusters) + 1)}
    assert kept.rstrip() in starts


@pytest.mark.parametrize("provider", LIMITED, ids=lambda provider: provider.id)
def test_a_long_text_fits_every_provider_that_has_a_limit(provider: Provider[Any]) -> None:
    text = 'ä\U0001f600"' * 2000
    bound = Limit(provider.most_bytes or 0, provider.weight)
    for message in (PushMessage("News", text, {"id": 7}), PushMessage(text, text)):
        assert provider.weight(message) > bound.most
        found = fitted(message, bound)
        assert provider.weight(found) <= bound.most
        longer = msgspec.structs.replace(found, title=found.title + "x" * 40)
        assert provider.weight(longer) > bound.most


@given(st.text(max_size=200))
def test_what_surely_fits_does(text: str) -> None:
    for provider in LIMITED:
        bound = Limit(provider.most_bytes or 0, provider.weight)
        message = PushMessage(text, text)
        if surely_fits(text, text, provider.weight(PushMessage("", "")), bound):
            assert provider.weight(message) <= bound.most
