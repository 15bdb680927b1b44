"""Webhook endpoints and their schedule, as values."""

import pytest

from clarion.model.clock import HOUR, MINUTE, SECOND, Millis
from clarion.model.webhook import Endpoint, Secret, Try, about, delivery_id, next_attempt, url_fault
from pushing import NOW


def failed(status: int = 500, code: str = "", retry_after: Millis | None = None) -> Try:
    return Try(NOW, 0, status, code or f"http_{status}", "", retry_after)


def endpoint(**fields: object) -> Endpoint:
    given: dict[str, object] = {"events": [], "active": True} | fields
    return Endpoint("w" * 32, "e" * 32, "https://x.test/", "", **_rest(given))  # type: ignore[arg-type]


def _rest(given: dict[str, object]) -> dict[str, object]:
    pace: dict[str, object] = {"concurrency": 1, "rate_limit": None}
    return pace | {"disabled_reason": "", "created_at": NOW, "updated_at": NOW} | given


def test_a_delivery_is_tried_eight_times_on_novus_schedule() -> None:
    pauses = [next_attempt(tries, failed(), 0) for tries in range(1, 9)]
    waits = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]
    assert pauses == [*(NOW + wait for wait in waits), None]


def test_jitter_adds_up_to_a_tenth_and_the_pause_begins_when_the_try_ends() -> None:
    late = Try(NOW, 15 * SECOND, 0, "timed_out")
    assert next_attempt(2, late, 0.5) == NOW + 15 * SECOND + 5 * MINUTE + 15 * SECOND


@pytest.mark.parametrize("status", [429, 502, 504])
def test_who_is_overloaded_has_a_minute(status: int) -> None:
    assert next_attempt(1, failed(status), 0) == NOW + MINUTE


@pytest.mark.parametrize(
    ("asked", "pause"), [(1, 5 * MINUTE), (420, 7 * MINUTE), (86_400, 10 * MINUTE)], ids=str
)
def test_what_the_answer_asks_for_counts_up_to_twice_the_pause(asked: int, pause: Millis) -> None:
    assert next_attempt(2, failed(retry_after=asked * SECOND), 0) == NOW + pause


@pytest.mark.parametrize("code", ["egress_refused", "not_sendable", "http_410", "endpoint_off"])
def test_what_no_repetition_makes_better_is_not_repeated(code: str) -> None:
    assert next_attempt(1, failed(code=code), 0) is None


def test_an_endpoint_hears_of_what_it_chose_while_it_is_active() -> None:
    assert endpoint().wants("message.sent")
    assert endpoint(events=["message.sent"]).wants("message.sent")
    assert not endpoint(events=["message.sent"]).wants("message.failed")
    assert not endpoint(active=False).wants("message.sent")


def test_secrets_that_were_replaced_sign_until_they_end() -> None:
    known = endpoint(secrets=[Secret("new"), Secret("old", NOW + 1), Secret("older", NOW)])
    assert known.signing(NOW) == ["new", "old"]
    assert known.signing(NOW + 1) == ["new"]


def test_an_endpoint_and_its_repr_tell_no_secret() -> None:
    known = endpoint(secrets=[Secret("whsec_hidden")], headers={"authorization": "hidden"})
    assert "hidden" not in repr(known)


def test_an_event_has_one_id_however_often_it_is_told() -> None:
    one, two = about("message.sent", "a" * 32, NOW), about("message.sent", "a" * 32, NOW + 1)
    assert one.id == two.id
    assert one.id != about("message.failed", "a" * 32, NOW).id
    assert "." not in one.id
    assert delivery_id(endpoint(), one.id) == delivery_id(endpoint(), two.id)


@pytest.mark.parametrize(
    "url",
    [
        "https://receiver.test",
        "https://receiver.test:8443/hooks?x=1",
        "http://receiver.test/",
        "https://[2001:db8::1]/",
        "https://8.8.8.8/",
        "https://xn--bcher-kva.test/",
        "https://a_b.test./",
    ],
)
def test_a_url_with_a_host_can_be_called(url: str) -> None:
    assert url_fault(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "receiver.test",
        "//receiver.test/",
        "https:receiver.test",
        "https:///path",
        "https://",
        "https://:443/",
        "ftp://receiver.test/",
        "file:///etc/passwd",
        "gopher://receiver.test/",
        "javascript:alert(1)",
        "unix:///var/run/docker.sock",
        "https://user@receiver.test/",
        "https://user:password@receiver.test/",
        "https://receiver.test@127.0.0.1/",
        "https://receiver.test#@127.0.0.1/",
        "https://receiver.test/#fragment",
        "https://receiver.test\\@127.0.0.1/",
        "https://receiver.test:0/",
        "https://receiver.test:99999/",
        "https://receiver.test:port/",
        "https://receiver.test /",
        "https://receiver.test/\r\nHost: x",
        "https://receiver.test/\x00",
        "https://bücher.test/",
        "https://[::1/",
        "https://[nonsense]/",
        "https://a..b/",
        "https://-a.test/",
        "https://a%2eb/",
        "https://" + "a" * 64 + ".test/",
        "https://receiver.test/" + "a" * 2048,
    ],
)
def test_a_url_that_can_t_be_called_is_refused_with_its_reason(url: str) -> None:
    assert url_fault(url)
