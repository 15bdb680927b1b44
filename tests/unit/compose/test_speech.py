"""What a step says in the recipient's locale, and how often that is worked out."""

from typing import Any

import pytest

from clarion.compose.notification import Composer, Planned
from clarion.compose.words import Words
from clarion.model.people import Channel, Device, Subscriber
from clarion.model.push import Personal
from pushing import NOW, integration, subscriber, trigger, workflow

CONTENTS: dict[str, dict[str, Any]] = {
    "en_US": {"title": "Hello", "you": "Hi {{subscriber.firstName}}"},
    "de": {"title": "Hallo", "you": "Hallo {{payload.text}}"},
    "de_CH": {"title": "Grüezi"},
}


def composer(subject: str, body: str = "", **fields: Any) -> Composer:
    given = trigger(**fields)
    return Composer(given, workflow(subject, body), {"i1": integration("i1")}, (), NOW, words=Words(CONTENTS))


def device(pk: int, locale: str | None = None, timezone: str | None = None) -> Device:
    return Device(pk, 1, "i1", f"token-{pk}", None, locale, timezone)


def told(one: Composer, person: Subscriber, *devices: Device) -> list[Planned]:
    composed = one.compose(person, [Channel(1, "fcm", "i1", "i1-name", list(devices))])
    assert composed.details == []
    return composed.planned


def titles(planned: list[Planned]) -> list[str]:
    return [item.personal.title or "" if item.personal else item.content.title for item in planned]


@pytest.mark.parametrize(
    ("own", "persons", "said"),
    [
        ("de_CH", "en_US", "Grüezi"),
        ("de-ch", None, "Grüezi"),
        (None, "de_AT", "Hallo"),
        ("klingon", "de", "Hallo"),
        (None, "klingon", "Hello"),
        (None, None, "Hello"),
        ("ja_JP", "de", "Hello"),
    ],
)
def test_a_device_is_spoken_to_in_its_locale_else_its_subscribers_else_the_default(
    own: str | None, persons: str | None, said: str
) -> None:
    planned = told(composer("{{t.title}}"), subscriber(locale=persons), device(1, own))
    assert titles(planned) == [said]


def test_devices_of_one_subscriber_may_speak_differently() -> None:
    devices = (device(1, "de"), device(2, "fr"), device(3))
    planned = told(composer("{{t.title}}"), subscriber(locale="de_CH"), *devices)
    assert titles(planned) == ["Hallo", "Hello", "Grüezi"]


def test_what_a_locale_says_is_worked_out_once_and_shared_by_all_locales_that_say_the_same() -> None:
    one = composer("{{t.title}}", "{{payload.text}}")
    locales = ("de", "de_AT", "de_DE", "fr", "it", "en_US", None)
    planned = [told(one, subscriber(pk, locale=locale), device(pk)) for pk, locale in enumerate(locales, 1)]
    assert {item.personal for part in planned for item in part} == {None}
    assert len({id(item.content) for part in planned for item in part}) == 2


def test_a_text_that_names_the_subscriber_is_personal_in_its_locale_only() -> None:
    one = composer("{{t.you}}")
    english, german = (
        told(one, subscriber(pk, first_name="Ada", locale=locale), device(pk))[0]
        for pk, locale in ((1, "en"), (2, "de"))
    )
    assert english.personal == Personal("Hi Ada", "")
    assert (german.personal, german.content.title) == (None, "Hallo Hello")


def test_a_step_without_texts_or_formats_is_the_same_object_everywhere() -> None:
    one = composer("News", "{{payload.text}}")
    planned = [told(one, subscriber(pk, locale=name), device(pk)) for pk, name in ((1, "de"), (2, "fr"))]
    assert len({id(item.content) for part in planned for item in part}) == 1


def test_a_moment_is_told_in_the_time_zone_of_the_device_else_of_the_subscriber() -> None:
    one = composer("{{ payload.at | datetime: 'Hm' }}", payload={"at": "2026-01-01T12:00:00Z"})
    devices = (device(1, "de", "Asia/Tokyo"), device(2, "de"), device(3, "de", "Europe/Berlin"))
    person = subscriber(timezone="Europe/Berlin")
    planned = told(one, person, *devices)
    assert titles(planned) == ["21:00", "13:00", "13:00"]
    assert planned[1].content is planned[2].content
    assert titles(told(one, subscriber(2), device(2))) == ["12:00"]


def test_how_a_push_looks_may_be_translated_too() -> None:
    one = composer("x", overrides={"push": {"url": "https://x.test/{{t.title}}"}})
    (planned,) = told(one, subscriber(locale="de"), device(1))
    assert planned.content.presentation.url == "https://x.test/Hallo"
