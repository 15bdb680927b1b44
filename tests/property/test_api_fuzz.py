"""Whatever comes in, on every route of the table: an answer in the contract's form, never a 5xx."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from calling import PUSH
from clarion.api.route import NoQuery, Route
from clarion.api.table import ROUTES as ALL_ROUTES
from furnishing import BODIES, FORMS, QUERIES
from fuzzing import Fuzzed, fuzzed_api

ORDERLY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ROUTES = [route for route in ALL_ROUTES if not route.stream]
WITH_BODY = [route for route in ROUTES if route.body is not None]
BY_NAME = {route.operation_id: route for route in ROUTES}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """One API for all examples."""
    with fuzzed_api(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


ODD_TEXT = ["", " ", "\x00", "a\x00b", "'; --", "x" * 3000]
ODD_WORDS = (
    "ada welcome news hook push-webhook fcm {{ ../.. % _ null $ne \N{REPLACEMENT CHARACTER} \U0001f600 \u202e"
)
TEXT = st.text(max_size=12) | st.sampled_from([*ODD_TEXT, *ODD_WORDS.split()])
NUMBERS = st.sampled_from([0, -1, 1, 5.5, 2**31, 2**53, 2**63, -(2**63) - 1, 2**64, 10**40, 1e308, -0.0])
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(
    {
        *("subscriberId", "channels", "firstName", "data", "subscribers", "events", "to", "name", "payload"),
        *("overrides", "transactionId", "actor", "tenant", "context", "providerId", "credentials", "steps"),
        *("integrationIdentifier", "deviceTokens", "webhookUrl", "identifier", "active", "configurations"),
        *("conditions", "channel", "workflowId", "tags", "payloadSchema", "validatePayload", "preferences"),
        *("severity", "description", "type", "controlValues", "stepId", "_id", "topicKey", "exclude", "key"),
        *("subscriptions", "subscriberIds", "all", "user", "workflow", "serviceAccount", "secretKey"),
        "dryRun",
    }
)
NAMED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, min_size=1, max_size=5)
    ),
    max_leaves=12,
)


def replaced(document: Any, place: list[int], value: Any) -> Any:
    """The document with something else at a place, found by going down."""
    if not place or not isinstance(document, dict | list) or not document:
        return value
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = keys[place[0] % len(keys)]
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[key] = replaced(document[key], place[1:], value)
    return changed


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[Route, bytes]:
    """A body that would be fine but for one value."""
    route = draw(st.sampled_from([BY_NAME[name] for name in BODIES]))
    place = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    return route, encoded(replaced(BODIES[route.operation_id], place, draw(JSON | NAMED)))


def encoded(document: Any) -> bytes:
    return msgspec.json.encode(document)


def path_of(route: Route, names: dict[str, str], **more: bytes) -> bytes:
    """The path with each parameter filled in; what others need later is not removed."""
    known = {} if route.method == "DELETE" else {name: value.encode() for name, value in names.items()}
    filled = known | more
    return re.sub(rb"{(\w+)}", lambda found: filled.get(found[1].decode(), b"unknown"), route.path.encode())


ODD_SEGMENTS = rb"""
%2F a%2Fb | a|b .. . %2E%2E %00 a%00b % %zz %f %u0041 %FF %C3%28 %ED%A0%80 %F0%9F%98%80 a%20b a+b %0D%0A ;a=b
a,b ~ * ' " <x> {} {0} [ \ _wf_ null undefined %3Fa=b %23 ada% @ : $ active bulk
""".split()
SEGMENTS = st.sampled_from([*ODD_SEGMENTS, b"\xff\xfe", "é日本".encode(), b"x" * 5000]) | st.binary(
    min_size=1, max_size=8
).map(lambda raw: re.sub(rb"[/?#\r\n]", b"-", raw))
ODD_VALUES = rb"""
0 1 -1 5.0 5.5 1e3 101 NaN inf true false null %00 a%00b %FF % %25 _ a=b ASC createdAt _id push %0A [] {}
2026-01-31T09:00:00Z 0001-01-01T00:00:00%2B23:59 9999-12-31T23:59:59-23:59 20260131 2026-W01-1
""".split()
NINES = [b"9" * count for count in (18, 30, 5000)]
VALUES = st.sampled_from([*ODD_VALUES, *NINES, b"", b"\xff", "é".encode(), b"x" * 5000])
ODD_PARAMETERS = [b"", b"limit[]", b"tags[]", b"unknown", b"\xff", b"%00"]


@st.composite
def odd_query(draw: st.DrawFn) -> tuple[Route, bytes]:
    """A route with odd values for parameters, mostly of its own."""
    route = draw(st.sampled_from([route for route in ROUTES if route.query is not NoQuery]))
    own = [field.encode_name.encode() for field in msgspec.structs.fields(route.query)]
    names = st.sampled_from(own) | st.sampled_from([*own, *ODD_PARAMETERS])
    pairs = draw(st.lists(st.tuples(names, VALUES), min_size=1, max_size=3))
    return route, b"&".join(name + b"=" + value for name, value in pairs)


@ORDERLY
@given(st.sampled_from(WITH_BODY), JSON | NAMED)
def test_any_json_document_is_answered(fuzzed: Fuzzed, route: Route, document: Any) -> None:
    fuzzed.call(route.method, path_of(route, fuzzed.names), body=encoded(document))


@settings(ORDERLY, max_examples=500)
@given(nearly_right())
def test_one_wrong_value_is_answered(fuzzed: Fuzzed, wrong: tuple[Route, bytes]) -> None:
    route, body = wrong
    fuzzed.call(route.method, path_of(route, fuzzed.names), body=body)


BROKEN = [
    b"",
    b" ",
    b"\x00",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"{",
    b'{"a":}',
    b"[" * 100_000,
    b'{"a":' * 5000,
    b"NaN",
    b"1" * 5000,
    b"-",
    b"1e999",
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\xed\xa0\x80"',
    b'"\x00"',
    b'"\\u0000"',
    b'"\\\\u0000"',
    b'{"\\u0000":"\\u0000","\\ud800":1}',
    b'{"subscriberId":"\\ud800"}',
    b'{"subscriberId":"\xc3("}',
    b'{"name":"\xff","to":"ada","payload":{"\xff":"\xff"},"steps":[],"workflowId":"\xff","key":"\xff"}',
    b'{"events":[{"name":"welcome","to":"\\u0000"},{"name":1e999},{"to":"\xff"},"\xff",1e999]}',
    b'{"subscribers":[{"subscriberId":"\\u0000"},{"data":1e999},"\xff",1e999,{"subscriberId":"\xff"}]}',
    b'{"data":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
    b'{"payloadSchema":' + b'{"not":' * 95 + b"{}" + b"}" * 95 + b"}",
    b'{"name":"welcome","to":"ada","payload":{"a":' + b"[" * 944 + b"]" * 944 + b"}}",
]


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.operation_id)
def test_what_is_hardly_json_is_answered(fuzzed: Fuzzed, route: Route) -> None:
    for body in BROKEN:
        fuzzed.call(route.method, path_of(route, fuzzed.names), body=body)


@ORDERLY
@given(st.sampled_from(WITH_BODY), st.binary(max_size=40))
def test_any_bytes_are_answered(fuzzed: Fuzzed, route: Route, body: bytes) -> None:
    fuzzed.call(route.method, path_of(route, fuzzed.names), body=body)


@settings(ORDERLY, max_examples=250)
@given(st.sampled_from([route for route in ROUTES if "{" in route.path]), SEGMENTS, SEGMENTS)
@example(BY_NAME["cancel"], b"%00", b"")
def test_any_id_in_a_path_is_answered(fuzzed: Fuzzed, route: Route, first: bytes, second: bytes) -> None:
    names = re.findall(r"{(\w+)}", route.path)
    odd = dict(zip(names, (first, second), strict=False))
    body = encoded(BODIES.get(route.operation_id, {}))
    fuzzed.call(route.method, path_of(route, fuzzed.names, **odd), body=body)


@settings(ORDERLY, max_examples=500)
@given(odd_query())
@example((BY_NAME["list_messages"], b"page=" + b"9" * 18))
@example((BY_NAME["list_notifications"], b"page=" + b"9" * 30))
def test_any_query_is_answered(fuzzed: Fuzzed, asked: tuple[Route, bytes]) -> None:
    route, query = asked
    body = encoded(BODIES.get(route.operation_id, {}))
    fuzzed.call(route.method, path_of(route, fuzzed.names), query, body)


@ORDERLY
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "X"]),
    st.lists(SEGMENTS, max_size=4).map(lambda parts: b"/" + b"/".join(parts)),
)
def test_any_address_is_answered(fuzzed: Fuzzed, method: str, path: bytes) -> None:
    assert fuzzed.call(method, path).status in (404, 405)


@settings(ORDERLY, max_examples=100)
@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from(["{{", "}}", "{%", "%}", "|", "a", "[", "if", "'"]), max_size=9)
)
def test_any_template_is_answered(fuzzed: Fuzzed, source: str | list[str]) -> None:
    text = source if isinstance(source, str) else " ".join(source)
    step = {**PUSH, "controlValues": {"subject": text.encode(errors="replace").decode()}}
    route = BY_NAME["update_workflow"]
    body = encoded({**BODIES["update_workflow"], "steps": [step]})
    assert fuzzed.call(route.method, path_of(route, fuzzed.names), body=body).status in (200, 422)


def test_every_call_with_a_body_has_a_good_one_to_start_from() -> None:
    assert {route.operation_id for route in WITH_BODY} == set(BODIES) | set(FORMS)


REPLACED = ("{deviceId}", "{stepId}", "{variableKey}")
"""What a list of tokens, another workflow or another key may have taken the place of."""


def test_after_all_of_it_every_list_can_still_be_read(fuzzed: Fuzzed) -> None:
    for route in ROUTES:
        if route.method == "GET" and not route.stream:
            removable = any(name in route.path for name in REPLACED)
            query = urlencode(QUERIES.get(route.operation_id, {})).encode()
            found = fuzzed.call("GET", path_of(route, fuzzed.names), query).status
            assert found == 200 or (removable and found == 404), route.path
